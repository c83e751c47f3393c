// Answers that are announced in words: "The final answer is $5$.", "**Answer:** B", "\u7b54\u6848\u662f 5". Decides
// where the answer begins and ends, and how far the phrase is to be believed. Linear in the length of the response: the
// last 64 phrases are read, each a bounded way on.
import type { Extraction, Seek } from '../types.ts';
import type { Claim } from './claim.ts';
import { withoutReason } from './clause.ts';
import { readings } from './conclusion.ts';
import { isDenied, takenBack } from './doubt.ts';
import { type Fence, insideFence } from './fences.ts';
import { isGuess, isTalk, type Lead, leadsIn } from './lead.ts';
import { listBelow } from './list.ts';
import { masked, type Passage, passageOf, sentenceEndAt } from './passage.ts';
import { extraction } from './run.ts';
import { isPlaceholder, isValue, wordsOf } from './shape.ts';
import { type Span, trimmed } from './span.ts';
import { tidied } from './tidy.ts';

/** How far on a phrase is read, in UTF-16 units. */
const maxReach = 4096;

/** Answers that are kept, from the end of the response. */
const maxClaims = 8;

/** A text of more words is no answer but an explanation. */
const maxWords = 8;

/** The answers announced between the offsets of `span`, in order. */
export function phraseClaims(
  text: string,
  span: Span,
  programs: readonly Fence[],
  seek: Seek,
): Claim[] {
  const leads = leadsIn(text, span);
  const claims: Claim[] = [];
  for (const [index, lead] of leads.entries()) {
    if (insideFence(programs, lead.start) || isTalk(text, lead, span.start)) continue;
    const next = leads[index + 1]?.start ?? span.end;
    const claim = claimOf(text, lead, span, next, seek);
    if (claim !== undefined) claims.push(claim);
  }
  claims.push(...reversedClaims(text, span, programs, seek));
  return claims.sort((one, other) => one.at - other.at).slice(-maxClaims);
}

/** Where what `lead` announces begins: behind blanks, markup, line breaks and words that say nothing. */
export function announced(text: string, lead: Lead, end: number): number {
  let at = lead.end;
  for (let step = 0; step < 12; step++) {
    const ahead = text.slice(at, Math.min(end, at + 240));
    const skipped = filler.exec(ahead)?.[0].length ?? 0;
    if (skipped === 0) break;
    at += skipped;
  }
  return at;
}

const filler =
  /^(?:\s{1,200}|\*{1,3}(?=[^*\n]*\n|[ \t])|[:=\uff1a~](?!=)|\\(?:quad|qquad|[,;:! ]|\\)(?![A-Za-z])|\}(?=[^\n]{0,200})|&|>(?= )|[-*+\u2022](?= )|#{1,6}(?= )|[-=_*]{3,80}\n|\x60{3}[\w-]{0,16}[ \t]{0,4}\n|(?:indeed|therefore|thus|then|hence|simply|just|exactly|precisely|equal to|equals|given by|the following|as follows|clearly|obviously|now|in fact|approximately|about|roughly|around|is|are|equal)(?=[\s:,])[,:]?)/iu;

function claimOf(
  text: string,
  lead: Lead,
  span: Span,
  next: number,
  seek: Seek,
): Claim | undefined {
  const start = announced(text, lead, span.end);
  const limit = Math.min(span.end, start + maxReach);
  if (start >= limit) return undefined;
  if (lead.kind === 'key') return keyClaim(text, lead, start, limit);
  const passage = passageOf(text, start, limit);
  const list = seek === 'formula' ? listBelow(text, lead.end, limit) : undefined;
  if (list !== undefined && next >= list.end) {
    const outer = { start: lead.start, end: list.end };
    return { at: lead.start, outer, weight: 'firm', spans: [list] };
  }
  const sentence = { start, end: endOfAnswer(passage, lead) };
  // "Final answer: the answer is 5": the inner phrase speaks for both.
  if (next < sentence.end) return undefined;
  const inner = tidied(text, sentence.start, sentence.end);
  if (inner.start >= inner.end) return undefined;
  return judged(passage, lead, inner, span, seek);
}

/** The end of the display formula that the answer is, or else of its sentence. */
function endOfAnswer(passage: Passage, lead: Lead): number {
  const { text, start, end } = passage;
  const first = passage.formulas[0];
  if (first?.display && first.start === start && !lead.inFormula) return first.end;
  const stop = Math.min(sentenceEndAt(passage, start, end), strayEnd(passage, lead));
  return Math.max(start, Math.min(end, stop, text.length));
}

