import { afterAll, expect, it } from 'vitest';
import { type TinyModel, tinyModel } from '../../test/reference/tiny-directory.ts';
import { encodePrompt, loadChatTemplate } from '../model/chat-template.ts';
import { Representer } from '../model/represent.ts';
import { Policy } from './policy.ts';

const model: TinyModel = tinyModel();
const policy = new Policy({
  model: model.directory,
  engine: { provider: 'cpu', threads: 1 },
  batchSize: 4,
  chat: 'auto',
  optimizer: null,
  tokensPerMicroBatch: 512,
});
afterAll(async () => {
  await policy.close();
  model.remove();
});

/** Tokens of a plain prompt as the user's turn of a chat. */
function asUser(content: string): Int32Array {
  const template = loadChatTemplate(model.directory);
  return Int32Array.from(encodePrompt(model.tokenizer, template, [{ role: 'user', content }]));
}

it('pools prompts as it would feed them', async () => {
  const prompts = ['3 + 4 = ', '12 * 5'];
  const texts = prompts.map((prompt) => ({ tokens: asUser(prompt), from: 0 }));
  const direct = new Representer(model.config, model.weights, { provider: 'cpu', threads: 1 }, 512);
  expect(await policy.promptFeatures(prompts)).toEqual(await direct.represent(texts, 'last'));
  expect(await policy.represent(texts, 'all')).toEqual(await direct.represent(texts, 'all'));
  await direct.release();
});

it('keeps the end of a prompt that is longer than the context', async () => {
  const long = Array.from({ length: 300 }, (_, i) => String(i % 10)).join(' ');
  const tokens = asUser(long);
  const kept = tokens.slice(-model.config.maxPositions);
  expect(kept.length).toBeLessThan(tokens.length);
  const [features] = await policy.promptFeatures([long]);
  const [want] = await policy.represent([{ tokens: kept, from: 0 }], 'last');
  expect(features).toEqual(want);
});
