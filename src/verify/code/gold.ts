// The tests of a prompt whose answer is a program. Reads our own form and those that common data sets have. Runs nothing.
import { z } from 'zod';

/** A run of the whole program: what it reads and what it must print. */
export interface Case {
  stdin: string;
  stdout: string;
}

/** Calls of one function. `gold` is the text they came from, where numbers still have all their digits. */
export interface Calls {
  function: string;
  inputs: readonly (string | readonly unknown[])[];
  outputs: readonly unknown[];
  gold: string;
}

/** All kinds that are there must pass. */
export interface Tests {
  cases: readonly Case[];
  /** Statements in the language of the program; '' where there are none. */
  assertions: string;
  /** The function that HumanEval's `check(candidate)` is called with. */
  entry?: string;
  calls?: Calls;
}

/** Most cases, calls or lines of assertions. */
const maxTests = 10_000;

const name = z.string().regex(/^[A-Za-z_$][\w$]{0,199}$/, 'a function name');
const text = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join('\n'))]);
const oneCase = z.union([
  z.object({ stdin: text.default(''), stdout: text }),
  z
    .object({ input: text, output: text })
    .transform(({ input, output }) => ({ stdin: input, stdout: output })),
]);
const cases = z.array(oneCase).max(maxTests);

const own = z
  .object({
    cases: cases.default([]),
    assertions: text.default(''),
    entry: name.optional(),
  })
  .refine(({ cases, assertions }) => cases.length > 0 || assertions.trim() !== '');

/** APPS, TACO, LiveCodeBench: with a function name the inputs are arguments, else what the program reads. */
const pairs = z
  .object({
    inputs: z.array(z.unknown()).min(1).max(maxTests),
    outputs: z.array(z.unknown()),
    fn_name: name.nullish(),
  })
  .refine(({ inputs, outputs }) => inputs.length === outputs.length);

const mbpp = z.object({
  test_list: z.array(z.string()).min(1),
  test_setup_code: z.string().default(''),
  test_imports: z.array(z.string()).default([]),
});

const humanEval = z.object({ test: z.string().min(1), entry_point: name });

const wanted =
  'the gold of a code prompt is its tests: {"cases": [{"stdin", "stdout"}], "assertions", "entry"}, ' +
  '{"inputs", "outputs", "fn_name"}, a list of assert lines, or assert lines';

/** The tests in `gold`, or why they cannot be read. */
export function readTests(gold: string): Tests | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(gold);
  } catch {
    return fromLines(gold);
  }
  return fromJson(value, gold) ?? { problem: `${wanted}; this one is JSON of another form` };
}

function fromLines(gold: string): Tests | { problem: string } {
  if (/\bassert\b/.test(gold)) return { cases: [], assertions: gold };
  return { problem: `${wanted}; this one is neither JSON nor assert lines` };
}

function fromJson(value: unknown, gold: string): Tests | undefined {
  if (typeof value === 'string') return value.includes('assert') ? assertions(value) : undefined;
  if (Array.isArray(value)) {
    const listed = z.array(z.string()).min(1).safeParse(value);
    if (listed.success) return assertions(listed.data.join('\n'));
    const read = cases.min(1).safeParse(value);
    return read.success ? { cases: read.data, assertions: '' } : undefined;
  }
  const paired = pairs.safeParse(value);
  if (paired.success) return fromPairs(paired.data, gold);
  const listed = mbpp.safeParse(value);
  if (listed.success) {
    const { test_imports, test_setup_code, test_list } = listed.data;
    return assertions([...test_imports, test_setup_code, ...test_list].join('\n'));
  }
  const checked = humanEval.safeParse(value);
  if (checked.success) return { ...assertions(checked.data.test), entry: checked.data.entry_point };
  const read = own.safeParse(value);
  return read.success ? read.data : undefined;
}

function assertions(lines: string): Tests {
  return { cases: [], assertions: lines };
}

function fromPairs(
  { inputs, outputs, fn_name }: z.infer<typeof pairs>,
  gold: string,
): Tests | undefined {
  if (fn_name == null) {
    const read = cases.safeParse(inputs.map((input, index) => ({ input, output: outputs[index] })));
    return read.success ? { cases: read.data, assertions: '' } : undefined;
  }
  const given = z.array(z.union([z.string(), z.array(z.unknown())])).safeParse(inputs);
  if (!given.success) return undefined;
  const calls = { function: fn_name, inputs: given.data, outputs, gold };
  return { cases: [], assertions: '', calls };
}
