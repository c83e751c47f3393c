/** Responses from a file as token ids, for workers that trace them. Reads the tokenizer alone: the weights may be too large for here. */
import { loadConfig } from '../../model/directory.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import type { Place, Prompt } from '../../pool/types.ts';
import { GivenTexts } from '../../train/given.ts';
import type { Config } from '../config.ts';
import { chatWrapped } from './cluster-model.ts';
import { roomOf } from './given-backends.ts';
import { givenRows, PromptMatcher, SampleNumbers } from './given-rows.ts';

/** A response that is there already. */
export interface GivenResponse {
  sample: number;
  /** At least one. */
  tokens: Int32Array;
  text: string;
  finish: 'stop' | 'length';
}

export interface GivenFile {
  /** By prompt id. */
  responses: Map<string, GivenResponse[]>;
  rejects: { at: Place; reason: string }[];
}

/** All responses in `file` to prompts of the pool, in memory; lines that are none, or cannot be traced, with the reason. */
export async function readGivenFile(
  config: Config,
  prompts: readonly Prompt[],
  file: string,
): Promise<GivenFile> {
  const { template, wrap } = chatWrapped(config);
  const texts = new GivenTexts({
    ...{ config: loadConfig(config.model), tokenizer: loadTokenizer(config.model) },
    ...{ template, wrap, weights: new Map(), engine: { provider: 'cpu', threads: 1 } },
  });
  const numbers = new SampleNumbers();
  const responses = new Map<string, GivenResponse[]>();
  const rejects: GivenFile['rejects'] = [];
  const refuse = (at: Place, reason: string) => void rejects.push({ at, reason });
  const rows = givenRows(file, new PromptMatcher(prompts), config.pool.max_line_bytes, refuse);
  for await (const { at, prompt, response } of rows) {
    const read = texts.read({ ...response, prompt: prompt.prompt }, roomOf(config));
    const sample = 'reason' in read ? null : numbers.take(prompt.id, response.sample);
    if ('reason' in read) refuse(at, read.reason);
    else if (sample === null) refuse(at, `sample ${response.sample} came before`);
    else {
      const one = { sample, ...read, finish: response.finish };
      responses.set(prompt.id, [...(responses.get(prompt.id) ?? []), one]);
    }
  }
  return { responses, rejects };
}
