/** What all formats agree on about ids, answers and names. Knows nothing of any format. */
import type { z } from 'zod';
import { textOf } from '../../pool/content.ts';
import type { PoolPrompt } from '../../pool/types.ts';
import type { Ignored, Item, OutgoingLabel, Place } from './types.ts';

/** An item that cannot be taken; `message` is what was found, for a person. */
export class BadItem extends Error {}

/** Longest name of an annotator, in characters. */
export const LONGEST_NAME = 200;

/** Characters of foreign text in a message. */
const SHOWN = 80;

/** The id of a prompt as text; a number is taken as it is written. BadItem where it is none. */
export function idOf(value: unknown, name: string): string {
  const id = scalar(value, name);
  if (id === null) throw new BadItem(value === undefined ? `no "${name}"` : `an empty ${name}`);
  return id;
}

/** An answer as text; null where it is left blank. BadItem where it is no text. */
export function answerOf(value: unknown, name = 'answer'): string | null {
  return scalar(value, name);
}

/** Text that no log and no terminal can be fooled with; null where there is none. */
export function nameOf(value: unknown, name: string): string | null {
  const text = scalar(value, name);
  if (text === null) return null;
  if (text.length > LONGEST_NAME) throw new BadItem(`${name} is longer than ${LONGEST_NAME}`);
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) throw new BadItem(`control characters in ${name}`);
  return text;
}

/** A cost; null where none is given. */
export function costOf(value: unknown, name = 'cost'): number | null {
  const text = scalar(value, name);
  if (text === null) return null;
  const cost = Number(text);
  if (!Number.isFinite(cost) || cost < 0) throw new BadItem(`${name} is no number from 0`);
  return cost;
}

/** Several texts for one answer: the only one, or null where all are blank. BadItem where they differ. */
export function onlyAnswer(values: readonly unknown[]): string | null {
  const texts = new Set(values.map((value) => answerOf(value)).filter((text) => text !== null));
  if (texts.size > 1) throw new BadItem(`${texts.size} different texts in one answer`);
  return [...texts].at(0) ?? null;
}

export const blank: Ignored = { kind: 'blank' };

/** What is wrong with an item, key by key. */
export function faultsOf(error: z.ZodError): string {
  const faults = error.issues.slice(0, 3).map(({ path, message }) => {
    const where = path.join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  return faults.join('; ');
}

function scalar(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new BadItem(`${name} is too large to be exact as a number; write it in quotes`);
    }
    return String(value);
  }
  if (typeof value !== 'string') throw new BadItem(`${name} is no text and no number`);
  const text = value.trim();
  if (text.includes('\0')) throw new BadItem(`${name} holds the character U+0000`);
  if (/\p{Surrogate}/u.test(text)) throw new BadItem(`${name} holds half a character`);
  return text === '' ? null : text;
}

/** A prompt as one text: that of a single user message, or all messages with their roles; `[image]` for each image. */
export function questionText(prompt: PoolPrompt['prompt']): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt.length === 1 && prompt[0].role === 'user') return textOf(prompt[0].content);
  return prompt.map(({ role, content }) => `${role}:\n${textOf(content)}`).join('\n\n');
}

/** Labels of the same prompt together, in the order of the first ones. */
export function byPrompt(labels: Iterable<OutgoingLabel>): OutgoingLabel[][] {
  const groups = new Map<string, OutgoingLabel[]>();
  for (const label of labels) {
    const group = groups.get(label.id);
    if (group === undefined) groups.set(label.id, [label]);
    else group.push(label);
  }
  return [...groups.values()];
}

/** A time as ISO 8601 in UTC; null where there is none. */
export function timeText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** The time that a text says; null where it says none. */
export function timeOf(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** The item without what is null. */
export function withoutNulls(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null));
}

/** Foreign text for a message: cut short, and nothing in it that moves a terminal's cursor or turns text around. */
export function shown(text: string): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu, '\ufffd');
}

/** `file.json:12 (task 3)`. */
export function whereIs({ path, line, item }: Place): string {
  return `${path}:${line}${item === null ? '' : ` (${item})`}`;
}

/** `line 12` or `task 3`. */
export function placeText({ line, item }: Place): string {
  return item ?? `line ${line}`;
}
