/** SmolLM2-135M-Instruct from its GGUF file: weights, tokens, greedy texts and traces. */
import { join } from 'node:path';
import { encodePrompt, loadChatTemplate } from '../../src/model/chat-template.ts';
import type { DecoderConfig } from '../../src/model/config.ts';
import { loadWeights, saveWeights } from '../../src/model/directory.ts';
import { loadTokenizer } from '../../src/model/tokenizer.ts';
import { Sampler } from '../../src/rollout/sampler.ts';
import { ENGINE } from './engine.ts';
import type { Result } from './parity.ts';
import type { Answers, Job } from './python.ts';
import { compareTrace, SAMPLING, type Traced, traceBothWays } from './signals.ts';
import { SIGNALS } from './small.ts';
import { CHATS, LONG, PLAIN, TEXTS } from './texts.ts';

const COUNT = 64;
const GREEDY = { ...SAMPLING, temperature: 0, maxTokens: COUNT };

interface RealModel {
  gguf: string;
  /** The Hugging Face directory that we make of the file. */
  directory: string;
  config: DecoderConfig;
  prompts: number[][];
  /** Greedy responses. */
  responses: number[][];
  tokens: { ids: number[][]; decoded: string[]; chats: string[]; chatIds: number[][] };
  special: (number | null)[];
  traced: { trace: Traced; path: string }[];
}

export async function prepareReal(folder: string, gguf: string): Promise<RealModel> {
  const { config, weights } = loadWeights(gguf);
  const directory = join(folder, 'smollm2');
  saveWeights(directory, config, weights, { dtype: 'float32', from: gguf });
  const tokenizer = loadTokenizer(gguf);
  const template = loadChatTemplate(gguf);
  const encode = (prompt: Parameters<typeof encodePrompt>[2]) =>
    encodePrompt(tokenizer, template, prompt);
  const prompts = [...CHATS, ...PLAIN].map(encode);
  // Whatever ends a text: transformers is asked for 64 tokens too.
  const endless = { ...tokenizer, eosIds: [] };
  const sampler = new Sampler(config, weights, endless, { engine: ENGINE, batchSize: 20 });
  const rollouts = await sampler.generate(
    prompts.map((promptTokens, i) => ({ promptId: `p${i}`, sample: 0, promptTokens })),
    GREEDY,
  );
  const toTrace = [prompts[3], encode([{ role: 'user', content: LONG }])];
  const traces = await traceBothWays(config, weights, endless, toTrace, GREEDY);
  const ids = TEXTS.map((text) => tokenizer.encode(text));
  const chats = CHATS.map((chat) => template.render(chat).text);
  return {
    ...{ gguf, directory, config, prompts },
    responses: rollouts.map(({ tokens }) => [...tokens]),
    tokens: {
      ids,
      decoded: ids.map((one) => tokenizer.decode(one, { skipSpecialTokens: false })),
      chats,
      chatIds: chats.map((text) => tokenizer.encode(text, { addSpecialTokens: false })),
    },
    special: [tokenizer.bosId, tokenizer.eosIds[0] ?? null, tokenizer.padId],
    traced: traces.map((trace, i) => ({
      trace,
      path: join(folder, `smollm2.${i}.attention.safetensors`),
    })),
  };
}

export function realJob({ gguf, directory, prompts, traced }: RealModel): Job {
  return {
    saved: [],
    tokens: [{ directory, texts: TEXTS, chats: CHATS }],
    gguf: [{ gguf, saved: directory }],
    greedy: [{ directory, prompts, count: COUNT }],
    attentions: [{ directory, texts: traced.map(({ trace, path }) => ({ ids: trace.ids, path })) }],
  };
}

export function realResults(model: RealModel, answers: Answers): Result[] {
  const [weights] = answers.gguf;
  const [tokens] = answers.tokens;
  const [greedy] = answers.greedy;
  const apart = greedy.flatMap(({ ids, gaps }, i) => {
    const at = ids.findIndex((id, t) => id !== model.responses[i][t]);
    if (at === -1) return [];
    console.log(
      `prompt ${i} differs at token ${at}, where the two best logits are ${gaps[at]} apart`,
    );
    return [i];
  });
  const closest = Math.min(...greedy.flatMap(({ gaps }) => gaps));
  const count = (name: string, found: readonly unknown[], wanted: readonly unknown[]): Result => ({
    ...{ name: `SmolLM2: ${name}`, detail: `${wanted.length} compared` },
    worst: differing(found, wanted),
    limit: 0,
  });
  return [
    {
      ...{ name: 'SmolLM2: dequantised weights', detail: 'against its own reading of GGUF' },
      ...{ worst: weights.missing === 0 ? weights.worst : Infinity, limit: 0 },
    },
    count('tokens of texts', model.tokens.ids, tokens.ids),
    count('texts of tokens', model.tokens.decoded, tokens.decoded),
    count('chats', model.tokens.chats, tokens.chats),
    count('tokens of chats', model.tokens.chatIds, tokens.chat_ids),
    count('special tokens', model.special, tokens.special),
    {
      name: `SmolLM2: greedy, ${greedy.length} prompts, ${COUNT} tokens`,
      detail: `closest choice ${closest.toExponential(1)}`,
      ...{ worst: apart.length, limit: 0 },
    },
    ...model.traced.flatMap(({ trace, path }) =>
      [...compareTrace(model.config, trace, path)].map(
        ([name, worst]): Result => ({
          name: `SmolLM2, ${trace.ids.length} tokens: ${name}`,
          detail: `${model.config.layers * model.config.heads} heads`,
          ...{ worst, limit: name === 'decode logprob' ? 2 * SIGNALS : SIGNALS },
        }),
      ),
    ),
  ];
}

/** How many of a list are not the same as their counterpart. */
function differing(found: readonly unknown[], wanted: readonly unknown[]): number {
  const others = wanted.filter((one, i) => JSON.stringify(one) !== JSON.stringify(found[i]));
  return others.length + Math.abs(found.length - wanted.length);
}
