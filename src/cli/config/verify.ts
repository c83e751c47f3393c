/** Settings of the verifiers: how a response is read and when two answers are the same. */
import { z } from 'zod';
import { codeLanguages, defaultCodeSettings as limits } from '../../verify/code/settings.ts';
import { strongMarks } from '../../verify/extract/candidates.ts';
import { innerKinds, verifierNames } from '../../verify/spec.ts';
import { count, flag, number, optionalPathKey } from './keys.ts';

const extract = z
  .strictObject({
    marks: z
      .array(z.enum(strongMarks))
      .default([...strongMarks])
      .describe('Marks of a final answer that count: \\boxed{}, <answer>, ####, "the answer is"'),
    unmarked: z
      .enum(['none', 'whole', 'conclusion', 'last'])
      .default('conclusion')
      .describe(
        'A response without a mark: none = no answer; whole = it is the answer if it is nothing else; ' +
          'conclusion = also its last formula or concluding sentence; last = also its last number, letter or line',
      ),
  })
  .prefault({})
  .describe('Where the final answer of a response is');

const math = z
  .strictObject({
    relative: number(0, 0, 'Tolerance relative to the larger number; 0 = exact'),
    absolute: number(0, 0, 'Absolute tolerance; 0 = exact'),
    equations: z
      .enum(['value', 'whole'])
      .default('value')
      .describe('value = "x = 5" is 5; whole = an equation is one only to an equation'),
    units: z
      .enum(['optional', 'required'])
      .default('optional')
      .describe(
        'optional = a unit, currency or percent sign that one side leaves out does not matter',
      ),
  })
  .prefault({})
  .describe('Kinds auto, math and number');

const choice = z
  .strictObject({
    options: z
      .record(z.string(), z.string())
      .nullable()
      .default(null)
      .describe('Text of each option by its letter; null = not known'),
    several: flag(false, 'Several letters may be right; their order does not matter'),
  })
  .prefault({})
  .describe('Kind choice');

const text = z
  .strictObject({
    exact: flag(false, 'Character by character'),
    case_matters: flag(false, 'Upper and lower case differ'),
    punctuation: z
      .enum(['matters', 'ignored'])
      .default('matters')
      .describe('Punctuation inside the text; a closing full stop never matters'),
  })
  .prefault({})
  .describe('Kind text');

const steps = z
  .strictObject({
    mode: z
      .enum(['last', 'all'])
      .default('last')
      .describe('last = only the last line counts; all = every line, in order'),
    inner: z.enum(innerKinds).default('auto').describe('Kind of the lines'),
  })
  .prefault({})
  .describe('Kind steps');

const code = z
  .strictObject({
    enabled: flag(
      false,
      'Programs of a model may be run here; read docs/guide/code-answers.md first',
    ),
    language: z.enum(codeLanguages).default(limits.language).describe('Language of the programs'),
    cpu_seconds: number(limits.cpuSeconds, 0.01, 'CPU time of one run, in seconds'),
    wall_ms: count(limits.wallMs, 1, 'Time of one run by the clock'),
    total_ms: count(limits.totalMs, 1, 'Time of all tests of one answer by the clock'),
    memory_mb: count(limits.memoryMb, 16, 'Memory of one run, in MiB'),
    output_kb: count(limits.outputKb, 1, 'Output of one run, in KiB'),
    python: z.string().min(1).default(limits.python).describe('The Python interpreter'),
  })
  .prefault({})
  .describe('Kind code');

/** How the answers to one prompt are judged. */
const judging = z.strictObject({
  kind: z
    .enum(verifierNames)
    .default('auto')
    .describe('Verifier; auto = mathematics, choice letters and text, by the form of the answer'),
  extract,
  math,
  choice,
  text,
  regex: z
    .strictObject({
      flags: z
        .string()
        .regex(/^[ims]*$/)
        .default('')
        .describe('Flags i, m, s'),
    })
    .prefault({})
    .describe('Kind regex'),
  steps,
  code,
  module: z
    .strictObject({
      path: optionalPathKey('Your TypeScript or JavaScript module'),
      export: z.string().min(1).default('default').describe('Name of the exported function'),
    })
    .prefault({})
    .describe('Kind module'),
  command: z
    .array(z.string())
    .default([])
    .describe('Kind command: the program and its arguments; JSON lines in, JSON lines out'),
  deadline_ms: count(1000, 1, 'A comparison that takes longer is undecided'),
  max_answer_chars: count(4096, 1, 'A longer answer is undecided'),
  max_response_chars: count(1_000_000, 1, 'Only so much of the end of a response is read'),
});

export const verify = judging
  .extend({
    sources: z
      .record(z.string(), ofSource(judging))
      .default({})
      .describe('Other settings for the prompts of a source, by its name; what is left out stays'),
    workers: count(0, 0, 'Threads of each verifier; 0 = two, or one on one core'),
  })
  .prefault({})
  .describe('Is an answer right?');

export type VerifySettings = z.output<typeof judging>;

/**
 * The settings for the prompts of `source`: its own, and those of all for what it leaves out. Groups are filled up key
 * by key; a list or a map is taken whole.
 */
export function settingsOfSource(
  { sources, workers: _, ...common }: z.output<typeof verify>,
  source: string,
): VerifySettings {
  if (!Object.hasOwn(sources, source)) return common;
  const own: Record<string, unknown> = sources[source];
  const filled = Object.entries(common).map(([key, value]) => [
    key,
    isGroup(value) && isGroup(own[key]) ? { ...value, ...own[key] } : (own[key] ?? value),
  ]);
  return judging.parse(Object.fromEntries(filled));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `group` with every key left out where it is not given: a default would hide what is set for all sources. */
function ofSource(group: z.ZodObject): z.ZodObject {
  const keys = Object.entries(group.shape).map(([name, key]) => [name, withoutDefault(key)]);
  return z.strictObject(Object.fromEntries(keys));
}

function withoutDefault(key: z.ZodType): z.ZodType {
  if (!(key instanceof z.ZodDefault || key instanceof z.ZodPrefault)) return key;
  const inner = key.unwrap();
  const bare = inner instanceof z.ZodObject ? ofSource(inner) : (inner as z.ZodType);
  return bare.optional().meta(key.meta() ?? {});
}
