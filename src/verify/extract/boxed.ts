// Boxes: \boxed{}, \fbox{}, \framebox{} and a bare "\boxed 5". Braces may nest; a box that is never closed (the response
// was cut off) is passed over. Of boxes in boxes the inner one counts. Boxes that the writer lists in one sentence or
// display are one answer. Linear in the length of the response: one pass over its braces.
import type { Extraction } from '../types.ts';
import type { Claim } from './claim.ts';
import { type Fence, insideFence } from './fences.ts';
import { isPlaceholder } from './shape.ts';
import { type Span, trimmed } from './span.ts';
import { tidied } from './tidy.ts';

interface Box {
  /** From the backslash to behind the closing brace. */
  outer: Span;
  inner: Span;
}

const opener =
  /(?:\\(?:boxed|fbox|framebox)(?![A-Za-z])(?:\[[^[\]\n]{0,24}\]){0,2}|(?<![\\\p{L}])boxed(?=\s{0,4}\{))\s{0,4}(\{?)/gu;

/** What a box without braces holds: one word of TeX. */
const bareWord = /^(?:\\[A-Za-z]{1,16}|\{[^{}\n]{0,64}\}|[^\s$\\{},;])+/u;

/** Boxes that are kept, from the end of the response. */
const maxBoxes = 64;

/** How far from the end a box may be open, in UTF-16 units. */
const maxCutOff = 1024;

/** Answers that are kept, from the end of the response. */
const maxClaims = 8;

/** The answers in boxes between the offsets of `span`, in order. */
export function boxClaims(text: string, span: Span, programs: readonly Fence[]): Claim[] {
  const boxes = boxesIn(text, span, programs).slice(-maxBoxes);
  const claims: Claim[] = [];
  let group: Box[] = [];
  for (const box of boxes) {
    const last = group.at(-1);
    if (last !== undefined && !listed(text.slice(last.outer.end, box.outer.start))) {
      claims.push(claimOf(text, group));
      group = [];
    }
    group.push(box);
  }
  if (group.length > 0) claims.push(claimOf(text, group));
  return claims.slice(-maxClaims);
}

function claimOf(text: string, group: readonly Box[]): Claim {
  const first = group[0];
  const last = group.at(-1);
  const spans: Extraction[] = [];
  if (first !== undefined && last !== undefined) {
    const joined = group.map(({ inner }) => text.slice(inner.start, inner.end)).join(', ');
    spans.push({ text: joined, start: first.inner.start, end: last.inner.end, mark: 'boxed' });
  }
  const outer = { start: first?.outer.start ?? 0, end: last?.outer.end ?? 0 };
  return { at: last?.outer.start ?? 0, outer, weight: 'firm', spans };
}

const correction =
  /(?<!\p{L})(?:no|not|wait|actually|instead|rather|but|so|thus|hence|therefore|then|which|i\.e|that is|equals?|equivalent(?:ly)?|approximately|about|answer|check|verify|gives?|becomes|or simply|alternatively)(?!\p{L})|[\u2248]|\\(?:approx|implies|Rightarrow|to|neq|ne)(?![A-Za-z])/iu;

const separator =
  /^(?:\s|\$|\\[)\],;:!]|[*_}.]|\\(?:text|mathrm)\{|\\end\{[a-z]{1,12}\*?\})*(?:[,;&\u3001\uff0c\uff1b]|\\\\|\\q?quad|(?:and|or)(?!\p{L})|[\u548c\u53ca\u4e0e\u6216])/u;

/** Whether what stands between two boxes makes a list of them: ", ", "$ and $y = ". */
function listed(gap: string): boolean {
  if (gap.length > 100 || /\n[ \t\r]*\n/u.test(gap)) return false;
  if (/[.?!\u3002]\s/u.test(gap) || correction.test(gap)) return false;
  return separator.test(gap);
}

/** The closed boxes with something in them, in order of their ends. */
function boxesIn(text: string, span: Span, programs: readonly Fence[]): Box[] {
  const part = text.slice(span.start, span.end);
  if (!part.includes('box')) return [];
  const boxes: Box[] = [];
  /** Position of an opening brace -> where its box begins. */
  const open = new Map<number, number>();
  for (const { 0: found, 1: brace, index } of part.matchAll(opener)) {
    const start = span.start + index;
    if (insideFence(programs, start)) continue;
    const behind = start + found.length;
    if (brace === '{') open.set(behind - 1, start);
    else pushBare(text, boxes, { start, end: behind }, span.end);
  }
  if (open.size > 0) pushBraced(text, boxes, open, span.end);
  return boxes.sort((one, other) => one.outer.start - other.outer.start);
}

function pushBare(text: string, boxes: Box[], opening: Span, end: number): void {
  const word = bareWord.exec(text.slice(opening.end, Math.min(end, opening.end + 200)))?.[0] ?? '';
  // "Put it in \boxed and stop": a word of prose is no answer.
  if (!/\d|^\\[A-Za-z]|^[A-Za-z][.)]?$/u.test(word)) return;
  if (/^\\(?:text|boxed|fbox|framebox|end)(?![A-Za-z])/u.test(word)) return;
  const inner = tidied(text, opening.end, opening.end + word.length);
  boxes.push({ outer: { start: opening.start, end: inner.end }, inner });
}

function pushBraced(text: string, boxes: Box[], open: Map<number, number>, end: number): void {
  const stack: number[] = [];
  let innermost = -1;
  for (let at = open.keys().next().value ?? end; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x7b) stack.push(at);
    else if (code === 0x7d) {
      const from = stack.pop();
      const start = from === undefined ? undefined : open.get(from);
      if (from === undefined || start === undefined || innermost > from) continue;
      const inner = contents(text, from + 1, at);
      if (inner.start >= inner.end || isPlaceholder(text.slice(inner.start, inner.end))) continue;
      boxes.push({ outer: { start, end: at + 1 }, inner });
      innermost = from;
    }
  }
}

/** The inside of a box; "$5$" in a box is 5. Its punctuation stays: the writer put it there. */
function contents(text: string, start: number, end: number): Span {
  const inner = trimmed(text, start, end);
  const size = inner.end - inner.start;
  if (
    size > 2 &&
    text[inner.start] === '$' &&
    text.indexOf('$', inner.start + 1) === inner.end - 1
  ) {
    return trimmed(text, inner.start + 1, inner.end - 1);
  }
  return inner;
}

/** Whether the text breaks off inside a box. */
export function endsInBox(text: string, { start, end }: Span): boolean {
  const from = Math.max(start, end - maxCutOff);
  const tail = text.slice(from, end);
  const box = /^\\(?:boxed|fbox)\s{0,4}(?=\{)/u;
  const at = Math.max(tail.lastIndexOf('\\boxed'), tail.lastIndexOf('\\fbox'));
  const open = at < 0 ? null : box.exec(tail.slice(at, at + 12));
  if (open === null) return false;
  let depth = 0;
  for (let brace = at + open[0].length; brace < tail.length; brace++) {
    const code = tail.charCodeAt(brace);
    if (code === 0x5c) brace++;
    else if (code === 0x7b) depth++;
    else if (code === 0x7d && --depth === 0) return false;
  }
  return true;
}
