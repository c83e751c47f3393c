// Values of JSON in a response: the ones marked as the answer, fenced blocks, and the last balanced one. Linear in the
// length of the response: brackets are matched in one pass.
import type { Extraction, Mark } from '../types.ts';
import type { Claim } from './claim.ts';
import { type Fence, insideFence } from './fences.ts';
import { isTalk, leadsIn } from './lead.ts';
import { announced } from './phrase.ts';
import { extraction } from './run.ts';
import { type Span, trimmed, within } from './span.ts';
import { tidied } from './tidy.ts';

/** Values that are kept, from the end of the response. */
const maxValues = 64;

/** Longest value that is parsed, in UTF-16 units. */
const maxParsed = 262_144;

/** The balanced {...} and [...] between the offsets of `span` that lie in no other, in order. */
export function jsonValues(text: string, span: Span): Span[] {
  const found: Span[] = [];
  const open: number[] = [];
  for (let at = span.start; at < span.end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 && open.length > 0) at = endOfString(text, at, span.end);
    else if (code === 0x7b || code === 0x5b) open.push(at);
    else if (code === 0x7d || code === 0x5d) {
      // A bracket of the other kind between the two was prose: "[0, 1)" never closes.
      let from = open.pop();
      while (from !== undefined && text.charCodeAt(from) !== code - 2) from = open.pop();
      if (from === undefined) continue;
      while ((found.at(-1)?.start ?? -1) > from) found.pop();
      found.push({ start: from, end: at + 1 });
    }
  }
  return found.slice(-maxValues);
}

/** The closing quotation mark, or the end of the line: strings of JSON have no line breaks. */
function endOfString(text: string, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22 || code === 0x0a) return at;
  }
  return end;
}

function isJson(text: string): boolean {
  if (text.length > maxParsed) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What phrases announce: the value that begins there, or the scalar in that line. */
export function jsonClaims(
  text: string,
  span: Span,
  values: readonly Span[],
  programs: readonly Fence[],
): Claim[] {
  const claims: Claim[] = [];
  for (const lead of leadsIn(text, span)) {
    // {"answer": 5} is the value, not 5.
    if (lead.kind === 'key' || values.some((value) => within(lead, value))) continue;
    if (insideFence(programs, lead.start) || isTalk(text, lead, span.start)) continue;
    const start = announced(text, lead, span.end);
    const inner = values.find((value) => value.start === start) ?? scalar(text, start, span.end);
    if (inner === undefined) continue;
    const outer = { start: lead.start, end: inner.end };
    claims.push({
      at: lead.start,
      outer,
      weight: 'firm',
      spans: [extraction(text, inner, 'phrase')],
    });
  }
  return claims.slice(-8);
}

function scalar(text: string, start: number, end: number): Span | undefined {
  const line = /^[^\n]{1,400}/u.exec(text.slice(start, Math.min(end, start + 400)))?.[0] ?? '';
  const inner = tidied(text, start, start + line.length);
  return isJson(text.slice(inner.start, inner.end)) ? inner : undefined;
}

/** The value inside a mark: the inside of its fence or its only balanced value, or else all of it. */
export function jsonInside(text: string, inner: Span, mark: Mark): Extraction {
  const span = trimmed(text, inner.start, inner.end);
  if (isJson(text.slice(span.start, span.end))) return extraction(text, span, mark);
  const value = jsonValues(text, inner).at(-1);
  return extraction(text, value ?? span, mark);
}

/** Fenced blocks that hold JSON, the last first. */
export function jsonFences(text: string, fences: readonly Fence[]): Extraction[] {
  const found: Extraction[] = [];
  for (const fence of fences.slice(-maxValues).reverse()) {
    const inner = trimmed(text, fence.inner.start, fence.inner.end);
    if (inner.start === inner.end) continue;
    if (fence.tag.startsWith('json') || isJson(text.slice(inner.start, inner.end))) {
      found.push(extraction(text, inner, 'conclusion'));
    }
  }
  return found;
}

/** Values without marks or fences: the whole response, its end, or the last one in it. */
export function jsonUnmarked(
  text: string,
  span: Span,
  values: readonly Span[],
  deepest: Mark,
): Extraction[] {
  const { start, end } = trimmed(text, span.start, span.end);
  const found: Extraction[] = [];
  if (start < end && isJson(text.slice(start, end)))
    found.push({ text: text.slice(start, end), start, end, mark: 'whole' });
  const last = values.at(-1);
  if (
    last !== undefined &&
    (deepest === 'last' || (deepest === 'conclusion' && last.end >= end - 1))
  ) {
    const mark = last.end >= end - 1 ? 'conclusion' : 'last';
    const parsed = values.findLast((value) => isJson(text.slice(value.start, value.end)));
    if (deepest === 'last' && parsed !== undefined) found.push(extraction(text, parsed, mark));
    found.push(extraction(text, last, mark));
  }
  return found;
}
