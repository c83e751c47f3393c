// Answers that are listed below the phrase that announces them, one a line: "The solutions are:\n- $x = 1$\n- $x = 2$".
import type { Extraction } from '../types.ts';
import type { Passage } from './passage.ts';
import { isValue } from './shape.ts';
import { trimmed } from './span.ts';
import { tidied } from './tidy.ts';

/** Longer lists are no answers. */
const maxItems = 16;

const item =
  /\s{0,200}?\n[ \t]{0,8}(?:[-*+\u2022]|\(?(?:\d{1,2}|[a-z])[.)])[ \t]{1,4}([^\n]{1,400})/uy;

/**
 * The items of a list that begins in the line after `start`, joined by ", "; the span covers them all. Undefined where
 * fewer than two items follow or one of them is no answer.
 */
export function listBelow(text: string, start: number, limit: number): Extraction | undefined {
  const search = new RegExp(item);
  const colon = /^[:*_ \t]{0,6}/u.exec(text.slice(start, start + 8))?.[0].length ?? 0;
  search.lastIndex = start + colon;
  const items: string[] = [];
  let first = 0;
  let end = 0;
  for (let found = search.exec(text); found !== null; found = search.exec(text)) {
    const last = search.lastIndex;
    const span = tidied(text, last - (found[1]?.length ?? 0), last);
    const answer = text.slice(span.start, span.end);
    if (last > limit || items.length === maxItems || !isValue(answer, 'formula')) return undefined;
    if (items.length === 0) first = span.start;
    items.push(answer);
    end = span.end;
  }
  if (items.length < 2) return undefined;
  return { text: items.join(', '), start: first, end, mark: 'phrase' };
}

/** "The primes below 10 are:" at the end of a line. */
const announcement = /(?<!\p{L})(?:are|is)(?: \p{L}{2,12}){0,2}:[*_ \t]{0,4}(?=\s{0,8}\n)/giu;

/** The list at the very end of `passage` below a line that announces it. */
export function closingList(passage: Passage): Extraction | undefined {
  const last = [...passage.mask.matchAll(announcement)].at(-1);
  if (last === undefined) return undefined;
  const found = listBelow(passage.text, passage.start + last.index + last[0].length, passage.end);
  if (found === undefined) return undefined;
  const rest = trimmed(passage.text, found.end, passage.end);
  return rest.end - rest.start <= 3 ? { ...found, mark: 'conclusion' } : undefined;
}
