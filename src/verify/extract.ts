// Finds the final answer in a response by the marks that people and models put before it. Linear in the length of the
// response. Knows nothing of what the answer means.
import { closingBrace } from './normalise.ts';
import type { Extraction } from './types.ts';

/** Unbalanced boxes that are passed over before the search for a box is given up. */
const maxBoxes = 8;

/** Longest answer inside a box or between tags, in UTF-16 units. */
const maxInside = 65_536;

interface Span {
  /** Where the mark begins: the latest mark of a response wins. */
  mark: number;
  start: number;
  end: number;
}

// Bounded repetitions only: every starting point costs a constant.
const phrase =
  /(?:\banswer\s{0,8}(?:\*{1,3}|_{1,3})?\s{0,8}(?::|=|\bis\b\s{0,8}:?)|####)(?:\*{1,3}|_{1,3})?/giu;
const tag = /<answer>/giu;
const closingTag = /<\/answer>/iu;

/**
 * The final answer of `response`: what stands in the last `\boxed{}`, `<answer>` tag, or after the last "answer:",
 * "answer is" or "####", whichever mark comes last. After `</think>` only what follows it is read.
 * `text` is `response.slice(start, end)`; undefined where there is no mark or nothing behind it.
 */
export function markedAnswer(response: string): Extraction | undefined {
  const thought = response.lastIndexOf('</think>');
  const from = thought < 0 ? 0 : thought + '</think>'.length;
  const spans = [lastBox(response, from), lastTag(response, from), lastPhrase(response, from)];
  let best: Span | undefined;
  for (const span of spans) {
    if (span !== undefined && (best === undefined || span.mark > best.mark)) best = span;
  }
  return best === undefined ? undefined : trimmed(response, best.start, best.end);
}

/** The span without the blanks around it, or undefined where nothing is left. */
export function trimmed(response: string, start: number, end: number): Extraction | undefined {
  const text = response.slice(start, end);
  const inner = text.trim();
  if (inner === '') return undefined;
  const first = start + (text.length - text.trimStart().length);
  return { text: inner, start: first, end: first + inner.length };
}

function lastBox(response: string, from: number): Span | undefined {
  let before = response.length;
  for (let box = 0; box < maxBoxes && before >= from; box++) {
    const mark = Math.max(
      response.lastIndexOf('\\boxed{', before),
      response.lastIndexOf('\\fbox{', before),
    );
    if (mark < from) return undefined;
    const open = response.indexOf('{', mark);
    const end = closingBrace(response, open, maxInside);
    if (end > open + 1) return { mark, start: open + 1, end };
    before = mark - 1;
  }
  return undefined;
}

function lastTag(response: string, from: number): Span | undefined {
  const mark = lastMatch(tag, response, from);
  if (mark === undefined) return undefined;
  const inside = response.slice(mark.end, mark.end + maxInside);
  const close = inside.search(closingTag);
  const end = close < 0 ? endOfLine(response, mark.end) : mark.end + close;
  return { mark: mark.start, start: mark.end, end };
}

function lastPhrase(response: string, from: number): Span | undefined {
  const mark = lastMatch(phrase, response, from);
  if (mark === undefined) return undefined;
  let start = mark.end;
  let end = endOfLine(response, start);
  // "**Answer:**" alone on its line: the answer is on the next line that has text.
  while (end < response.length && isBlank(response.slice(start, end))) {
    start = end + 1;
    end = endOfLine(response, start);
  }
  return { mark: mark.start, start, end: endOfSentence(response, start, end) };
}

function lastMatch(
  pattern: RegExp,
  response: string,
  from: number,
): { start: number; end: number } | undefined {
  const search = new RegExp(pattern);
  search.lastIndex = from;
  let last: { start: number; end: number } | undefined;
  for (let found = search.exec(response); found !== null; found = search.exec(response)) {
    last = { start: found.index, end: search.lastIndex };
  }
  return last;
}

function endOfLine(response: string, from: number): number {
  const at = response.indexOf('\n', from);
  return at < 0 ? response.length : at;
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** A full stop with a blank behind it ends the answer; a decimal point does not. */
function endOfSentence(response: string, start: number, end: number): number {
  let at = response.indexOf('.', start);
  while (at >= 0 && at < end - 1) {
    const next = response[at + 1];
    if (next === ' ' || next === '\t' || next === '\r') return at;
    at = response.indexOf('.', at + 1);
  }
  return end;
}

/** The last number written in `response` (sign, separators, point, fraction, percent), for use as a last resort. */
export function lastNumber(response: string): Extraction | undefined {
  let end = response.length;
  while (end > 0 && !isDigit(response.charCodeAt(end - 1))) end--;
  if (end === 0) return undefined;
  let start = end;
  while (start > 0 && belongsToNumber(response.charCodeAt(start - 1))) start--;
  while (!isDigit(response.charCodeAt(start)) && !'+-\u2212.'.includes(response[start] ?? ''))
    start++;
  if (response[end] === '%') end++;
  return trimmed(response, start, end);
}

/** The last capital letter that stands alone ("B", "(B)"), for use as a last resort. */
export function lastLetter(response: string): Extraction | undefined {
  const found = lastMatch(/(?<![\p{L}\p{N}])[A-Z](?![\p{L}\p{N}'\u2019])/gu, response, 0);
  return found === undefined ? undefined : trimmed(response, found.start, found.end);
}

/** The last line that has text, for use as a last resort. */
export function lastLine(response: string): Extraction | undefined {
  const end = response.trimEnd().length;
  return trimmed(response, response.lastIndexOf('\n', end - 1) + 1, end);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function belongsToNumber(code: number): boolean {
  return isDigit(code) || '.,/+-\u2212'.includes(String.fromCharCode(code));
}
