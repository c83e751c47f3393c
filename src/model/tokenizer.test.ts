import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { type ChatMessage, encodePrompt, loadChatTemplate } from './chat-template.ts';
import { parseDecoderConfig } from './config.ts';
import { loadTokenizer } from './tokenizer.ts';

const root = mkdtempSync(join(tmpdir(), 'tokenizer-'));
afterAll(() => rmSync(root, { recursive: true }));
const golden = (name: string) =>
  fileURLToPath(new URL(`../../test/golden/tokenizers/${name}`, import.meta.url));
let count = 0;

/** A copy of a golden tokenizer directory with further (or other) files. */
function variant(name: string, files: Record<string, unknown>): string {
  count += 1;
  const directory = join(root, String(count));
  cpSync(golden(name), directory, { recursive: true });
  for (const [file, value] of Object.entries(files)) {
    writeFileSync(join(directory, file), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return directory;
}

interface Golden {
  vocab_size: number;
  texts: {
    text: string;
    ids: number[];
    plain_ids: number[];
    decoded: string;
    decoded_all: string;
  }[];
  chats: { messages: ChatMessage[]; text: string }[];
}

describe.each(['bytes', 'metaspace'])('%s tokenizer against Python', (name) => {
  const want = JSON.parse(readFileSync(join(golden(name), 'golden.json'), 'utf8')) as Golden;
  const tokenizer = loadTokenizer(golden(name));

  it.each(want.texts)('$text', ({ text, ids, plain_ids, decoded, decoded_all }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(plain_ids);
    expect(tokenizer.decode(Int32Array.from(ids))).toBe(decoded);
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(decoded_all);
  });

  it('knows its size', () => {
    expect(tokenizer.vocabSize).toBe(want.vocab_size);
  });

  it('gives back any text', () => {
    // U+2581 is how one of them writes a space.
    const writable = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u2581'));
    fc.assert(
      fc.property(writable, (text) => {
        const back = tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: false }));
        expect(back).toBe(name === 'bytes' ? text.normalize('NFC') : text);
      }),
    );
  });

  it.each(want.chats)('chat $#', ({ messages, text }) => {
    const template = loadChatTemplate(golden(name));
    expect(template.render(messages)).toEqual({ text, addSpecialTokens: false });
    expect(encodePrompt(tokenizer, template, messages)).toEqual(
      tokenizer.encode(text, { addSpecialTokens: false }),
    );
    expect(encodePrompt(tokenizer, template, 'plain')).toEqual(tokenizer.encode('plain'));
  });
});

describe('tokens', () => {
  it('pieces for display add up to the text', () => {
    for (const name of ['bytes', 'metaspace']) {
      const tokenizer = loadTokenizer(golden(name));
      const ids = tokenizer.encode('x 17 + 28: 7', { addSpecialTokens: false });
      expect(ids.map(tokenizer.tokenText).join('').trimStart()).toBe('x 17 + 28: 7');
    }
    const tokenizer = loadTokenizer(golden('bytes'));
    expect(tokenizer.tokenText(2)).toBe('<|im_end|>');
    expect(tokenizer.tokenText(9999)).toBe('[9999]');
  });

  it('ids that no token has are left out of a text', () => {
    const tokenizer = loadTokenizer(golden('bytes'));
    const ids = tokenizer.encode('answer: 45');
    expect(tokenizer.decode([...ids, 5000, 2])).toBe('answer: 45');
    expect(tokenizer.decode([])).toBe('');
  });

  it('ends: generation_config.json, then config.json, then the eos token', () => {
    expect(loadTokenizer(golden('bytes'))).toMatchObject({ eosIds: [2], padId: 0, bosId: null });
    expect(loadTokenizer(golden('metaspace'))).toMatchObject({ eosIds: [2], padId: 2, bosId: 1 });
    const config = { 'config.json': { eos_token_id: 0, pad_token_id: -1 } };
    expect(loadTokenizer(variant('bytes', config)).eosIds).toEqual([0]);
    const both = { ...config, 'generation_config.json': { eos_token_id: [2, 0, 2] } };
    expect(loadTokenizer(variant('bytes', both)).eosIds).toEqual([2, 0]);
  });
});

