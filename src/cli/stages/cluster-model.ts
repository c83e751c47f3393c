/** The model as workers load it, and prompts as it reads them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { adapterBase } from '../../model/adapter-config.ts';
import { type ChatTemplate, encodePrompt, loadChatTemplate } from '../../model/chat-template.ts';
import { loadConfig } from '../../model/directory.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import type { Prompt } from '../../pool/types.ts';
import type { GivenPrompt } from '../../train/given.ts';
import type { Config } from '../config.ts';

/** The directory that transformers loads. UserError for adapters and GGUF files. */
export function clusterModel(model: string): string {
  if (existsSync(join(model, 'config.json')) && adapterBase(model) === undefined) return model;
  throw new UserError({
    wanted:
      'a Hugging Face model directory with weights of its own, which all nodes see under this path',
    found: 'something else',
    where: model,
    fix: 'Workers read no GGUF files and no adapters: merge them into a directory first.',
  });
}

/** The chat template of the model, and prompts as they go into it. */
export function chatWrapped({ model, rollout }: Config): {
  template: ChatTemplate;
  wrap: (prompt: GivenPrompt) => GivenPrompt;
} {
  const template = loadChatTemplate(model);
  const wraps = rollout.chat === 'auto' && template.present;
  const wrap = (prompt: GivenPrompt) =>
    typeof prompt === 'string' && wraps ? [{ role: 'user', content: prompt }] : prompt;
  return { template, wrap };
}

/**
 * Token ids of prompts, as sampling in this process takes them; `longest` are the tokens that their responses need.
 * UserError where there is no room for these, or the first tokens are cut off (rollout.long_prompts).
 */
export function promptEncoder(config: Config): (prompt: Prompt, longest: number) => number[] {
  const { maxPositions } = loadConfig(config.model);
  const tokenizer = loadTokenizer(config.model);
  const { template, wrap } = chatWrapped(config);
  return ({ id, prompt }, longest) => {
    const tokens = encodePrompt(tokenizer, template, wrap(prompt));
    const room = maxPositions - longest;
    if (tokens.length > 0 && tokens.length <= room) return tokens;
    if (tokens.length > 0 && room > 0 && config.rollout.long_prompts === 'cut')
      return tokens.slice(-room);
    throw new UserError({
      wanted: `a prompt of 1 to ${room} tokens (context ${maxPositions} less ${longest} for the response)`,
      found: `${tokens.length} tokens`,
      where: `prompt ${id}`,
      fix: 'Lower rollout.max_tokens, leave the prompt out, or set rollout.long_prompts to cut.',
    });
  };
}
