/** Tokenizers of GGUF files against the Python library, by way of the golden tokenizer directories. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { randomWeights, tinyConfig } from '../../test/reference/models.ts';
import { encodePrompt, loadChatTemplate } from './chat-template.ts';
import { loadWeights, saveWeights } from './directory.ts';
import { openGguf } from './gguf-file.ts';
import {
  bool,
  type Metadata,
  modelMetadata,
  modelTensors,
  text,
  texts,
  u32,
  writeGguf,
} from './testing/gguf-writer.ts';
import { goldenMetadata, readGolden } from './testing/golden-gguf.ts';
import { loadTokenizer } from './tokenizer.ts';

const root = mkdtempSync(join(tmpdir(), 'gguf-tokenizer-'));
afterAll(() => rmSync(root, { recursive: true }));

const messages = z.array(z.object({ role: z.string(), content: z.string() }));
const goldenSchema = z.object({
  texts: z.array(
    z.object({
      ...{ text: z.string(), ids: z.array(z.int()), plain_ids: z.array(z.int()) },
      ...{ decoded: z.string(), decoded_all: z.string() },
    }),
  ),
  chats: z.array(z.object({ messages, text: z.string() })),
});
function modelOf(own: Metadata, file: string): string {
  const config = tinyConfig('llama', { vocab_size: 400 });
  const path = join(root, file);
  const weights = randomWeights(config, 2);
  writeGguf(path, { ...modelMetadata('llama', config), ...own }, modelTensors(config, weights));
  return path;
}

describe.each(['bytes', 'metaspace'] as const)('%s', (name) => {
  const golden = readGolden(name, 'golden.json', goldenSchema);
  const path = modelOf(goldenMetadata(name), `${name}.gguf`);
  const tokenizer = loadTokenizer(path);

  it.each(golden.texts)('$text', ({ text, ids, plain_ids, decoded, decoded_all }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(plain_ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(decoded_all);
  });

  it('the chat template and the ids that end a text come along', () => {
    const template = loadChatTemplate(path);
    for (const chat of golden.chats) expect(template.render(chat.messages).text).toBe(chat.text);
    expect(tokenizer.eosIds).toEqual(loadTokenizer(goldenFolder(name)).eosIds);
    expect(tokenizer.bosId).toBe(name === 'bytes' ? null : 1);
  });

  it('what is saved from it is a Hugging Face directory with the same tokens and weights', () => {
    const directory = join(root, `${name}-saved`);
    const { config, weights, dtypes } = loadWeights(path);
    saveWeights(directory, config, weights, { dtype: dtypes, from: path });
    const saved = loadWeights(directory);
    expect({ ...saved.config, raw: {} }).toEqual({ ...config, raw: {} });
    for (const [key, values] of weights) expect(saved.weights.get(key)).toEqual(values);
    const chat = golden.chats[0].messages;
    const own = encodePrompt(tokenizer, loadChatTemplate(path), chat);
    expect(encodePrompt(loadTokenizer(directory), loadChatTemplate(directory), chat)).toEqual(own);
  });
});

const goldenFolder = (name: string): string =>
  new URL(`../../test/golden/tokenizers/${name}`, import.meta.url).pathname;

function wordsOf(own: Metadata): { tokens: string[]; merges: string[] } {
  const list = (key: string) => {
    const entry = own[`tokenizer.ggml.${key}`];
    return 'list' in entry ? entry.list.map(String) : [];
  };
  return { tokens: list('tokens'), merges: list('merges') };
}

describe('settings of the file', () => {
  const bytes = goldenMetadata('bytes');
  const load = (changes: Metadata) => loadTokenizer(modelOf({ ...bytes, ...changes }, 'one.gguf'));

  it('bos and eos go around a text where the file says so, and for Llama 3 by default', () => {
    const bos = { 'tokenizer.ggml.bos_token_id': u32(0) };
    const plain = load(bos).encode('carry 1');
    expect(load({ ...bos, 'tokenizer.ggml.add_bos_token': bool(true) }).encode('carry 1')).toEqual([
      0,
      ...plain,
    ]);
    const eos = { 'tokenizer.ggml.add_eos_token': bool(true) };
    expect(load(eos).encode('carry 1')).toEqual([...plain, 2]);
    const llama3 = { ...bos, 'tokenizer.ggml.pre': text('llama-bpe') };
    expect(load(llama3).encode('carry 1')[0]).toBe(0);
    const without = { ...llama3, 'tokenizer.ggml.add_bos_token': bool(false) };
    expect(load(without).encode('carry 1')[0]).not.toBe(0);
  });

  it('digits are cut as the family cuts them', () => {
    const { tokens, merges } = wordsOf(bytes);
    const merged = {
      'tokenizer.ggml.tokens': texts([...tokens, '12']),
      'tokenizer.ggml.merges': texts([...merges, '1 2']),
      'tokenizer.ggml.token_type': { kind: 'i32', list: [...tokens, '12'].map(() => 1) },
    } as const;
    const pieces = (pre: string) =>
      load({ ...merged, 'tokenizer.ggml.pre': text(pre) }).encode('12').length;
    expect(['gpt-2', 'smollm', 'llama-bpe', 'qwen2'].map(pieces)).toEqual([1, 2, 1, 2]);
  });

  it.each<[string, Metadata]>([
    ['gpt2 or llama', { 'tokenizer.ggml.model': text('bert') }],
    ['one of gpt-2, smollm', { 'tokenizer.ggml.pre': text('tekken') }],
    [
      'every token once',
      {
        'tokenizer.ggml.tokens': texts(['a', 'a']),
        'tokenizer.ggml.token_type': { kind: 'i32', list: [1, 1] },
      },
    ],
    ['a list of texts', { 'tokenizer.ggml.merges': u32(3) }],
    ['an id below', { 'tokenizer.ggml.eos_token_id': u32(4000) }],
    ['a score for every token', { 'tokenizer.ggml.model': text('llama') }],
  ])('refuses what is not %s', (wanted, changes) => {
    expect(() => load(changes)).toThrow(wanted);
  });
});

it('the header is read as @huggingface/gguf reads it', async () => {
  const path = modelOf(goldenMetadata('metaspace'), 'header.gguf');
  const other = await gguf(path, { allowLocalFile: true });
  const file = openGguf(path);
  const values = new Map<string, unknown>(Object.entries(other.metadata));
  for (const [key, value] of file.metadata) expect(values.get(key)).toEqual(value);
  for (const info of other.tensorInfos) {
    const { shape, type, begin } = file.tensors.get(info.name) ?? {
      shape: [],
      type: -1,
      begin: -1,
    };
    expect([...shape].reverse()).toEqual(info.shape.map(Number));
    expect(type).toBe(info.dtype);
    expect(begin).toBe(Number(other.tensorDataOffset) + Number(info.offset));
  }
  expect(file.tensors.size).toBe(other.tensorInfos.length);
  file.close();
});
