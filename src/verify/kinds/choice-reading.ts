// Reads which options an answer names: labels in any dress, alone, in a list, or before a text.
import { isNumber, normalLabel, type Options, optionText } from './choice-options.ts';
import { plainTypography, unwrapped, withoutFonts } from './plain.ts';

export interface Chosen {
  /** Labels in normal spelling; undefined where there is only text. */
  labels?: readonly string[];
  /** What stands behind the label or instead of it, in the form of `optionText`; may be empty. */
  text: string;
  isNumber: boolean;
  /** "A or C": which of them is left open. */
  hedged: boolean;
  /** The text is that of another option than the label. */
  conflict: boolean;
}

/** Labels longer than this (Roman numerals) do not exist. */
const maxLabel = 6;

/** More labels than this are text. */
const maxLabels = 32;

/** What people write before the letter. */
const preamble =
  /^(?:(?:so|thus|hence|therefore),?\s)?(?:the\s|my\s)?(?:final\s|correct\s|best\s|right\s)?(?:answer|option|choice|letter)s?(?![a-z])(?:\s(?:choice|option|letter)s?)?(?:\s(?:is|are|would be))?\s?[:=]?\s*|^(?:i (?:choose|pick|select)|it is|it's|both)\s+/i;

/** The same in Chinese: "综上所述，本题选", but nothing that refuses ("不选"). */
const chinesePreamble =
  /^(?:[^\P{Script=Han}\u4e0d\u975e\u522b\u9519\u8bef]|[, ]){0,20}?(?:\u9009\u9879|\u9009\u62e9?|\u7b54\u6848)(?:\u5e94?\u662f|\u4e3a)?\s?:?\s*/u;

/** What people write behind it, beside the option's text. */
const postscript =
  /^(?:\u9009?\u9879|,?\s(?:is|as|because|since)\s|,?\s(?:is|are)\s(?:the\s)?(?:correct|right))/i;

/** Null for an answer without a letter or a digit. */
export function readChosen(answer: string, options: Options, several: boolean): Chosen | null {
  const whole = spelled(answer);
  const text = withoutPreamble(whole);
  if (text === '') return null;
  const list = readList(text, options, several);
  if (list !== undefined) return list;
  const label = leadingLabel(text, options);
  if (label !== undefined) {
    const owner = options.byText.get(optionText(label.rest)) ?? label.label;
    return { ...plainly(label.rest), labels: [label.label], conflict: owner !== label.label };
  }
  // The whole first: an option may itself begin like a preamble ("It is raining").
  const owner = options.byText.get(optionText(whole)) ?? options.byText.get(optionText(text));
  const plain = plainly(text);
  if (owner === undefined || owner === null) return plain.text === '' ? null : plain;
  return { ...plain, labels: [owner] };
}

function plainly(text: string): Chosen {
  return { text: optionText(text), isNumber: isNumber(text), hedged: false, conflict: false };
}

/** One line, without fonts, Markdown and LaTeX spaces. */
function spelled(answer: string): string {
  const plain = withoutFonts(unwrapped(answer))
    .replace(/[*`]/g, '')
    .replace(/\\(?:quad|qquad|left|right|boldsymbol|bf|rm)(?![a-z])|\\[ ,;:!]|~/g, ' ');
  return unwrapped(plainTypography(plain).replace(/\s+/g, ' '));
}

function withoutPreamble(text: string): string {
  let rest = text;
  for (let again = 0; again < 3; again++) {
    const inner = unwrapped(rest.replace(preamble, '').replace(chinesePreamble, ''));
    if (inner === rest || inner === '') break;
    rest = inner;
  }
  return rest;
}

const separator = /\s?(?:[,;&+/|\u3001]|\b(?:and|or)\b|[\u548c\u6216\u4e0e])\s?/i;

/** An answer that is labels and nothing else. */
function readList(text: string, options: Options, several: boolean): Chosen | undefined {
  if (text.length > maxLabels * (maxLabel + 6)) return undefined;
  const hedged = /\bor\b|\u6216/i.test(text);
  const open = text.replace(/^[{[](.*)[}\]]$/, '$1').replace(/\)\s?\(/g, '),(');
  const parts = open.split(new RegExp(`(?:${separator.source}){1,3}|\\s`, 'i'));
  const labels: string[] = [];
  for (const part of parts.filter((piece) => piece !== '')) {
    const label = bareLabel(part, options, parts.length > 1);
    if (label === undefined) return compactList(text, options, several);
    labels.push(label);
  }
  return labels.length === 0 || labels.length > maxLabels
    ? undefined
    : chosenOf(labels, several, hedged);
}

/** "AC": capital letters, or one-letter labels of known options; in order where there is but one right option. */
function compactList(text: string, { labels }: Options, several: boolean): Chosen | undefined {
  const letters = Array.from(labels.size > 0 ? text.toUpperCase() : text);
  const isKnown = (char: string) => (labels.size > 0 ? labels.has(char) : /^[A-Z]$/.test(char));
  const isSet = letters.length <= 26 && new Set(letters).size === letters.length;
  const inOrder = letters.every((char, at) => at === 0 || (letters[at - 1] ?? '') < char);
  if (!letters.every(isKnown) || !isSet || !(several || inOrder)) return undefined;
  return chosenOf(letters, several, false);
}

function chosenOf(labels: readonly string[], several: boolean, hedged: boolean): Chosen {
  const set = [...new Set(labels)];
  const named = several || hedged ? set.sort() : labels;
  return {
    labels: named,
    text: '',
    isNumber: false,
    hedged: hedged && set.length > 1,
    conflict: false,
  };
}

/** "B", "(B)", "[b]", "B)", "B.", "B:"; in a list a small letter must be a known label or stand in brackets. */
function bareLabel(part: string, options: Options, inList: boolean): string | undefined {
  const match = /^([([]?)([\p{L}\p{N}]{1,6})([)\]]?)[.:]?$/u.exec(part);
  if (match === null) return undefined;
  const [, open = '', word = '', close = ''] = match;
  const label = labelIn(word, options);
  if (label === undefined) return undefined;
  const small = word === word.toLowerCase() && word !== word.toUpperCase();
  return inList && small && open + close === '' && options.labels.size === 0 ? undefined : label;
}

/** "2.5" and "e.g." and "U.S." begin with no label. */
const noLabel = /^(?:\d{1,6}\.\d|\p{Ll}\.\S|(?:\p{Lu}\.){2})/u;

/** "(B) 45", "[b] 45", "B) 45", "B. the cat", "B: 45"; with a capital also "B - 45", "B, as ...". */
const labelled =
  /^(?:[([]([\p{L}\p{N}]{1,6})[)\]][.:,]?\s?|([\p{L}\p{N}]{1,6})[).:\]]\s?|(\p{Lu})(?:\s?-\s|,\s))(?=\S)/u;

/** A label with something behind it. "B is correct" is a label and nothing else. */
function leadingLabel(text: string, options: Options): { label: string; rest: string } | undefined {
  const match = noLabel.test(text) ? null : labelled.exec(text);
  const label =
    match === null ? undefined : labelIn(match[1] ?? match[2] ?? match[3] ?? '', options);
  if (match !== null && label !== undefined) return { label, rest: text.slice(match[0].length) };
  const capital = /^[A-Z](?=\P{L}|\p{Script=Han})/u.test(text)
    ? labelIn(text.slice(0, 1), options)
    : undefined;
  return capital !== undefined && postscript.test(text.slice(1))
    ? { label: capital, rest: '' }
    : undefined;
}

/** A known label; a capital also where it is the label of no option; any letter where no option is known. */
function labelIn(word: string, { labels }: Options): string | undefined {
  const label = normalLabel(word);
  if (labels.has(label)) return label;
  const letters = [...labels].every((known) => /^[A-Z]$/.test(known));
  const isLetter = labels.size === 0 ? /^[A-Z]$/.test(label) : /^[A-Z]$/.test(word);
  return letters && isLetter ? label : undefined;
}
