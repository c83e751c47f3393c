// Answers that are listed below the phrase that announces them, one a line: "The solutions are:\n- $x = 1$\n- $x = 2$".
import type { Extraction } from '../types.ts';
import { isValue } from './shape.ts';
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
