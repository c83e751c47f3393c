// The choice that a text settles on in words, where any answer is sought: "Option B is correct.", "this matches (C)", a
// first line "**D**" with an explanation below. Says nothing of letters that are names of points or variables.
import type { Extraction } from '../types.ts';
import { type Passage, sentencesOf } from './passage.ts';
import { extraction } from './run.ts';
import { endOfLine, type Span, trimmed } from './span.ts';

const opens = String.raw`[*_$"'\u201c(\[]{0,4}(?:\\(?:text|textbf|mathbf|mathrm)\{)?`;
const closes = String.raw`[}*_$"'\u201d)\]]{0,5}`;
const letter = String.raw`${opens}([A-J])(?![\p{Lu}\p{Ll}\p{N}'\u2019_^(=+-])${closes}`;
const label = String.raw`(?:answer choice|option|choice|statement|answer|selection)\s{1,2}`;
const praise = String.raw`(?:(?:the|our|my|therefore|thus|indeed|clearly|most|only|a) ){0,3}(?:correct|right|best|true|accurate|appropriate|reasonable|likely|answer)(?!\p{L})(?: (?:answer|option|choice|one|statement)){0,1}`;
const start = String.raw`^(?:(?:so|thus|hence|therefore|finally|and|in conclusion|i (?:believe|think|conclude)|we (?:conclude|see|find)|clearly)(?: that)?,?\s{1,2}){0,2}(?:the |only ){0,2}`;
const end = String.raw`[.!\s*]{0,4}$`;

/** Each finds the letter in a sentence as its first group. */
const sayings = [
  // "Option B is correct", "C seems to be the most reasonable answer", "(D) All of the above is correct"
  String.raw`${start}(?:${label})?${letter}(?:[.:]?\s[^.,;]{1,60}?)?\s(?:is|must be|has to be|seems to be|appears to be) ${praise}`,
  String.raw`${start}(?:${label})${letter}\s(?:works|fits|satisfies|holds|matches)(?!\p{L})`,
  String.raw`^(?:so |thus |hence |therefore )?,?\s?only (?:${label})?${letter}\s(?:works|fits|satisfies|holds|matches|is)(?!\p{L})`,
  // "which is option C", "this matches choice (C)"
  String.raw`(?:which is|that is|this is|it is|it's|it\u2019s|must be|matches|match|fits|gives|leaves|leaving|to|with|as|in|choose|select|pick|say)\s(?:the )?${label}${letter}${end}`,
  String.raw`(?<!\p{L})(?:(?:i|we)(?:'d|\u2019d| would| will|'ll)? (?:choose|select|pick|say|go with)|i'm going with|going with|would be to choose|(?:matches|corresponds to)(?: with)?|leaving(?: only)?|by elimination,|^it's|^it\u2019s|^(?:hence|so|thus|therefore),?|^(?:option|choice|answer choice|ans\.?|answer ?-))\s{0,2}${letter}${end}`,
  // "\u6545\u672c\u9898\u9009 D", "\u56e0\u6b64\u9009\u9879 B \u6b63\u786e"
  String.raw`^[^.]{0,24}?(?:\u9009|\u9078)(?:\u62e9|\u64c7|\u9879|\u9805)?\s{0,2}${letter}\s{0,2}(?:\u9009\u9879|\u6b63\u786e|\u9879)?[\u3002.\s]{0,4}$`,
  String.raw`^\u3010(?:\u7b54\u6848\u3011)?\s{0,2}${letter}(?:\u3011)?$`,
].map((source) => new RegExp(source, 'diu'));

const denial =
  /(?<!\p{L})(?:not|never|cannot|if|whether|would be|wrong|incorrect|false)(?!\p{L})|n['\u2019]t(?!\p{L})|[\u4e0d\u975e]|\?$/iu;

/** Sentences that are read, from the end of the text. */
const maxSentences = 2;

/** Longest line that may be a choice, in UTF-16 units. */
const maxLine = 120;

/** A choice in the first line of a longer text is the head of a section. */
const maxExplained = 2000;

/** The choice that the end of `passage`, or else its first line, settles on: none or one. */
export function optionNamed(passage: Passage): Extraction[] {
  const sentences = sentencesOf(passage, passage.start, passage.end);
  for (const sentence of sentences.slice(-maxSentences).reverse()) {
    const found = inSentence(passage.text, sentence);
    if (found !== undefined) return [extraction(passage.text, found, 'conclusion')];
  }
  const first = firstLine(passage.text, passage);
  return first === undefined ? [] : [extraction(passage.text, first, 'conclusion')];
}

function inSentence(text: string, sentence: Span): Span | undefined {
  const said = text.slice(sentence.start, sentence.end);
  if (said.length > 300 || denial.test(said)) return undefined;
  for (const saying of sayings) {
    const found = saying.exec(said);
    // Patterns ignore case; a choice does not: "so a is the best" speaks of a variable.
    const at = found?.indices?.[1]?.[0];
    if (at === undefined || !/\p{Lu}/u.test(said[at] ?? '') || isArticle(said, at)) continue;
    return { start: sentence.start + at, end: sentence.start + at + 1 };
  }
  return undefined;
}

/** "A square is the best answer". */
function isArticle(said: string, at: number): boolean {
  return /^[AI] (?!(?:is|must|has|seems|appears|works|fits|satisfies|holds|matches)(?!\p{L}))\p{L}/u.test(
    said.slice(at, at + 12),
  );
}

const lone = new RegExp(`^(?:(?:option|choice) )?${letter}[.:]?${closes}$`, 'du');
const withText = /^[*_]{0,3}[([]?([A-H])[)\].:]{1,2}[*_]{0,3}\s[^\n]{1,80}$/du;

/** "**D**" or "D. Nitrogen" in a line of its own, with an explanation below and no other choice at the head of a line. */
function firstLine(text: string, span: Span): Span | undefined {
  const { start: from, end: to } = trimmed(text, span.start, span.end);
  const line = trimmed(text, from, endOfLine(text, from, to));
  if (line.end >= to || to - from > maxExplained || line.end - line.start > maxLine)
    return undefined;
  const said = text.slice(line.start, line.end);
  const found = lone.exec(said) ?? withText.exec(said);
  const at = found?.indices?.[1]?.[0];
  if (at === undefined) return undefined;
  if (/\n[ \t*_>-]{0,6}[([]?[A-H][)\].:]/u.test(text.slice(line.end, to))) return undefined;
  return { start: line.start + at, end: line.start + at + 1 };
}
