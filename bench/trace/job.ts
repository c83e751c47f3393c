/** What the driver and the two sides say to each other, a line of JSON each. */
import { z } from 'zod';

const head = z.object({ layer: z.int(), head: z.int() });

/** The words of a side's command line, after the path of its program: this as JSON. */
export const setupSchema = z.object({
  directory: z.string(),
  threads: z.int(),
  heads: z.array(head),
  delta: z.int(),
  window: z.int(),
  sinks: z.int(),
  /** The longest text. */
  max_tokens: z.int(),
});
export type Setup = z.infer<typeof setupSchema>;

/** A text to trace, and how many of its tokens are the prompt. */
export const jobSchema = z.object({ tokens: z.array(z.int()), prompt: z.int() });
export type Job = z.infer<typeof jobSchema>;

/** Signals are token-major [response tokens * heads]; memory in MiB. */
export const answerSchema = z.object({
  seconds: z.number(),
  /** Peak of the process less what it held after loading and the warm-up. */
  above: z.number(),
  /** Peak of the process. */
  peak: z.number(),
  distance: z.array(z.number()),
  far_mass: z.array(z.number()),
});
export type Answer = z.infer<typeof answerSchema>;

/** Tokens of the warm-up: the first of the text. */
export const WARM_UP = 32;
