// What an answer is read as: a number, a choice, a list of numbers or text, each with a canonical key. Two answers are
// the same exactly where their keys are. Knows nothing of responses, deadlines or verdicts.
import { normalText, unwrap } from './normalise.ts';
import { parseRational, type Rational, rationalKey } from './rational.ts';

/** An answer as it was read; `key` null where it could not be read. */
export interface Reading {
  key: string | null;
  /** What the answer was read as; the rung of a verdict. */
  rung: 'number' | 'choice' | 'list' | 'text' | 'unreadable';
  /** The answer without its wrapping. */
  text: string;
  number?: Rational;
  /** A list without its brackets. */
  items?: string;
  /** The letter that the text would name if it were an answer to a choice. */
  letter?: string;
}

/** Lists with more items are read as text. */
const maxItems = 256;

export function readNumber(answer: string): Reading {
  const text = unwrap(answer);
  const number = parseRational(text, { spaces: true });
  if (number === undefined) return { key: null, rung: 'unreadable', text };
  return { key: `n:${rationalKey(number)}`, rung: 'number', text, number };
}

export function readChoice(answer: string): Reading {
  const text = unwrap(answer);
  const letter = bareLetter(text) ?? labelLetter(text);
  if (letter === undefined) return { key: null, rung: 'unreadable', text };
  return { key: `c:${letter}`, rung: 'choice', text, letter };
}

export function readText(answer: string, caseMatters: boolean): Reading {
  const text = unwrap(answer);
  const list = readList(text);
  if (list !== undefined) return list;
  const normal = normalText(text, caseMatters);
  if (normal === '') return { key: null, rung: 'unreadable', text };
  return { key: `t:${normal}`, rung: 'text', text, ...letterOf(text) };
}

/** Decides by the form of the answer: a number, a lone capital letter, a list of numbers, else text. */
export function readAny(answer: string): Reading {
  const text = unwrap(answer);
  const number = parseRational(text);
  if (number !== undefined) {
    return { key: `n:${rationalKey(number)}`, rung: 'number', text, number };
  }
  const letter = bareLetter(text);
  if (letter !== undefined) return { key: `c:${letter}`, rung: 'choice', text, letter };
  return readText(answer, false);
}

function letterOf(text: string): { letter?: string } {
  const letter = labelLetter(text);
  return letter === undefined ? {} : { letter };
}

/** "B", "b", "(B)", "[B]", "B)", "B:", "option B", "choice (b)". */
function bareLetter(text: string): string | undefined {
  const short = /^(?:option |choice |answer )?[([]?([A-Z])[)\]]?:?$/iu.exec(text.slice(0, 24));
  return short === null || text.length > 24 ? undefined : short[1]?.toUpperCase();
}

/** "(B) 45", "B) 45", "B. the cat", "B: 45". */
function labelLetter(text: string): string | undefined {
  const label = /^(?:[([]([A-Z])[)\]]|([A-Z])[).:\]])\s/u.exec(text.slice(0, 8));
  return label?.[1] ?? label?.[2];
}

const brackets: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['\\{', '\\}'],
];

/** Two or more numbers parted by blanks, commas or semicolons, in brackets or not. Their order matters. */
function readList(text: string): Reading | undefined {
  const pair = brackets.find(([open, close]) => text.startsWith(open) && text.endsWith(close));
  const inner = pair === undefined ? text : text.slice(pair[0].length, -pair[1].length);
  const tokens = inner.trim().split(/[,;\s]+/u, maxItems + 1);
  if (tokens.length < 2 || tokens.length > maxItems) return undefined;
  const keys: string[] = [];
  for (const token of tokens) {
    const value = parseRational(token);
    if (value === undefined) return undefined;
    keys.push(rationalKey(value));
  }
  const items = keys.join(' ');
  return { key: `l:${pair?.[0] ?? ''}${items}`, rung: 'list', text, items };
}

/** Whether `text` has the value of `number` among other words ("45 cm", "x = 45"), whatever its sign. */
export function mentions(text: string, number: Rational): boolean {
  const wanted = rationalKey({ ...number, num: number.num < 0n ? -number.num : number.num });
  let looked = 0;
  for (const [token] of text.matchAll(/\d[\d.,/]*/gu)) {
    if (looked++ === maxItems) return false;
    const value = parseRational(token.replace(/[.,/]$/u, ''));
    if (value !== undefined && rationalKey(value) === wanted) return true;
  }
  return false;
}