/** Where something closes that was opened before the answer: a bracket, the formula around a \text{}, a tag. */
function strayEnd(passage: Passage, lead: Lead): number {
  const { text, start, end, mask } = passage;
  let stop = end;
  if (lead.inFormula && !text.startsWith('$', start)) {
    const close = /(?<!\\)\$|\\[)\]]|\\end\{/u.exec(text.slice(start, end));
    stop = start + (close?.index ?? end - start);
  }
  let depth = 0;
  for (const { 0: found, index } of mask.matchAll(stray)) {
    if (start + index >= stop) break;
    if (found === '\n' || found.startsWith('<') || /^\\[)\]]$/u.test(found)) return start + index;
    if (/^[([{]$/u.test(found)) depth++;
    else if (/^[)\]}]$/u.test(found) && --depth < 0 && index > 0) return start + index;
  }
  return stop;
}

const stray = /\\[)\]]|\\[\s\S]|[()[\]{}]|<(?:\/[a-z]|br|\|)|\n/giu;

/** What begins so is said of the answer and is not the answer. */
const prose =
  /^(?:not|correct|right(?! (?:angle|triangle|isosceles))|wrong|incorrect|plausible|reasonable|consistent|valid|invalid|unique|obvious|clear|unclear|known|given|found|obtained|determined|verified|confirmed|likely|unlikely|probably|possibly|also|the same|same|to|too|very|quite|fine|ok|okay|good|easy|simple|trivial|straightforward|expressed|written|rounded|supposed|expected|going|based|derived|calculated|computed|shown|boxed|above|below|left|required|needed|what|how|why|where|when|whether|if|one of|between|close|different|larger|smaller|greater|bigger|less|more|at (?:most|least)|supported|made|because|since|as|it|we|you|in|on|only|still|sensible|accurate|exact|wanted|supplied|an? (?:positive |negative |whole |real |rational |single |simple )?(?:integer|number|fraction|value|list|set|letter))(?!\p{L})/iu;

