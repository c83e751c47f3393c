// Text: the same words, written alike. By default letter case, spaces, typography, Markdown and a closing full stop do
// not matter; with `exact` nothing but the blanks around the text is left out.
import type { Kind, Reading } from '../types.ts';
import { plainTypography, unwrapped, withoutFonts } from './plain.ts';
import { keyed, right, undecided, wrong } from './verdicts.ts';

export interface TextSettings {
  /** Compare code point by code point after trimming; the other settings then mean nothing. Default false. */
  exact?: boolean;
  /** Default false. */
  caseMatters?: boolean;
  /**
   * `ignored` leaves out punctuation, but for what stands between or before digits ("3.14", "-5"). Default `matters`;
   * a closing full stop never matters.
   */
  punctuation?: 'matters' | 'ignored';
  /** `ignored` leaves out "a", "an" and "the". Default `matters`. */
  articles?: 'matters' | 'ignored';
}

export function textKind(settings: TextSettings = {}): Kind {
  const read = (answer: string): Reading | null => {
    const text = settings.exact ? answer.trim() : normalText(answer, settings);
    return text === '' ? null : keyed('text', text, text);
  };
  return {
    name: 'text',
    seek: 'line',
    read,
    compare(gold, answer) {
      const [a, b] = [read(gold), read(answer)];
      if (a === null && b === null) return undecided('unreadable', 'both answers are empty');
      if (a === null || b === null) return wrong('unreadable', 'only one answer has text');
      return a.key === b.key ? right('text', 'the same text') : wrong('text', 'another text');
    },
  };
}

/** The form in which texts that a reader takes as the same are the same; empty where nothing is left. */
export function normalText(answer: string, settings: Omit<TextSettings, 'exact'> = {}): string {
  const { caseMatters = false, punctuation = 'matters', articles = 'matters' } = settings;
  let text = plainTypography(withoutFonts(unwrapped(answer)).replaceAll('**', ''));
  text = unwrapped(text.replace(/\\[ ,;!]|~/g, ' '));
  if (!caseMatters) text = folded(text);
  if (punctuation === 'ignored') text = withoutPunctuation(text);
  if (articles === 'ignored') text = withoutArticles(text);
  return text.replace(/\s+/g, ' ').trim();
}

/** Upper case first, so that "STRASSE" is "Straße". */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase().normalize('NFKC');
}

function withoutPunctuation(text: string): string {
  return text
    .replace(/(?<!\d)[.']|[.'](?!\d)/g, '')
    .replace(/(?<!\d)[,:/]|[,:/](?!\d)/g, ' ')
    .replace(/(?<=[\p{L}\p{N}])-|-(?!\d)/gu, ' ')
    .replace(/[^\P{P}.,:/'-]/gu, ' ');
}

/** Unless nothing else is left: "A" may be the answer. */
function withoutArticles(text: string): string {
  const rest = text.replace(/(?<![\p{L}\p{N}])(?:an?|the)\s+(?=\S)/giu, '');
  return rest.trim() === '' ? text : rest;
}
