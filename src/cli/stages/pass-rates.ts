/** Pass rates that were measured elsewhere with the answers at hand: what the oracle of a benchmark ranks by. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';

const row = z.object({ id: z.string(), right: z.int().min(0), samples: z.int().min(1) });

/** Pass rates 0..1 by prompt, of a JSONL file with `id`, `right` and `samples`; empty where there is no file. */
export function readPassRates(path: string | null): Map<string, number> {
  if (path === null) return new Map();
  const lines = readFileSync(path, 'utf8').split('\n');
  return new Map(
    lines.flatMap((line, i) => {
      if (line.trim() === '') return [];
      const { id, right, samples } = parsed(line, `${path}:${i + 1}`);
      return [[id, right / samples] as const];
    }),
  );
}

function parsed(line: string, where: string): z.output<typeof row> {
  const wanted = '{"id": "...", "right": 3, "samples": 16}';
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new UserError({ wanted, found: line.slice(0, 80), where }, { cause: error });
  }
  const result = row.safeParse(json);
  if (result.success && result.data.right <= result.data.samples) return result.data;
  throw new UserError({ wanted, found: line.slice(0, 80), where });
}
