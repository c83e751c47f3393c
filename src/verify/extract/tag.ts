// Answers between <answer> tags and behind "####". Linear in the length of the response.
import type { Extraction, Mark, Seek } from '../types.ts';
import type { Claim } from './claim.ts';
import { readings } from './conclusion.ts';
import { type Fence, insideFence } from './fences.ts';
import { passageOf } from './passage.ts';
import { isBare, isPlaceholder, isValue, wordsOf } from './shape.ts';
import { endOfLine, type Span, trimmed } from './span.ts';
import { tidied } from './tidy.ts';

const tag = /<(\/?)(?:final[_ -]?)?answer(?:\s[^<>\n]{0,80})?>/giu;

/** Answers of one mark that are kept, from the end of the response. */
const maxClaims = 8;

/** Longest answer between tags that is also read as prose, in UTF-16 units. */
const maxProse = 4096;

/**
 * What stands between the tags, in order. A tag that is never closed (the response was stopped at the closing one) holds
 * the rest of the response; where a line is sought, the next line that has text.
 */
export function tagClaims(
  text: string,
  span: Span,
  programs: readonly Fence[],
  seek: Seek,
): Claim[] {
  const part = text.slice(span.start, span.end);
  const inner: { at: number; span: Span }[] = [];
  let open: { at: number; end: number } | undefined;
  for (const { 0: found, 1: slash, index } of part.matchAll(tag)) {
    const at = span.start + index;
    if (insideFence(programs, at)) continue;
    if (slash === '') open = { at, end: at + found.length };
    else if (open !== undefined) {
      inner.push({ at: open.at, span: { start: open.end, end: at } });
      open = undefined;
    }
  }
  if (open !== undefined) {
    inner.push({ at: open.at, span: unclosed(text, open.end, span.end, seek) });
  }
  return inner
    .filter(({ span }) => !isEmpty(text, span))
    .slice(-maxClaims)
    .map(({ at, span }) => claimOf(text, at, span, 'tag', seek));
}

function unclosed(text: string, start: number, end: number, seek: Seek): Span {
  const rest = trimmed(text, start, end);
  if (seek === 'json' || seek === 'code') return { start, end };
  const [formula] = passageOf(text, rest.start, Math.min(rest.end, rest.start + maxProse)).formulas;
  if (formula?.start === rest.start) return { start: rest.start, end: formula.end };
  return { start: rest.start, end: endOfLine(text, rest.start, rest.end) };
}

function isEmpty(text: string, { start, end }: Span): boolean {
  const inner = trimmed(text, start, end);
  return inner.start >= inner.end || isPlaceholder(text.slice(inner.start, inner.end));
}

function claimOf(text: string, at: number, span: Span, mark: Mark, seek: Seek): Claim {
  const verbatim = seek === 'json' || seek === 'code';
  const inner = verbatim ? span : tidied(text, span.start, span.end);
  const whole = { text: text.slice(inner.start, inner.end), ...inner, mark };
  const spans = [whole];
  if (inner.end - inner.start <= maxProse && !verbatim) {
    const read: Extraction[] = readings(text, inner, seek).map((found) => ({ ...found, mark }));
    if (isBare(whole.text, seek) || isValue(whole.text, seek)) spans.push(...read);
    else spans.unshift(...read);
  }
  return { at, outer: { start: at, end: span.end }, weight: 'firm', spans };
}

const hashes = /(?<!#)#{4}(?!#)[ \t]{0,8}/gu;

/**
 * What stands behind "####" (the mark of GSM8K), in order. The same sign heads a section in Markdown: a line of words
 * ("#### Step 1") counts only at the very end of the response.
 */
export function hashClaims(
  text: string,
  span: Span,
  programs: readonly Fence[],
  seek: Seek,
): Claim[] {
  const part = text.slice(span.start, span.end);
  const claims: Claim[] = [];
  const marks = [...part.matchAll(hashes)].slice(-maxClaims);
  for (const { 0: found, index } of marks) {
    const at = span.start + index;
    if (insideFence(programs, at)) continue;
    const end = endOfLine(text, at + found.length, span.end);
    const line = { start: at + found.length, end };
    if (isEmpty(text, line) || !isAnswerLine(text, line, span.end, seek)) continue;
    claims.push(claimOf(text, at, line, 'hashes', seek));
  }
  return claims;
}

function isAnswerLine(text: string, line: Span, end: number, seek: Seek): boolean {
  const rest = trimmed(text, line.end, end);
  if (rest.start === rest.end) return true;
  const inner = tidied(text, line.start, line.end);
  const answer = text.slice(inner.start, Math.min(inner.end, inner.start + 300));
  if (/^(?:step|part|case|\d{1,2}[.):]\s)/iu.test(answer)) return false;
  return isValue(answer, seek) && wordsOf(answer).length <= 4;
}
