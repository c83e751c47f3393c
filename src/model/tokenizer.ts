/**
 * Text to token ids and back, for the tokenizer.json of a model directory.
 *
 * Knows which ids end a text and which pads; nothing of chat templates or of prompts.
 */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type Companions, openCompanions } from './companions.ts';
import type { DecoderConfig } from './config.ts';

export interface Tokenizer {
  /** The largest id + 1. */
  readonly vocabSize: number;
  /** Ids that end a response: of generation_config.json, else config.json, else the eos token. */
  readonly eosIds: readonly number[];
  readonly bosId: number | null;
  /** The pad token, else the first id of eosIds, else 0. */
  readonly padId: number;
  /**
   * Token ids of a text. `addSpecialTokens` (default true) adds what the tokenizer puts around texts.
   * A character without a token becomes the unknown token, or nothing where there is none, as in
   * Hugging Face tokenizers.
   */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /**
   * The exact text of ids; without special tokens unless `skipSpecialTokens` is false. Ids that no
   * token has are left out; a character cut in half is U+FFFD. Spaces are never "cleaned up".
   */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** The piece of text that one token adds within a text, for display. */
  tokenText(id: number): string;
  /** UserError when the tokenizer has ids that the model does not. */
  checkFits(config: DecoderConfig): void;
}

/** What is used of the library's class (its own declarations do not resolve under NodeNext). */
interface Inner {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | undefined)[]; tokens: string[] };
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { special: boolean }>;
  model: { tokens_to_ids: Map<string, number> };
}

const TOKENIZER = 'tokenizer.json';
const tokenId = z.int().nonnegative();
const named = z.union([z.string(), z.object({ content: z.string() }).transform((t) => t.content)]);
const idsSchema = z.object({
  bos_token_id: tokenId.nullish().catch(null),
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: tokenId.nullish().catch(null), // some configurations say -1 for none
});
const settingsSchema = z.looseObject({
  bos_token: named.nullish(),
  eos_token: named.nullish(),
  pad_token: named.nullish(),
});

/**
 * Reads the tokenizer of a model directory or GGUF file; of an adapter without one, its base's. UserError when it is
 * missing or not understood.
 */
export function loadTokenizer(directory: string): Tokenizer {
  const files = openCompanions(directory);
  const path = files.where(TOKENIZER);
  const settings = readOptional(files, 'tokenizer_config.json', settingsSchema) ?? {};
  const inner = construct(files.json(TOKENIZER), settings, path);
  let vocabSize = 0;
  for (const id of inner.model.tokens_to_ids.values()) vocabSize = Math.max(vocabSize, id + 1);
  const special = new Set<number>();
  for (const [id, token] of inner.get_added_tokens_decoder()) if (token.special) special.add(id);

  const idOf = (token: string | null | undefined): number | undefined =>
    token === null || token === undefined ? undefined : inner.token_to_id(token);
  const generation = readOptional(files, 'generation_config.json', idsSchema);
  const model = readOptional(files, 'config.json', idsSchema);
  const eos = generation?.eos_token_id ?? model?.eos_token_id ?? idOf(settings.eos_token) ?? [];
  const eosIds = [...new Set([eos].flat())];
  const decode = (ids: number[]): string =>
    ids.length === 0 ? '' : inner.decode(ids, { clean_up_tokenization_spaces: false });

  return {
    vocabSize,
    eosIds,
    bosId: idOf(settings.bos_token) ?? generation?.bos_token_id ?? model?.bos_token_id ?? null,
    padId:
      idOf(settings.pad_token) ?? generation?.pad_token_id ?? model?.pad_token_id ?? eosIds[0] ?? 0,
    encode: (text, options = {}) => {
      const { addSpecialTokens = true } = options;
      const { ids, tokens } = inner.encode(text, { add_special_tokens: addSpecialTokens });
      return ids.map((id, i) => {
        if (id !== undefined) return id;
        throw new UserError({
          wanted: 'a text that the tokenizer can write in its tokens',
          found: `${JSON.stringify(tokens[i])} in ${JSON.stringify(text.slice(0, 80))}`,
          where: path,
        });
      });
    },
    decode: (ids, options = {}) => {
      const { skipSpecialTokens = true } = options;
      const kept = Array.from(ids).filter(
        (id) => inner.id_to_token(id) !== undefined && !(skipSpecialTokens && special.has(id)),
      );
      return decode(kept);
    },
    tokenText: (id) => {
      if (inner.id_to_token(id) === undefined) return `[${id}]`;
      // Decoders may drop a space at the start of a text, so the second of two is looked at.
      return decode([id, id]).slice(decode([id]).length);
    },
    checkFits: (config) => {
      const beyond = eosIds.find((id) => id >= config.vocabSize);
      if (vocabSize <= config.vocabSize && beyond === undefined) return;
      throw new UserError({
        wanted: `token ids below the model's vocab_size ${config.vocabSize}`,
        found: beyond === undefined ? `ids up to ${vocabSize - 1}` : `eos_token_id ${beyond}`,
        where: path,
        fix: 'Use the tokenizer that belongs to the model.',
      });
    },
  };
}

function construct(json: unknown, settings: object, path: string): Inner {
  const wanted = 'a tokenizer of the Hugging Face tokenizers library';
  if (typeof json !== 'object' || json === null) {
    throw new UserError({ wanted, found: JSON.stringify(json), where: path });
  }
  const { pre_tokenizer: pre } = json as { pre_tokenizer?: unknown };
  const read = pre === undefined ? json : { ...json, pre_tokenizer: anyDigits(pre) };
  try {
    return new HuggingFaceTokenizer(read, settings);
  } catch (error) {
    throw new UserError({ wanted, found: String(error), where: path }, { cause: error });
  }
}

const digitsSchema = z.looseObject({
  type: z.literal('Digits'),
  individual_digits: z.boolean().default(false),
});

/**
 * The library's Digits cuts at ASCII digits only, Hugging Face's at any numeric character. A Split that says so is read
 * alike by both.
 */
function anyDigits(pre: unknown): unknown {
  const digits = digitsSchema.safeParse(pre);
  if (digits.success) {
    const Regex = digits.data.individual_digits ? '\\p{N}' : '\\p{N}+';
    return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
  }
  const isSequence = typeof pre === 'object' && pre !== null && 'pretokenizers' in pre;
  if (!isSequence || !Array.isArray(pre.pretokenizers)) return pre;
  return { ...pre, pretokenizers: pre.pretokenizers.map(anyDigits) };
}

function readOptional<T>(files: Companions, name: string, schema: z.ZodType<T>): T | undefined {
  if (!files.has(name)) return undefined;
  const parsed = schema.safeParse(files.json(name));
  if (parsed.success) return parsed.data;
  const found = z.prettifyError(parsed.error);
  throw new UserError({ wanted: 'token ids and special tokens', found, where: files.where(name) });
}
