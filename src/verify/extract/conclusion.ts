// The answer that a text without marks comes to: the last formula, what the concluding sentence says ("so there are 12
// apples left"), the letter it names. Reads short stretches from their end. Knows nothing of marks or thoughts.
import type { Extraction, Mark, Seek } from '../types.ts';
import { mainClause, partsOf, withoutReason } from './clause.ts';
import { aside, isDenied, isUnsettled } from './doubt.ts';
import { lettersIn } from './letter.ts';
import { closingList } from './list.ts';
import { numbersIn, unitEnd } from './number.ts';
import {
  masked,
  maxPassage,
  type Passage,
  paragraphsOf,
  passageOf,
  sentencesOf,
} from './passage.ts';
import { extraction, type Run, runReadings, runsIn } from './run.ts';
import { isBare, isQuantity, isValue, wordsOf } from './shape.ts';
import { type Span, trimmed, within } from './span.ts';
import { tidied } from './tidy.ts';

/** Paragraphs and sentences that are read, from the end. */
const maxParagraphs = 6;
const maxSentences = 8;

/** Longest row of a table whose last cell is read, in UTF-16 units. */
const maxRow = 2000;

/** The readings of a short stretch that is known to state the answer, the best first. */
export function readings(text: string, span: Span, seek: Seek): Extraction[] {
  return conclusions(
    passageOf(text, span.start, Math.min(span.end, span.start + maxPassage)),
    seek,
  );
}

/** What the passage comes to, the best first. Marks: `formula` for a formula, `conclusion` for the rest. */
export function conclusions(passage: Passage, seek: Seek): Extraction[] {
  if (seek === 'json' || seek === 'code') return [];
  if (seek === 'letter') return letterConclusions(passage);
  const paragraphs = paragraphsOf(passage).slice(-maxParagraphs);
  if (seek === 'line') return wordConclusions(passage, paragraphs.at(-1));
  const list = seek === 'formula' ? closingList(passage) : undefined;
  if (list !== undefined) return [list];
  const found = valueConclusions(passage, paragraphs, seek);
  if (found === undefined) return [];
  const last = runsIn(passage, passage).at(-1);
  if (last !== undefined) found.push(...runReadings(passage, last, 'formula'));
  if (seek === 'formula') found.push(...wordConclusions(passage, paragraphs.at(-1)));
  return found;
}

