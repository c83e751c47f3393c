/**
 * The tokenizer of a GGUF file as the tokenizer.json and tokenizer_config.json that a Hugging Face directory
 * of the model would have.
 *
 * Two kinds are understood: byte-level BPE (`gpt2`) with the ways of cutting texts that the supported
 * families use, and the BPE of SentencePiece (`llama`). Anything else is refused by name.
 */
import { UserError } from '../core/errors.ts';
import type { GgufFile, GgufValue } from './gguf-file.ts';

/** Kinds of tokens, as numbered in the file. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const UNUSED = 5;
const BYTE = 6;

/** The regular expressions with which GPT-4 and its followers cut a text; digits in groups of at most `digits`. */
const wordPattern = (digits: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const byteLevel = (regex: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});

const cutBy = (pattern: string): object => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});

interface Cut {
  /** Pre-tokenizer of tokenizer.json. */
  pre: object;
  normalizer: object | null;
  /** A whole word that is a token is taken without merging. */
  ignoreMerges: boolean;
  /** Whether a text starts with the bos token where the file does not say. */
  bos: boolean;
}

const GPT2: Cut = { pre: byteLevel(true), normalizer: null, ignoreMerges: false, bos: false };
const LLAMA3: Cut = {
  pre: cutBy(wordPattern('{1,3}')),
  normalizer: null,
  ignoreMerges: true,
  bos: true,
};
const QWEN2: Cut = {
  ...{ pre: cutBy(wordPattern('')), normalizer: { type: 'NFC' }, ignoreMerges: false, bos: false },
};
const SMOLLM: Cut = {
  ...GPT2,
  pre: {
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
  },
};

/** By `tokenizer.ggml.pre`. */
const CUTS: Record<string, Cut> = {
  'gpt-2': GPT2,
  smollm: SMOLLM,
  'llama-bpe': LLAMA3,
  llama3: LLAMA3,
  'llama-v3': LLAMA3,
  qwen2: QWEN2,
  'deepseek-r1-qwen': QWEN2,
};

export interface GgufTokenizer {
  tokenizer: object;
  /** tokenizer_config.json, with the chat template where the file has one. */
  settings: object;
}

/** Both files of the tokenizer. UserError where it is missing or of a kind that is not understood. */
export function ggufTokenizer(file: GgufFile): GgufTokenizer {
  const words = new Words(file);
  const kind = file.metadata.get('tokenizer.ggml.model');
  if (kind === 'gpt2') return { tokenizer: byteBpe(words), settings: settingsOf(words) };
  if (kind === 'llama') return { tokenizer: sentencePiece(words), settings: settingsOf(words) };
  return words.refuse('tokenizer.ggml.model', 'gpt2 or llama', kind);
}

/** The vocabulary, checked. */
class Words {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
  private readonly file: GgufFile;

  constructor(file: GgufFile) {
    this.file = file;
    this.tokens = this.texts('tokenizer.ggml.tokens');
    const kinds = this.numbers('tokenizer.ggml.token_type');
    this.kinds = kinds ?? this.tokens.map(() => NORMAL);
    if (new Set(this.tokens).size !== this.tokens.length) {
      this.refuse('tokenizer.ggml.tokens', 'every token once', 'a token twice');
    }
  }

  refuse(key: string, wanted: string, found: unknown): never {
    const text = JSON.stringify(found) ?? 'nothing';
    throw new UserError({ wanted, found: text.slice(0, 80), where: `${this.file.path}, ${key}` });
  }

  get(key: string): GgufValue | undefined {
    return this.file.metadata.get(key);
  }

  texts(key: string): readonly string[] {
    const value = this.get(key);
    const isTexts = Array.isArray(value) && value.every((one) => typeof one === 'string');
    return isTexts ? value : this.refuse(key, 'a list of texts', value);
  }

  /** One number for every token; undefined where there is no such key. */
  numbers(key: string): readonly number[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const isNumbers = Array.isArray(value) && value.every((one) => typeof one === 'number');
    if (isNumbers && value.length === this.tokens.length) return value;
    return this.refuse(key, `${this.tokens.length} numbers`, value);
  }

  flag(key: string): boolean | undefined {
    const value = this.get(`tokenizer.ggml.${key}`);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.refuse(`tokenizer.ggml.${key}`, 'true or false', value);
  }

  /** Id of a special token; undefined where there is none. */
  id(name: string): number | undefined {
    const key = `tokenizer.ggml.${name}_token_id`;
    const value = this.get(key);
    if (value === undefined || value === 0xffffffff || value === -1) return undefined;
    if (typeof value === 'number' && this.tokens[value] !== undefined) return value;
    return this.refuse(key, `an id below ${this.tokens.length}`, value);
  }

  /** id by token; without those that only fill the table. */
  vocabulary(): Record<string, number> {
    const all = [...this.tokens.entries()].filter(([id]) => this.kinds[id] !== UNUSED);
    return Object.fromEntries(all.map(([id, token]) => [token, id]));
  }

