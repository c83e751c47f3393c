// The options of a multiple choice question, as answers are looked up in them.
import { parseRational, rationalKey } from '../rational.ts';
import { normalText } from './text.ts';

export interface Options {
  /** Labels in normal spelling; empty where the options are not known. */
  labels: ReadonlySet<string>;
  /** Labels by what `optionText` makes of the text; null where two options have it. */
  byText: ReadonlyMap<string, string | null>;
  /** Whether every option is a number, so that another number is none of them. */
  allNumbers: boolean;
}

export function optionsOf(options: Readonly<Record<string, string>> | null): Options {
  const labels = new Set<string>();
  const byText = new Map<string, string | null>();
  let allNumbers = options !== null;
  for (const [label, text] of Object.entries(options ?? {})) {
    const plain = optionText(text);
    labels.add(normalLabel(label));
    byText.set(plain, byText.has(plain) ? null : normalLabel(label));
    allNumbers &&= isNumber(text);
  }
  return { labels, byText, allNumbers };
}

/** "(b)", "B." and "ｂ" are B. */
export function normalLabel(label: string): string {
  return label
    .normalize('NFKC')
    .replace(/[\s()[\].:]/g, '')
    .toUpperCase();
}

/** Numbers by value; other text without case, articles, punctuation and wrapping. */
export function optionText(text: string): string {
  const plain = normalText(text);
  const value = parseRational(plain);
  if (value !== undefined) return `= ${rationalKey(value)}`;
  return normalText(text, { punctuation: 'ignored', articles: 'ignored' });
}

export function isNumber(text: string): boolean {
  return parseRational(normalText(text)) !== undefined;
}

/** Labels as a person writes them. */
export function labelsOf(labels: readonly string[] = []): string {
  return labels.join(', ');
}
