/**
 * What the trace viewer and the server say to each other. Pure, as wire.ts.
 *
 * Numbers per token travel as base64 of little-endian float32 or int32: 16,000 tokens are 85 KB then, and need no parsing.
 */
import * as z from 'zod';
import { signalNames } from '../model/signals.ts';

const LONGEST_ID = 1_000;
/** Longest text that is searched for, in characters. */
export const LONGEST_SEARCH = 200;
/** Rows of the list at a time. */
export const LIST_LIMIT = 25;

const blankAsNull = (text: string) => (text === '' ? null : text);
const whole = z.coerce.number().int().min(0).max(2_147_483_647);
const place = z
  .string()
  .regex(/^\d{1,9}\.\d{1,9}$/)
  .transform((text) => {
    const [position, sample] = text.split('.').map(Number);
    return { position, sample };
  });

export const tracesQuery = z.object({
  /** Absent: the newest round. */
  round: whole.optional(),
  text: z.string().trim().max(LONGEST_SEARCH).default('').transform(blankAsNull),
  prompt: z.string().max(LONGEST_ID).default('').transform(blankAsNull),
  finish: z.enum(['', 'stop', 'length']).default('').transform(blankAsFinish),
  route: z.string().max(40).default('').transform(blankAsNull),
  /** `unlabelled`: there is no label to hold the answer against. */
  verdict: z.enum(['', 'right', 'wrong', 'undecided', 'unlabelled']).default(''),
  /** What comes behind this place of an earlier page. */
  after: place.optional(),
});
export type TracesQuery = z.infer<typeof tracesQuery>;

function blankAsFinish(text: '' | 'stop' | 'length'): 'stop' | 'length' | null {
  return text === '' ? null : text;
}

export const verdict = z.enum(['right', 'wrong', 'undecided']);

const tracedRow = z.object({
  promptId: z.string(),
  sample: z.int(),
  source: z.string(),
  /** The question and the response, their beginnings. */
  question: z.string(),
  beginning: z.string(),
  tokens: z.int(),
  /** null while there is no threshold. */
  pivots: z.int().nullable(),
  finish: z.enum(['stop', 'length']),
  answer: z.string().nullable(),
  /** Against a label that was bought; null where there is none. */
  verdict: verdict.nullable(),
  route: z.string().nullable(),
});
export type WireTracedRow = z.infer<typeof tracedRow>;

export const tracedPage = z.object({
  rounds: z.array(z.object({ round: z.int(), traces: z.int(), tokens: z.number() })),
  /** null where nothing was traced. */
  round: z.int().nullable(),
  rows: z.array(tracedRow),
  /** To go on from; null at the end. A search may find nothing in one part and something in the next. */
  next: z.string().nullable(),
});
export type WireTracedPage = z.infer<typeof tracedPage>;

export const traceQuery = z.object({
  round: whole.optional(),
  prompt: z.string().min(1).max(LONGEST_ID),
  sample: whole.default(0),
});

/** Base64 of little-endian float32. */
const floats = z.string();
/** Base64 of little-endian int32. */
const ints = z.string();

/** One signal: its mean over what was kept; single columns are fetched when they are picked. */
const wireSignal = z.object({
  /** A signal's name, or `layer_far_mass`. */
  name: z.enum([...signalNames, 'layer_far_mass']),
  unit: z.string(),
  /** s_t: the mean over the kept heads (of their layers, for signals of layers); NaN where undefined. */
  mean: floats,
  /** What columns it has; `head` is null where it has one per layer. */
  columns: z.array(z.object({ layer: z.int(), head: z.int().nullable() })),
  /** Threshold of a pivot in changes of this signal; null where none was set. */
  tau: z.number().nullable(),
});
export type WireSignal = z.infer<typeof wireSignal>;

export const wireTrace = z.object({
  round: z.int(),
  promptId: z.string(),
  sample: z.int(),
  /** Traced samples of the prompt in this round. */
  samples: z.array(z.int()),
  prompt: z.array(z.object({ role: z.string(), text: z.string() })),
  source: z.string(),
  /** All pieces in one text; piece t ends at `ends[t]` (UTF-16 units). */
  text: z.string(),
  ends: ints,
  /** Token ids. */
  ids: ints,
  /** False: the tokenizer is not at hand, so that pieces are ids in brackets and `response` is the text. */
  decoded: z.boolean(),
  response: z.string(),
  finish: z.enum(['stop', 'length']),
  answer: z.string().nullable(),
  verdict: verdict.nullable(),
  /** The label it was held against; null where there is none. */
  label: z.string().nullable(),
  route: z.string().nullable(),
  promptTokens: z.int(),
  /** Over the response: natural logarithms and nats. */
  figures: z.object({
    meanLogprob: z.number().nullable(),
    meanEntropy: z.number().nullable(),
    maxEntropy: z.number().nullable(),
    meanSelfCertainty: z.number().nullable(),
  }),
  /** Scores of the prompt by estimator, higher is more uncertain. */
  scores: z.array(z.object({ estimator: z.string(), value: z.number() })),
  /** How changes were measured; null where the round was not finished. */
  settings: z
    .object({ signal: z.enum(signalNames), delta: z.int(), zeta: z.number(), window: z.int() })
    .nullable(),
  /** d_t of the configured signal as it was stored; null until it was chosen. */
  changes: floats.nullable(),
  /** The configured signal first. */
  signals: z.array(wireSignal),
});
export type WireTrace = z.infer<typeof wireTrace>;

export const columnQuery = traceQuery.extend({
  signal: z.enum([...signalNames, 'layer_far_mass']),
  column: whole,
});
export const wireColumn = z.object({ values: floats });

/** Numbers as base64, little-endian. */
export function toBase64(numbers: Float32Array | Int32Array): string {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  let text = '';
  const PART = 0x2000;
  for (let at = 0; at < bytes.length; at += PART) {
    text += String.fromCharCode(...bytes.subarray(at, at + PART));
  }
  return btoa(text);
}

/** Back from `toBase64`. */
export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64));
}

/** Back from `toBase64`. */
export function intsOf(base64: string): Int32Array {
  return new Int32Array(bytesOf(base64));
}

function bytesOf(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}