function judged(
  passage: Passage,
  lead: Lead,
  inner: Span,
  span: Span,
  seek: Seek,
): Claim | undefined {
  const { text } = passage;
  const short = seek === 'json' ? inner : answerIn(passage, inner, seek);
  if (isHypothesis(text, lead, inner)) return undefined;
  const corrected = seek === 'json' ? [] : correction(text, short.end, span.end, seek);
  if (corrected.length > 0) {
    const outer = { start: lead.start, end: inner.end };
    return { at: lead.start, outer, weight: 'firm', spans: corrected };
  }
  const answer = text.slice(short.start, short.end);
  if (isPlaceholder(answer)) return undefined;
  const words = wordsOf(answer).length;
  // "Both A and B" names no single letter, and its last one is not the answer.
  const hedged = seek === 'letter' && /^(?:both|either|neither)\s/iu.test(answer);
  const sound = (hedged || isValue(answer, seek)) && (seek !== 'line' || words <= maxWords);
  if (lead.kind === 'verb' && !isMathematical(answer) && prose.test(answer)) return undefined;
  const question = /^[*_"]{0,4}\?/u.test(text.slice(inner.end, inner.end + 4));
  // "The train travels 240 km" is a sentence around its answer.
  const few = words <= 4 && seek !== 'letter' && (seek === 'line' || !/[\d$\\]/u.test(answer));
  const firm = (sound || (words <= 4 && (lead.final || lead.kind === 'sign'))) && !question;
  const spans = [extraction(text, short, 'phrase')];
  const more = readings(text, inner, seek).map((each): Extraction => ({ ...each, mark: 'phrase' }));
  if (sound || few) spans.push(...more);
  else if (words > maxWords && !isLastWord(text, lead, inner, span)) return undefined;
  else spans.unshift(...(lead.kind === 'sign' ? toTheEnd(text, inner, span, seek) : more));
  if (isRefuted(text, inner, spans[0])) return undefined;
  const weight = firm && !isGuess(text, lead, span.start) ? 'firm' : 'loose';
  return { at: lead.start, outer: { start: lead.start, end: inner.end }, weight, spans };
}

/** "The answer would be D if ..." */
function isHypothesis(text: string, lead: Lead, inner: Span): boolean {
  if (!/(?<!\p{L})(?:would|could) be$/iu.test(text.slice(lead.end - 9, lead.end))) return false;
  return /\sif\s/iu.test(text.slice(inner.start, Math.min(inner.end, inner.start + 400)));
}

/** How far behind an answer it may be taken back, in UTF-16 units. */
const maxRegret = 160;

/** What the text comes to after the words that take an answer back: "12, wait, no, it is 13". */
function correction(text: string, from: number, end: number, seek: Seek): Extraction[] {
  const found = takenBack.exec(text.slice(from, Math.min(end, from + maxRegret)));
  if (found === null) return [];
  const rest = { start: from + found.index + found[0].length, end: Math.min(end, from + 1000) };
  const read = readings(text, rest, seek).map((each): Extraction => ({ ...each, mark: 'phrase' }));
  return read.filter((each) => isValue(each.text, seek));
}

/** "The answer is definitely not 12", "... is twice 12": the number is found behind words that change it. */
function isRefuted(text: string, inner: Span, best: Extraction | undefined): boolean {
  if (best === undefined) return false;
  const before = text.slice(Math.min(inner.start, best.start), best.start).replace(/\$$/u, '');
  if (isDenied(before, text.slice(best.end, Math.max(best.end, inner.end)))) return true;
  const number = /^[\d.,]{1,24}(?=\s\p{L})/u.exec(best.text)?.[0].length ?? 0;
  return number > 0 && isDenied('', best.text.slice(number));
}

const head =
  /^([*_$"'([]{0,4}[A-J][*_$"')\]]{0,4})(?:,\s(?:an?|the|which|since|because|as|with)\s|(?<=[*_$]):\s|\s?[\u2014\u2013]\s|\s?\u9009\u9879$|\uc785\ub2c8\ub2e4$|\u3067\u3059$)/u;

function answerIn(passage: Passage, inner: Span, seek: Seek): Span {
  const choice =
    seek === 'formula' ? head.exec(passage.text.slice(inner.start, inner.end))?.[1] : undefined;
  if (choice !== undefined) return tidied(passage.text, inner.start, inner.start + choice.length);
  const cut = withoutReason(passage, inner, seek);
  return tidied(passage.text, cut.start, cut.end);
}

function isMathematical(answer: string): boolean {
  return /[\d$\\]/u.test(answer.slice(0, 3));
}

/** A long explanation behind a phrase counts where the response ends with it. */
function isLastWord(text: string, lead: Lead, inner: Span, span: Span): boolean {
  if (lead.kind !== 'sign') return true;
  const gap = text.slice(inner.end, Math.min(span.end, inner.end + maxReach));
  const paragraph = gap.search(/\n[ \t\r]{0,64}\n/u);
  const rest = paragraph < 0 ? gap.length : paragraph;
  return trimmed(text, inner.end + rest, span.end).start >= span.end - 200;
}

/** What the paragraph that a heading or colon announces comes to. */
function toTheEnd(text: string, inner: Span, span: Span, seek: Seek): Extraction[] {
  const limit = Math.min(span.end, inner.start + maxReach);
  const gap = text.slice(inner.start, limit).search(/\n[ \t\r]{0,64}\n/u);
  const whole = { start: inner.start, end: gap < 0 ? limit : inner.start + gap };
  return readings(text, whole, seek).map((each): Extraction => ({ ...each, mark: 'phrase' }));
}

/** {"answer": 42}: a scalar, or a string without its quotes. */
function keyClaim(text: string, lead: Lead, start: number, limit: number): Claim | undefined {
  const ahead = text.slice(start, limit);
  const quoted = /^(["'])((?:\\[\s\S]|(?!\1)[^\\\n]){1,2000})\1/u.exec(ahead)?.[2];
  const inner =
    quoted === undefined
      ? tidied(text, start, start + (/^[^\s"'{}[\],]{1,200}/u.exec(ahead)?.[0].length ?? 0))
      : trimmed(text, start + 1, start + 1 + quoted.length);
  if (inner.start >= inner.end) return undefined;
  const outer = { start: lead.start, end: inner.end };
  return { at: lead.start, outer, weight: 'firm', spans: [extraction(text, inner, 'phrase')] };
}

const reversed =
  /(?<!\p{L})is (?:therefore |thus |indeed )?(?:the|our|my) (?:(?:final|correct|right|best|desired) ){0,2}(?:answer|option|choice)(?!\p{L})|(?<!\p{L})is (?:the )?correct(?=[.!\s*]*(?:$|\n|[.!]))/giu;

/** "So 45 is the answer.", "Option B is correct." */
function reversedClaims(text: string, span: Span, programs: readonly Fence[], seek: Seek): Claim[] {
  const part = text.slice(span.start, span.end);
  const claims: Claim[] = [];
  for (const { 0: words, index } of [...part.matchAll(reversed)].slice(-maxClaims)) {
    const at = span.start + index;
    if (insideFence(programs, at)) continue;
    const from = Math.max(span.start, at - 200);
    const passage = passageOf(text, from, at);
    const inner = subject(passage);
    if (inner === undefined) continue;
    const answer = text.slice(inner.start, inner.end);
    if (!isValue(answer, seek) || seek === 'line') continue;
    const outer = { start: inner.start, end: at + words.length };
    claims.push({ at, outer, weight: 'firm', spans: [extraction(text, inner, 'phrase')] });
  }
  return claims;
}

/** The subject of a sentence that breaks off at the end of `passage`. */
function subject(passage: Passage): Span | undefined {
  const before = masked(passage, passage.start, passage.end);
  const start = before.search(
    /(?:^|(?<=[.!?,;:\n]\s{0,3}|(?<!\p{L})(?:so|thus|hence|therefore|that|and|conclude)\s))[^.!?,;:\n]{1,80}$/iu,
  );
  if (start < 0) return undefined;
  const lead =
    /^(?:so|thus|hence|therefore|that|and)\s{1,3}/iu.exec(before.slice(start))?.[0] ?? '';
  const inner = tidied(passage.text, passage.start + start + lead.length, passage.end);
  return inner.start < inner.end ? inner : undefined;
}
