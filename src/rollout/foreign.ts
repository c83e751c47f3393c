/**
 * Responses that were generated elsewhere, one object each, as files and shards hold them:
 *
 *     {"id": "p1", "sample": 0, "response": "...", "tokens": [..], "logprobs": [..], "finish": "stop", "model": "..."}
 *
 * `id` names a prompt of the pool (or `prompt` repeats it); `response` or `tokens` is there; the rest may be missing.
 * Knows nothing of files, of the pool, or of how a text becomes tokens.
 */
import type { ChatMessage } from '../model/chat-template.ts';
import { entropyBound } from './top-logprobs.ts';

export interface ForeignRollout {
  /** The prompt's id in the pool; null: `prompt` says which it is. */
  id: string | null;
  prompt: string | ChatMessage[] | null;
  /** Which response to the prompt it is; null: the next one. */
  sample: number | null;
  /** null: what `tokens` say. */
  text: string | null;
  /** Response tokens as they were sampled, the stop token included; null: only the text is known. */
  tokens: Int32Array | null;
  /** Per response token: log-probability, nats; null where it did not come along. */
  logprobs: Float32Array | null;
  /** Per response token: entropy or a lower bound of it, nats; null where nothing is known. */
  entropies: Float32Array | null;
  /** `stop`: the model ended the response. */
  finish: 'stop' | 'length';
  /** The model that made it, as the file names it. */
  model: string | null;
}

/** A row that is no response; `message` is the reason for a person. */
export class BadRollout extends Error {}

type Row = Readonly<Record<string, unknown>>;

/** Longer names of models are cut. */
const MOST_NAME = 200;
/** Half a pair of UTF-16: no text that a database takes. */
const halfCharacters = /\p{Surrogate}/gu;

/** The response in a row. Throws BadRollout. Keys with other names are left alone. */
export function foreignRollout(row: Row): ForeignRollout {
  const id = nameOf(row.id, 'id');
  const prompt = promptOf(row.prompt);
  if (id === null && prompt === null) throw new BadRollout('neither an id nor a prompt');
  const tokens = row.tokens == null ? null : Int32Array.from(numbers(row.tokens, 'tokens', isId));
  const text = textOf(row.response);
  if (tokens === null && text === null) throw new BadRollout('neither a response nor tokens');
  if (tokens?.length === 0 || (tokens === null && text === ''))
    throw new BadRollout('the response is empty');
  const logprobs = statistic(row.logprobs, 'logprobs', tokens);
  return {
    ...{ id, prompt, text, tokens, logprobs },
    sample: sampleOf(row.sample),
    entropies: entropiesOf(row, logprobs, tokens),
    finish: finishOf(row.finish),
    model: nameOf(row.model, 'model')?.slice(0, MOST_NAME) ?? null,
  };
}

function nameOf(value: unknown, key: string): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  throw new BadRollout(`${key} is no text`);
}

function promptOf(value: unknown): ForeignRollout['prompt'] {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw new BadRollout('prompt is neither text nor a list of messages');
  return value.map((message: unknown) => {
    const { role, content } = Object(message);
    if (typeof role === 'string' && typeof content === 'string') return { role, content };
    throw new BadRollout('prompt holds something other than messages with a role and a text');
  });
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new BadRollout('response is no text');
  return value.replace(halfCharacters, '\uFFFD');
}

function sampleOf(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const sample = Number(value);
  // The database counts samples in 32 bits; heads are chosen on numbers from a million on.
  if (typeof value !== 'string' && Number.isInteger(sample) && sample >= 0 && sample < 1e6)
    return sample;
  throw new BadRollout('sample is no whole number from 0 to 999999');
}

function finishOf(value: unknown): ForeignRollout['finish'] {
  if (value === undefined || value === null) return 'stop';
  if (value === 'stop' || value === 'length') return value;
  throw new BadRollout(`finish is neither "stop" nor "length"`);
}

function entropiesOf(
  row: Row,
  logprobs: Float32Array | null,
  tokens: Int32Array | null,
): Float32Array | null {
  const given = statistic(row.entropies, 'entropies', tokens ?? logprobs);
  if (given !== null || row.top_logprobs == null) return given;
  if (logprobs === null) throw new BadRollout('top_logprobs without logprobs');
  const tops = listOf(row.top_logprobs, 'top_logprobs');
  if (tops.length !== logprobs.length)
    throw new BadRollout(`top_logprobs: ${tops.length} lists for ${logprobs.length} tokens`);
  return Float32Array.from(tops, (top, i) =>
    entropyBound(numbers(top, 'top_logprobs', isLogprob), logprobs[i]),
  );
}

/** One number a token. */
function statistic(
  value: unknown,
  key: 'logprobs' | 'entropies',
  of: ArrayLike<number> | null,
): Float32Array | null {
  if (value === undefined || value === null) return null;
  const found = numbers(value, key, key === 'logprobs' ? isLogprob : isEntropy);
  if (found.length === 0) throw new BadRollout(`${key} are empty`);
  if (of !== null && found.length !== of.length)
    throw new BadRollout(`${key}: ${found.length} numbers for ${of.length} tokens`);
  return Float32Array.from(found);
}

const isId = (x: number) => Number.isInteger(x) && x >= 0 && x < 2 ** 31;
/** Servers write a probability of zero as a large negative number. */
const isLogprob = (x: number) => Number.isFinite(x) && x <= 1e-3;
const isEntropy = (x: number) => Number.isFinite(x) && x >= 0;

function numbers(value: unknown, key: string, fits: (x: number) => boolean): number[] {
  return listOf(value, key).map((item) => {
    const x = typeof item === 'bigint' ? Number(item) : item;
    if (typeof x === 'number' && fits(x)) return x;
    throw new BadRollout(`${key} holds ${String(JSON.stringify(x)).slice(0, 40)}`);
  });
}

function listOf(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(Object.values(value));
  throw new BadRollout(`${key} is no list`);
}