describe('what is refused', () => {
  const config = (vocabSize: number) =>
    parseDecoderConfig({ model_type: 'qwen2', vocab_size: vocabSize }, 'config.json');

  it('a tokenizer that does not fit the model', () => {
    const tokenizer = loadTokenizer(golden('bytes'));
    expect(() => tokenizer.checkFits(config(tokenizer.vocabSize))).not.toThrow();
    expect(() => tokenizer.checkFits(config(tokenizer.vocabSize - 1))).toThrow(UserError);
    expect(() => tokenizer.checkFits(config(100))).toThrow(/tokenizer\.json.*vocab_size 100/);
  });

  it('a missing, broken or foreign tokenizer.json', () => {
    expect(() => loadTokenizer(root)).toThrow(UserError);
    for (const content of ['{"model":', '{}', '3', '{"model": {"type": "Quantum"}}']) {
      const directory = variant('bytes', { 'tokenizer.json': content });
      expect(() => loadTokenizer(directory)).toThrow(UserError);
      expect(() => loadTokenizer(directory)).toThrow(/tokenizer\.json/);
    }
  });

  it('special tokens around a text that are no tokens', () => {
    const special = { SpecialToken: { id: '<s>', type_id: 0 } };
    const tokenizer = {
      version: '1.0',
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: {
        type: 'TemplateProcessing',
        single: [special, { Sequence: { id: 'A', type_id: 0 } }],
        pair: [],
        special_tokens: {},
      },
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [], ignore_merges: false },
    };
    const loaded = loadTokenizer(variant('bytes', { 'tokenizer.json': tokenizer }));
    expect(loaded.encode('ab', { addSpecialTokens: false })).toEqual([0, 1]);
    expect(() => loaded.encode('ab')).toThrow(UserError);
    expect(() => loaded.encode('ab')).toThrow(/"<s>" in "ab"/);
  });
});

describe('chat templates', () => {
  const messages = [{ role: 'user', content: 'Hi' }];

  it('chat_template.jinja wins over tokenizer_config.json; a named list has its default', () => {
    const file = variant('bytes', { 'chat_template.jinja': 'J {{ messages[0].content }}' });
    expect(loadChatTemplate(file).render(messages).text).toBe('J Hi');
    const list = [
      { name: 'tool_use', template: 'T' },
      { name: 'default', template: 'D {{ eos_token }}{{ flavour }}' },
    ];
    const settings = { eos_token: { content: '<e>' }, chat_template: list };
    const named = variant('bytes', { 'tokenizer_config.json': settings });
    expect(loadChatTemplate(named, { flavour: '!' }).render(messages).text).toBe('D <e>!');
    const legacy = variant('bytes', { 'chat_template.json': { chat_template: 'L' } });
    expect(loadChatTemplate(legacy).render(messages).text).toBe('L');
  });

  it('messages without a template are refused, text is not', () => {
    const template = loadChatTemplate(root);
    expect(template.present).toBe(false);
    expect(() => template.render(messages)).toThrow(UserError);
    expect(template.render('as it is {{')).toEqual({ text: 'as it is {{', addSpecialTokens: true });
  });

  it('raise_exception and broken templates are errors that say where', () => {
    const template = loadChatTemplate(golden('metaspace'));
    const wrong = [{ role: 'assistant', content: 'x' }];
    expect(() => template.render(wrong)).toThrow(UserError);
    expect(() => template.render(wrong)).toThrow(/tokenizer_config\.json.*Roles must alternate/);
    const broken = variant('bytes', { 'chat_template.jinja': '{% for %}' });
    expect(() => loadChatTemplate(broken)).toThrow(/chat_template\.jinja/);
  });

  it('a date in a template is the same on any day', () => {
    const directory = variant('bytes', { 'chat_template.jinja': "{{ strftime_now('%d %b %Y') }}" });
    expect(loadChatTemplate(directory).render(messages).text).toBe('26 Jul 2024');
  });
});

it('digits of any script are cut apart, as Hugging Face cuts them', () => {
  const path = join(golden('bytes'), 'tokenizer.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as {
    model: { vocab: Record<string, number>; merges: string[][] };
  };
  // A space with the first byte of an Arabic digit, as the tokenizer of SmolLM2 has it.
  json.model.vocab['\u0120\u00d9'] = 320;
  json.model.merges.push(['\u0120', '\u00d9']);
  const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
  const digits = { type: 'Digits', individual_digits: true };
  const cut = (pretokenizers: object[]) => {
    const own = { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers } };
    return loadTokenizer(variant('bytes', { 'tokenizer.json': own })).encode('1 \u0663');
  };
  expect(cut([bytes])).toContain(320);
  expect(cut([digits, bytes])).not.toContain(320);
});
