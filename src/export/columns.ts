// What rows of all trainers have in common: prompts as messages, and the columns that say where a row comes from.
import type { Content } from '../pool/types.ts';
import type { Field } from './parquet.ts';
import type { ExportRow } from './types.ts';

export const messageFields: readonly Field[] = [
  { name: 'role', type: 'text' },
  { name: 'content', type: 'text' },
];

/** The prompt as messages of text; a text alone is what the user says. */
export function messagesOf({
  prompt,
}: Pick<ExportRow, 'prompt'>): { role: string; content: string }[] {
  if (typeof prompt === 'string') return [{ role: 'user', content: wellFormed(prompt) }];
  return prompt.map(({ role, content }) => ({ role, content: wellFormed(plain(content)) }));
}

function plain(content: Content): string {
  if (typeof content === 'string') return content;
  throw new Error('a prompt with an image was not left out');
}

/** Half a surrogate pair is no text to any reader of UTF-8. */
export function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** `value` as JSON of well-formed texts, whatever it holds. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'string' ? wellFormed(one) : one,
  );
}

/** Where a row comes from and what it counts: columns of TRL, fields of `extra_info` of verl. */
export const originFields: readonly Field[] = [
  { name: 'id', type: 'text' },
  { name: 'source', type: 'text' },
  { name: 'route', type: 'text' },
  { name: 'label', type: 'text' },
  { name: 'labeled', type: 'bool' },
  { name: 'weight', type: 'double' },
  { name: 'vote_share', type: 'double', optional: true },
  { name: 'votes', type: 'int32', optional: true },
  { name: 'vote_samples', type: 'int32', optional: true },
  { name: 'vote_class', type: 'int32', optional: true },
];

export function originOf({ id, source, route, label, weight, vote }: ExportRow) {
  return {
    id: wellFormed(id),
    source: wellFormed(source),
    route,
    label,
    labeled: label === 'verified',
    weight,
    vote_share: vote?.share ?? null,
    votes: vote?.votes ?? null,
    vote_samples: vote?.samples ?? null,
    vote_class: vote?.answerClass ?? null,
  };
}
