// Where an answer ends inside a sentence ("5, because ...", "12 apples (since ...)"), and which part of a sentence states
// what the sentence is for ("Since x = 3, the area is 9 when ..." states that the area is 9).
import type { Seek } from '../types.ts';
import { masked, type Passage } from './passage.ts';
import { isValue } from './shape.ts';
import { type Span, trimmed } from './span.ts';
import { tidied } from './tidy.ts';

/** What follows gives a reason or goes on with another thought. */
const reason =
  /[,;:\u2014\u2013-]?\s{0,3}(?:(?<!\p{L})(?:because|since|as|so|which|where|when|whenever|for|after|by(?=\s\p{L}{3})|due to|thus|hence|therefore|given|assuming|provided|using|if|while|but|not|rather than|instead of|that is|i\.e\.|making|giving|meaning|and (?:this|so|we|the|that|it|thus|therefore|hence|not)|or (?:about|approximately|equivalently|simply|roughly)|in (?:total|all)|(?:square |cubic |sq\. )?units?|per the|based on|according to|as required|from|on|at|with)(?!\p{L})|[\uff0c,](?:\u56e0\u4e3a|\u7531\u4e8e|\u6240\u4ee5|\u5373|\u5176\u4e2d)|[\u56e0\u7531](?:\u4e3a|\u4e8e))|(?<=\s)(?:\u2014|\u2013|-{2,3})(?=\s)|(?<=[^\s])\u2014|[,;]\s{1,3}(?!(?:and|or|then)(?!\p{L}))(?=\p{Ll}{3,})|\s{1,3}\((?=\ue001{2})|[;\uff1b]/giu;

/** The few words that end a phrase of plain words. */
const strictReason =
  /[,;\u2014\u2013]?\s{0,3}(?<!\p{L})(?:because|since|due to)(?!\p{L})|[,;]\s{1,3}(?:as|which|so|where|but|not|thus|hence|therefore)(?!\p{L})|(?<=\s)\u2014(?=\s)|[\uff0c,](?:\u56e0\u4e3a|\u7531\u4e8e)/giu;

/** Clause words that are tried in one sentence. */
const maxCuts = 24;

/** `span` up to the first clause word that has an answer before it; all of it where there is none. */
export function withoutReason(passage: Passage, span: Span, seek: Seek): Span {
  const mask = masked(passage, span.start, span.end);
  let tried = 0;
  for (const { 0: found, index } of mask.matchAll(seek === 'line' ? strictReason : reason)) {
    if (tried++ === maxCuts) break;
    const before = tidied(passage.text, span.start, span.start + index);
    if (before.start >= before.end || (found.endsWith('(') && !isRemark(passage, span, index)))
      continue;
    if (isValue(passage.text.slice(before.start, before.end), seek)) return before;
  }
  return span;
}

/** "5 (since x > 0)" has a remark, "2 (x + 12345)" a factor. */
function isRemark(passage: Passage, span: Span, index: number): boolean {
  const inside = passage.text.slice(span.start + index, span.start + index + 12);
  return /^\s{1,3}\((?!(?:sin|cos|tan|log|exp|sqrt)(?!\p{L}))\p{L}{2}/u.test(inside);
}

const subordinate =
  /^(?:(?:and|so|now|then|thus|but|finally|therefore|hence),?\s)?(?:since|because|as|when|if|for|with|given|using|substituting|plugging|from|by|after|while|although|setting|letting|where|at|in|of|among|let|on|to|out of|dividing|multiplying|adding|subtracting|solving)(?!\p{L})/iu;

/** `sentence` without a subordinate clause before it: "Since $n = 3$, there are 12" is "there are 12". */
export function mainClause(passage: Passage, sentence: Span): Span {
  let span = sentence;
  for (let clause = 0; clause < 3; clause++) {
    const mask = masked(passage, span.start, span.end);
    if (!subordinate.test(mask.slice(0, 48))) break;
    const comma = mask.search(/[,\uff0c]\s/u);
    if (comma < 0) break;
    const rest = trimmed(passage.text, span.start + comma + 1, span.end);
    if (!/[\d\ue000\p{L}]/u.test(masked(passage, rest.start, rest.end))) break;
    span = rest;
  }
  return span;
}

/** A clause that follows from what stands before it. "So that" and a value rounded once more are none. */
const therefore =
  /(?:[,;\uff0c\uff1b]\s{0,3}|\s[\u2014-]\s|(?<=\s))(?:and |but )?(?:so|thus|hence|therefore|which (?:gives|means|yields|makes|leaves)|giving|yielding)(?!\p{L})(?! that| (?:far|on)(?!\p{L}))|;(?=\s(?:since|as|because)\s[^;,]{1,80},\s)|;(?=\s(?!(?:indeed|since|because|where|note|which|as|for|and|or)(?!\p{L}))\p{L}{2,}\s)|(?:\u6240\u4ee5|\u56e0\u6b64|\u4ece\u800c|\u56e0\u800c|(?<=[\uff0c,;\uff1b])\u6545)/giu;

/** What gives a reason or a side remark behind a statement. */
const support =
  /(?<!(?:and|but|so|;)),?\s(?:because|since|rejecting|discarding)(?!\p{L})|[,;]\s(?:indeed|as \ue000)|[,(]?\s(?:which|that) is (?:approximately|about|roughly)(?!\p{L})|\s?\uff08(?=[^\uff08\uff09]{1,80}\uff09\s{0,2}$)|,\s(?:or |that is,? |i\.e\.,? )?(?:approximately|about|roughly)(?!\p{L})/iu;

/** The parts of `clause` to read, the best first: behind its last "so", before a "because", all of it. */
export function partsOf(passage: Passage, clause: Span): Span[] {
  const mask = masked(passage, clause.start, clause.end);
  const parts: Span[] = [];
  const last = [...mask.matchAll(therefore)].at(-1);
  const from = last === undefined ? clause.start : clause.start + last.index + last[0].length;
  const lines = from > clause.start ? [from, clause.start] : [clause.start];
  for (const start of lines) {
    const stop = masked(passage, start, clause.end).search(support);
    if (stop > 0) parts.push(trimmed(passage.text, start, start + stop));
    parts.push(mainClause(passage, trimmed(passage.text, start, clause.end)));
  }
  return parts;
}
