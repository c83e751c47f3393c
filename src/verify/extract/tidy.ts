// Takes off what writers put around an answer: blanks, Markdown, the delimiters of a formula, a closing full stop.
// Works on offsets, so that what is left is still a slice of the response. Knows nothing of what an answer means.
import { formulasIn } from './formula.ts';
import { type Span, trimmed } from './span.ts';

/** Deeper wrapping than this is left on. */
const maxLayers = 12;

const emphasis = ['***', '**', '__', '*', '_', '```', '`'];

/** The span of the answer itself between `start` and `end`. */
export function tidied(text: string, start: number, end: number): Span {
  let span = trimmed(text, start, end);
  let inFormula = false;
  for (let layer = 0; layer < maxLayers; layer++) {
    const formula = insideFormula(text, span);
    const next = formula ?? withoutLayer(text, span, inFormula);
    if (next === undefined) break;
    inFormula ||= formula !== undefined;
    span = trimmed(text, next.start, next.end);
  }
  return span;
}

/** Signs that writers set before an answer. */
const ornament =
  /^(?:\p{Extended_Pictographic}(?:\ufe0f|\u200d){0,2}|[\u2713\u2714\u2022\u25cf])\s{0,2}/u;

/** Signs that writers set behind an answer: emoji, ticks, the end of a proof, the number of an equation. */
const flourish =
  /(?:\p{Extended_Pictographic}|\ufe0f|\u200d|[\u2713\u2714\u220e\u25a0]|(?<=[^=+*/(<>-]\s{0,2})\\(?:blacksquare|square|Box|qed|checkmark)|\\q?quad|\\tag\*?\{[^{}\n]{0,16}\})$/u;

function withoutLayer(text: string, { start, end }: Span, inFormula: boolean): Span | undefined {
  if (start >= end) return undefined;
  const bullet = ornament.exec(text.slice(start, Math.min(end, start + 12)))?.[0].length ?? 0;
  if (bullet > 0 && start + bullet < end) return { start: start + bullet, end };
  const stop = closingMarks(text, start, end, inFormula);
  if (stop > 0) return { start, end: end - stop };
  return inFormula ? undefined : emphasisAround(text, start, end);
}

/** How many units of punctuation at the end do not belong to the answer. */
function closingMarks(text: string, start: number, end: number, inFormula: boolean): number {
  const tail = text.slice(Math.max(start, end - 4), end);
  if (tail.endsWith('...') || tail.endsWith('\\!')) return 0;
  const closing = flourish.exec(text.slice(Math.max(start, end - 32), end))?.[0].length ?? 0;
  if (closing > 0 && closing < end - start) return closing;
  if (/[.,;:?\u3002\uff0c\uff1b\uff1a\u3001\uff01\uff1f]$/u.test(tail)) {
    // "\," and "\;" are blanks of TeX.
    return /(?<!\\)\\[,;:]$/u.test(tail) ? 2 : 1;
  }
  if (/(?:\\\\|\\ )$/u.test(tail)) return 2;
  if (inFormula) return 0;
  if (tail.endsWith('$') && (text.slice(start, end).match(/\$/gu)?.length ?? 0) % 2 === 1) return 1;
  if (/\s\|$/u.test(tail)) return 1;
  if (
    tail.endsWith('!') &&
    !/[$\\]/u.test(text[end] ?? '') &&
    isExclamation(text.slice(start, end))
  ) {
    return 1;
  }
  if (/["\u201d]$/u.test(tail) && !/["\u201c]/u.test(text.slice(start, end - 1))) return 1;
  return 0;
}

/** "The answer is 42!" is joy, "8!/3!", "n!" and "(k+1)!" are factorials. */
function isExclamation(answer: string): boolean {
  return answer.indexOf('!') === answer.length - 1 && /[\d\p{L}*$%]{2}!$|^[\dA-E]!$/u.test(answer);
}

function emphasisAround(text: string, start: number, end: number): Span | undefined {
  for (const mark of emphasis) {
    const opens = text.startsWith(mark, start);
    const closes = text.endsWith(mark, end);
    if (opens && closes && end - start > 2 * mark.length) {
      return { start: start + mark.length, end: end - mark.length };
    }
    const inner = text.slice(start + (opens ? mark.length : 0), closes ? end - mark.length : end);
    if (inner === '' || inner.includes(mark)) continue;
    if (closes && mark !== '_') return { start, end: end - mark.length };
    // A lone star before an answer is left over from "*Answer:* 5"; before a blank it is a bullet.
    if (opens) return { start: start + mark.length, end };
  }
  return undefined;
}

/** The inside of the formula that the span consists of. */
function insideFormula(text: string, { start, end }: Span): Span | undefined {
  const code = text[start];
  if (code !== '$' && code !== '\\') return undefined;
  const [formula, ...more] = formulasIn(text, start, end);
  if (formula === undefined || more.length > 0) return undefined;
  if (formula.start !== start || formula.end !== end) return undefined;
  return formula.inner.start === start ? undefined : formula.inner;
}
