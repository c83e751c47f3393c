// The hand-made test pairs (pairs/README.md): read, checked, and the verifier that each of them asks for.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.ts';
import type { VerifierSpec } from '../../src/verify/spec.ts';

const settings = z.strictObject({
  kind: z.enum(['choice', 'code', 'json', 'number', 'regex', 'steps', 'text']),
  tolerance: z
    .strictObject({ relative: z.number().optional(), absolute: z.number().optional() })
    .optional(),
  options: z.record(z.string(), z.string()).optional(),
  several: z.boolean().optional(),
  mode: z.enum(['last', 'all']).optional(),
  language: z.enum(['javascript', 'python']).optional(),
});

const pair = z.strictObject({
  id: z.string().regex(/^[a-z]+(-[a-z]+)*-\d{3}$/),
  gold: z.string().min(1),
  response: z.string(),
  expected: z.enum(['right', 'wrong']),
  why: z.string().regex(/\S/),
  verify: settings.optional(),
});

export type Pair = z.infer<typeof pair>;

const folder = fileURLToPath(new URL('./pairs/', import.meta.url));

/** All pairs, by file and line. UserError for a line that is no pair, or is of another category than its file. */
export function readPairs(): Pair[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  return files.sort().flatMap((file) => {
    const lines = readFileSync(folder + file, 'utf8')
      .trimEnd()
      .split('\n');
    return lines.map((line, index) => pairOf(line, file, index + 1));
  });
}

function pairOf(line: string, file: string, number: number): Pair {
  const where = `test/verify/pairs/${file}:${number}`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UserError({ wanted: 'one JSON object', found: line.slice(0, 80), where });
  }
  const parsed = pair.safeParse(value);
  if (!parsed.success) {
    throw new UserError({ wanted: 'a pair', found: z.prettifyError(parsed.error), where });
  }
  if (`${categoryOf(parsed.data)}.jsonl` !== file) {
    throw new UserError({ wanted: 'a pair of its own category', found: parsed.data.id, where });
  }
  return parsed.data;
}

/** The category of a pair, which is the name of its file. */
export function categoryOf({ id }: Pair): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** The verifier that a pair asks for. */
export function specOf({ verify }: Pair): VerifierSpec {
  if (verify === undefined) return { kind: 'auto' };
  const { kind, tolerance, options, several, mode, language } = verify;
  const spec: VerifierSpec = { kind };
  if (tolerance !== undefined) {
    spec.math = { tolerance: { relative: 0, absolute: 0, ...tolerance } };
  }
  if (kind === 'choice') spec.choice = { options: options ?? null, several: several ?? false };
  if (mode !== undefined) spec.steps = { mode };
  // Some programs never end: two seconds are enough for the others.
  if (language !== undefined) spec.code = { language, cpuSeconds: 2, enabled: true };
  return spec;
}
