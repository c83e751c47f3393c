/** The golden tokenizers as metadata of GGUF files, for tests. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Metadata, text, texts, u32 } from './gguf-writer.ts';

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ id: z.int(), content: z.string() })),
  model: z.object({
    vocab: z.record(z.string(), z.int()),
    merges: z.array(z.tuple([z.string(), z.string()])),
  }),
});

/** A JSON file of a golden tokenizer directory. */
export function readGolden<T>(name: string, file: string, schema: z.ZodType<T>): T {
  const url = new URL(`../../../test/golden/tokenizers/${name}/${file}`, import.meta.url);
  return schema.parse(JSON.parse(readFileSync(url, 'utf8')));
}

const CONTROL = 3;
const BYTE = 6;

/** The metadata of a golden tokenizer as llama.cpp would write it. */
export function goldenMetadata(name: 'bytes' | 'metaspace'): Metadata {
  const { added_tokens: added, model } = readGolden(name, 'tokenizer.json', tokenizerSchema);
  const settings = readGolden(
    name,
    'tokenizer_config.json',
    z.object({ chat_template: z.string(), eos_token: z.string() }),
  );
  const ids = new Map(Object.entries(model.vocab));
  for (const { id, content } of added) ids.set(content, id);
  const tokens = [...ids].sort(([, a], [, b]) => a - b).map(([token]) => token);
  const special = new Set(added.map(({ content }) => content));
  const kind = (token: string) =>
    special.has(token) ? CONTROL : /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : 1;
  const rank = new Map(model.merges.map((pair, i) => [pair.join(''), i]));
  return {
    'tokenizer.ggml.tokens': texts(tokens),
    'tokenizer.ggml.token_type': { kind: 'i32', list: tokens.map(kind) },
    'tokenizer.ggml.eos_token_id': u32(tokens.indexOf(settings.eos_token)),
    'tokenizer.chat_template': text(settings.chat_template),
    ...(name === 'bytes'
      ? {
          'tokenizer.ggml.model': text('gpt2'),
          'tokenizer.ggml.pre': text('qwen2'),
          'tokenizer.ggml.merges': texts(model.merges.map((pair) => pair.join(' '))),
        }
      : {
          'tokenizer.ggml.model': text('llama'),
          'tokenizer.ggml.scores': {
            kind: 'f32',
            list: tokens.map((token) => -(rank.get(token) ?? 1e4)),
          },
          'tokenizer.ggml.bos_token_id': u32(1),
          'tokenizer.ggml.unknown_token_id': u32(0),
        }),
  };
}