/** A sentence of one who has not finished: "we must find how many of the 45 passed". */
const plan =
  /(?<!\p{L})(?:how (?:many|much)|(?:must|need to|have to|want to|going to|try to|should) (?:first )?(?:find|solve|determine|compute|calculate|count)|let(?: us|'s|\u2019s| me)(?! know)|asks? (?:for|us|how))(?!\p{L})/iu;

/** Undefined where the passage breaks off before it comes to anything. */
function valueConclusions(
  passage: Passage,
  paragraphs: readonly Span[],
  seek: Seek,
): Extraction[] | undefined {
  for (const paragraph of [...paragraphs].reverse()) {
    const sentences = sentencesOf(passage, paragraph.start, paragraph.end).slice(-maxSentences);
    for (const sentence of sentences.reverse()) {
      const mask = masked(passage, sentence.start, sentence.end);
      if (plan.test(mask) || isUnsettled(mask, passage.text[sentence.end] ?? '')) return undefined;
      const clause = mainClause(passage, sentence);
      const found = aside.test(passage.text.slice(sentence.start, sentence.start + 40))
        ? []
        : concluded(passage, clause, seek);
      const [best] = found;
      if (best !== undefined) return deniedIn(passage, clause, best) ? undefined : found;
    }
  }
  return [];
}

function deniedIn(passage: Passage, clause: Span, value: Span): boolean {
  // The formula that the value stands in belongs to it.
  const around = passage.formulas.find((each) => within(value, each)) ?? value;
  return isDenied(
    masked(passage, clause.start, Math.max(clause.start, around.start)),
    masked(passage, around.end, Math.max(clause.end, around.end)),
  );
}

/** What the clause comes to: its last "so", the part before a "because", or all of it. */
function concluded(passage: Passage, clause: Span, seek: Seek): Extraction[] {
  for (const part of partsOf(passage, lastCell(passage, clause))) {
    const found = stated(passage, part, seek);
    if (found.length > 0) return found;
  }
  return [];
}

/** The last cell of a row of a table that has something in it; any other clause whole. */
function lastCell(passage: Passage, clause: Span): Span {
  const row = masked(passage, clause.start, clause.end);
  if (!row.startsWith('|') || row.length > maxRow) return clause;
  const cell = /\|([^|]{1,200})\|?\s{0,8}$/u.exec(row);
  if (cell?.[1] === undefined) return clause;
  const start = clause.start + cell.index + 1;
  return trimmed(passage.text, start, start + cell[1].length);
}

/** What one clause says: the value after its last verb, its last formulas, or its only number. */
function stated(passage: Passage, clause: Span, seek: Seek): Extraction[] {
  const runs = runsIn(passage, clause);
  const subject = predicate(passage, runs);
  if (subject !== undefined) return runReadings(passage, subject, 'formula');
  const run = runs.findLast((each) => !each.name);
  const said = afterCue(passage, clause, seek);
  if (run !== undefined && (said === undefined || run.end > said.start)) {
    const found = runReadings(passage, run, 'formula');
    // "is 5 when $y = 3$": the formula belongs to the condition.
    return said !== undefined && run.start >= said.end
      ? [...worded(passage, said), ...found]
      : found;
  }
  if (said !== undefined) return worded(passage, said);
  const numbers = numbersIn(masked(passage, clause.start, clause.end), clause.start);
  const [first, ...others] = numbers;
  if (first === undefined) return [];
  if (others.length === 0) return [withUnit(passage, first)];
  // "It takes him 2 hours and 30 minutes": all to the end is one quantity.
  const rest = tidied(passage.text, first.start, clause.end);
  const whole = extraction(passage.text, rest, 'conclusion');
  return isQuantity(whole.text) ? [whole] : [];
}

/** "$5$ is the only root of $x^2 = 25$ above $0$": the run that a sentence begins with and says something of. */
function predicate(passage: Passage, runs: readonly Run[]): Run | undefined {
  return runs.find(
    (run) =>
      !run.name &&
      /^\s(?:is|are) (?:the|our|a|an)(?!\p{L})/u.test(masked(passage, run.end, run.end + 12)),
  );
}

const cue =
  /(?<!\p{L})(?:is|are|was|were|be|equals?|gives?|get|gets|got|obtain|find|yields?|leaves|have|has|had|makes?|totals?|costs?|earns?|spends?|paid|pays?|takes?|took|needs?|remains?|so|thus|hence|therefore|that|namely|only|exactly|of|to)(?!\p{L})|[=\uff1a]|(?<!(?:=|\sis\s)[^=\n]{1,40})\u2248|:(?!\d)|[\u662f\u4e3a\u70ba\u5f97\u5171\u6709]|\u7b49\u4e8e/giu;

/** Cue words of one sentence that are tried, from its end. */
const maxCues = 12;

interface Said extends Span {
  /** "x" in "x = 5", where the value has such a name. */
  named?: Span;
}

/** The value behind the last cue word that has one behind it. */
function afterCue(passage: Passage, clause: Span, seek: Seek): Said | undefined {
  const mask = masked(passage, clause.start, clause.end);
  const cues = [...mask.matchAll(cue)].slice(-maxCues).reverse();
  const list = assignments(passage, clause, cues);
  if (list !== undefined) return list;
  for (const { 0: word, index } of cues) {
    const rest = tidied(passage.text, clause.start + index + word.length, clause.end);
    if (rest.start >= rest.end) continue;
    const span = withoutReason(passage, rest, seek);
    const value = passage.text.slice(span.start, span.end);
    if (/^\p{L}$/u.test(value) || !isValue(value, seek)) continue;
    if (word !== '=') return span;
    const label = /(?:^|[\s:,(])([A-Za-z](?:_\{?\w{1,3}\}?)?)\s{0,2}$/u.exec(mask.slice(0, index));
    if (label?.[1] === undefined) return span;
    const start = clause.start + index - label[0].length + label[0].indexOf(label[1]);
    return { ...span, named: { start, end: span.end } };
  }
  return undefined;
}

/** "x = 2 or x = 3", whole: what stands behind the last `=` is one of several. */
function assignments(
  passage: Passage,
  clause: Span,
  cues: readonly RegExpExecArray[],
): Span | undefined {
  if (cues.filter(([word]) => word === '=').length < 2) return undefined;
  const starts = cues
    .filter(([word]) => word !== '=')
    .map(({ 0: word, index }) => index + word.length);
  for (const start of [0, ...starts.reverse()]) {
    const rest = withoutReason(
      passage,
      tidied(passage.text, clause.start + start, clause.end),
      'formula',
    );
    const text = passage.text.slice(rest.start, rest.end);
    if (
      /=[^=]{1,80}(?:,|;|(?<!\p{L})(?:or|and)(?!\p{L}))[^=]{1,80}=/u.test(text) &&
      isQuantity(text)
    )
      return rest;
  }
  return undefined;
}

function worded(passage: Passage, said: Said): Extraction[] {
  const found =
    said.named === undefined ? [] : [extraction(passage.text, said.named, 'conclusion')];
  const text = passage.text.slice(said.start, said.end);
  const bare = said.start + (/^[*_]{0,3}/u.exec(text)?.[0].length ?? 0);
  const [number] = numbersIn(passage.text.slice(bare, said.end), bare);
  const behind = number === undefined ? '' : passage.text.slice(number.end, said.end);
  const rest = bare > said.start ? behind.replace(/^[*_]{1,3}/u, '') : behind;
  // "12 apples left" is 12; "12 and 15", "12x" and "5 m" stay whole.
  if (
    number?.start === bare &&
    /^\s?(?:\p{L}{2}|\p{Lo})/u.test(rest) &&
    !/^\s?(?:and|or|to|by|pi)\s/u.test(rest)
  ) {
    found.push(withUnit(passage, number));
  }
  found.push(extraction(passage.text, said, 'conclusion'));
  return found;
}

function withUnit(passage: Passage, number: Span): Extraction {
  const end = unitEnd(passage.text, number.end, passage.end);
  return extraction(passage.text, { start: number.start, end }, 'conclusion');
}

/** The words behind the last verb of the last sentence: "So the capital is Paris." */
function wordConclusions(passage: Passage, paragraph: Span | undefined): Extraction[] {
  if (paragraph === undefined) return [];
  const found: Extraction[] = [];
  const whole = tidied(passage.text, paragraph.start, paragraph.end);
  const asks = passage.text[whole.end] === '?';
  if (!asks && isBare(passage.text.slice(whole.start, whole.end), 'line'))
    push(found, passage, whole, 'conclusion');
  const mask = masked(passage, paragraph.start, paragraph.end);
  const bold = [...mask.matchAll(/\*\*([^*\n]{1,80})\*\*/gu)].at(-1);
  if (bold !== undefined) {
    const start = paragraph.start + bold.index + 2;
    push(found, passage, { start, end: start + bold[0].length - 4 }, 'conclusion');
  }
  const sentence = sentencesOf(passage, paragraph.start, paragraph.end).at(-1);
  if (sentence === undefined || passage.text[sentence.end] === '?') return found;
  const clause = mainClause(passage, sentence);
  const verb =
    /(?<!\p{L})(?:is|are|was|were|called|named|be|=)(?!\p{L})|[:\uff1a\u662f\u4e3a\u70ba]/giu;
  const last = [...masked(passage, clause.start, clause.end).matchAll(verb)].at(-1);
  if (last !== undefined) {
    const rest = { start: clause.start + last.index + last[0].length, end: clause.end };
    if (!isDenied(masked(passage, clause.start, rest.start), ''))
      push(found, passage, withoutReason(passage, rest, 'line'), 'conclusion');
  }
  return found;
}

function push(found: Extraction[], passage: Passage, span: Span, mark: Mark): void {
  const inner = tidied(passage.text, span.start, span.end);
  if (inner.start >= inner.end) return;
  const text = passage.text.slice(inner.start, inner.end);
  if (wordsOf(text).length <= 8) found.push({ text, ...inner, mark });
}

/** The letter that the last paragraph which names one names last: "(B)", "option B", "**B**", "so it is B". */
function letterConclusions(passage: Passage): Extraction[] {
  for (const paragraph of paragraphsOf(passage).slice(-maxParagraphs).reverse()) {
    const sentences = sentencesOf(passage, paragraph.start, paragraph.end).slice(-maxSentences);
    for (const sentence of sentences.reverse()) {
      if (passage.text[sentence.end] === '?') continue;
      const letters = lettersIn(passage.text, sentence).filter(
        (each) => !deniedIn(passage, sentence, each),
      );
      const alone = isBare(passage.text.slice(sentence.start, sentence.end), 'letter');
      const letter =
        letters.findLast(({ labelled }) => labelled) ?? (alone ? letters[0] : undefined);
      if (letter !== undefined) return [extraction(passage.text, letter, 'conclusion')];
    }
  }
  return [];
}
