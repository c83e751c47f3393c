// A stretch of a response prepared for reading its sentences: formulas and brackets are covered up, so that a full stop, a
// comma or the word "so" inside them is not taken for the writer's. Stretches are short (see `maxPassage`); everything
// here is linear in their length.
import { type Formula, formulasIn } from './formula.ts';
import { type Span, trimmed } from './span.ts';

/** Longest stretch that is read as sentences, in UTF-16 units. */
export const maxPassage = 16_384;

export interface Passage extends Span {
  readonly text: string;
  readonly formulas: readonly Formula[];
  /** The stretch with formulas and brackets covered: `mask[i]` stands for `text[start + i]`. */
  readonly mask: string;
}

/** Stands in a mask for one unit of a formula. */
const formulaMark = '\ue000';
/** Stands in a mask for one unit inside brackets. */
const bracketMark = '\ue001';

export function passageOf(text: string, start: number, end: number): Passage {
  const formulas = formulasIn(text, start, end);
  const parts: string[] = [];
  let at = start;
  for (const formula of formulas) {
    parts.push(text.slice(at, formula.start), formulaMark.repeat(formula.end - formula.start));
    at = formula.end;
  }
  parts.push(text.slice(at, end));
  return { text, start, end, formulas, mask: withoutBrackets(parts.join('')) };
}

/** Covers what stands between brackets that are closed in the same line. Mixed pairs are intervals: "[1, 2)". */
function withoutBrackets(mask: string): string {
  if (!/[([{]/u.test(mask)) return mask;
  const units = mask.split('');
  const open: number[] = [];
  for (let at = 0; at < units.length; at++) {
    const unit = units[at] ?? '';
    if (unit === '\n') open.length = 0;
    else if (unit === '(' || unit === '[' || unit === '{') open.push(at);
    else if (unit === ')' || unit === ']' || unit === '}') {
      const from = open.pop();
      if (from !== undefined && open.length === 0) units.fill(bracketMark, from + 1, at);
    }
  }
  return units.join('');
}

/** The mask between two offsets of the text. */
export function masked(passage: Passage, start: number, end: number): string {
  return passage.mask.slice(start - passage.start, end - passage.start);
}

const sentenceEnd =
  /\.(?=[*_"'\u201d\u2019`)\]]{0,4}(?:\s|$))|(?<=[\p{L}\ue000*]{2})!(?=\s|$|\*)|!(?=\s{1,3}\p{Lu}\p{Ll})|\?(?=\s|$|\*)|[\u3002\uff01\uff1f]|\n/gu;

const abbreviation =
  /(?:^|[^\p{L}])(?:e\.g|i\.e|vs|approx|cf|eqn?|fig|sq|cu|dr|mr|mrs|ms|resp|u\.s|a\.m|p\.m|no(?=$))$/iu;

/** "1." at the start of a line counts points, it ends no sentence. */
const enumerator = /\n[ \t*_]{0,8}(?:\d{1,2}|[a-z]|[ivx]{1,4})$/u;

/** The sentences of a passage between two offsets, in order, without their full stops. A new line ends a sentence. */
export function sentencesOf(passage: Passage, start: number, end: number): Span[] {
  const mask = masked(passage, start, end);
  const spans: Span[] = [];
  let from = 0;
  for (const { 0: stop, index } of mask.matchAll(sentenceEnd)) {
    if (index < from) continue;
    if (stop === '.' && (!endsSentence(mask, index) || enumerates(passage, start + index)))
      continue;
    pushSentence(passage.text, spans, start + from, start + index);
    from = index + 1;
  }
  pushSentence(passage.text, spans, start + from, end);
  return spans;
}

function pushSentence(text: string, spans: Span[], start: number, end: number): void {
  const span = trimmed(text, start, end);
  if (span.start < span.end) spans.push(span);
}

function endsSentence(mask: string, stop: number): boolean {
  const before = mask.slice(Math.max(0, stop - 12), stop);
  const next = mask.slice(stop + 1, stop + 4);
  if (/(?:^|\P{L})no$/iu.test(before)) return !/^\s\d/u.test(next);
  if (before.endsWith('.') && next.trim() !== '' && !/^\s+\p{Lu}/u.test(next)) return false;
  return !abbreviation.test(before);
}

/** Whether the full stop at `stop` follows a number that counts points, at the start of a line. */
function enumerates({ text }: Passage, stop: number): boolean {
  const from = Math.max(0, stop - 12);
  return enumerator.test(`${from === 0 ? '\n' : ''}${text.slice(from, stop)}`);
}

/** Where the first sentence from `start` ends (before its full stop), at most `end`. */
export function sentenceEndAt(passage: Passage, start: number, end: number): number {
  const mask = masked(passage, start, end);
  for (const { 0: stop, index } of mask.matchAll(sentenceEnd)) {
    if (stop !== '.' || endsSentence(mask, index)) return start + index;
  }
  return end;
}

/** The paragraphs between two offsets, in order; a blank line inside a formula parts none. */
export function paragraphsOf(passage: Passage): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (const gap of passage.mask.matchAll(/\n[ \t\r]{0,64}\n/gu)) {
    pushSentence(passage.text, spans, passage.start + from, passage.start + gap.index);
    from = gap.index + gap[0].length;
  }
  pushSentence(passage.text, spans, passage.start + from, passage.end);
  return spans;
}