  /** Tokens that are found in a text before it is cut. */
  added(): object[] {
    return [...this.tokens.entries()]
      .filter(([id]) => ![NORMAL, UNUSED, BYTE].includes(this.kinds[id]))
      .map(([id, content]) => ({
        ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
        special: this.kinds[id] === CONTROL || this.kinds[id] === UNKNOWN,
      }));
  }
}

function byteBpe(words: Words): object {
  const pre = words.get('tokenizer.ggml.pre');
  const cut = typeof pre === 'string' && Object.hasOwn(CUTS, pre) ? CUTS[pre] : undefined;
  if (cut === undefined) {
    return words.refuse('tokenizer.ggml.pre', `one of ${Object.keys(CUTS).join(', ')}`, pre);
  }
  const merges = words.texts('tokenizer.ggml.merges').map((text) => {
    const space = text.indexOf(' ', 1); // the first piece is never empty
    return [text.slice(0, space), text.slice(space + 1)];
  });
  return {
    ...frame(words),
    normalizer: cut.normalizer,
    pre_tokenizer: cut.pre,
    post_processor: around(words, words.flag('add_bos_token') ?? cut.bos),
    decoder: byteLevel(true),
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null },
      ...{ end_of_word_suffix: null, fuse_unk: false, byte_fallback: false },
      ignore_merges: cut.ignoreMerges,
      vocab: words.vocabulary(),
      merges,
    },
  };
}

/** Spaces are written as U+2581, and a text starts with one where the file says so (by default). */
function sentencePiece(words: Words): object {
  const prefix = words.flag('add_space_prefix') ?? true;
  const unknown = words.id('unknown') ?? 0;
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' };
  const texts = { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' };
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    ...frame(words),
    normalizer: {
      type: 'Sequence',
      normalizers: [...(prefix ? [{ type: 'Prepend', prepend: '\u2581' }] : []), spaces],
    },
    pre_tokenizer: null,
    post_processor: around(words, words.flag('add_bos_token') ?? true),
    decoder: {
      type: 'Sequence',
      decoders: [texts, { type: 'ByteFallback' }, { type: 'Fuse' }, ...(prefix ? [strip] : [])],
    },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: words.tokens[unknown] },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true },
      ...{ byte_fallback: true, ignore_merges: false },
      vocab: words.vocabulary(),
      merges: mergesOf(words),
    },
  };
}

/** Every way to put a token together from two others; the tokens with the highest scores first. */
function mergesOf(words: Words): string[][] {
  const scores = words.numbers('tokenizer.ggml.scores');
  if (scores === undefined) {
    return words.refuse('tokenizer.ggml.scores', 'a score for every token', undefined);
  }
  const normal = new Map<string, number>();
  for (const [id, token] of words.tokens.entries()) {
    if (words.kinds[id] === NORMAL) normal.set(token, id);
  }
  const found: { pair: string[]; score: number; left: number; right: number }[] = [];
  for (const [token, id] of normal) {
    const letters = Array.from(token);
    for (let at = 1; at < letters.length; at++) {
      const pair = [letters.slice(0, at).join(''), letters.slice(at).join('')];
      const left = normal.get(pair[0]);
      const right = normal.get(pair[1]);
      if (left !== undefined && right !== undefined) {
        found.push({ pair, score: scores[id], left, right });
      }
    }
  }
  found.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right);
  return found.map(({ pair }) => pair);
}

function frame(words: Words): object {
  return { version: '1.0', truncation: null, padding: null, added_tokens: words.added() };
}

/** Puts the bos token before a text and the eos token behind it, where the file asks for them. */
function around(words: Words, bos: boolean): object | null {
  const start = bos ? words.id('bos') : undefined;
  const end = words.flag('add_eos_token') === true ? words.id('eos') : undefined;
  if (start === undefined && end === undefined) return null;
  const piece = (id: number | undefined): object[] =>
    id === undefined ? [] : [{ SpecialToken: { id: words.tokens[id], type_id: 0 } }];
  const text = (name: string): object => ({ Sequence: { id: name, type_id: 0 } });
  const special = [start, end].flatMap((id) => {
    if (id === undefined) return [];
    const token = words.tokens[id];
    return [[token, { id: token, ids: [id], tokens: [token] }] as const];
  });
  return {
    type: 'TemplateProcessing',
    single: [...piece(start), text('A'), ...piece(end)],
    pair: [...piece(start), text('A'), ...piece(start), text('B'), ...piece(end)],
    special_tokens: Object.fromEntries(special),
  };
}

function settingsOf(words: Words): object {
  const named = (name: string, key: string): object => {
    const id = words.id(name);
    return id === undefined ? {} : { [key]: words.tokens[id] };
  };
  const template = words.get('tokenizer.chat_template');
  return {
    ...{ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false },
    ...named('bos', 'bos_token'),
    ...named('eos', 'eos_token'),
    ...named('unknown', 'unk_token'),
    ...named('padding', 'pad_token'),
    ...(typeof template === 'string' ? { chat_template: template } : {}),
  };
}
