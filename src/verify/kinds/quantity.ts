// Reads "about $1.5 million", "x = 3/4", "12 \text{ cm}^2", "45 %" as an exact number with the words that stand by it.
// Knows nothing of tolerance, and converts no units: it only tells whether two are written alike.

import { parseUnit } from '../math/units.ts';
import { parseRational, type Rational } from '../rational.ts';
import { plainTypography, unwrapped, withoutFonts } from './plain.ts';

export interface Quantity {
  /** Exact; 45 % is 45/100, 2 million is 2000000. */
  value: Rational;
  /** The unit as written, in lower case; empty where there is none. */
  unit: string;
  /** Equal for the same unit however it is written; empty where there is none. */
  unitKey: string;
}

/** What may stand before a number that is rounded. */
const hedge =
  /^(?:(?:is|about|approximately|approx\.?|around|roughly|nearly|almost|circa|ca\.)\s|[~=\u2248]|\\(?:approx|sim|simeq)(?![a-z]))\s*/i;

/** "x =", "A_1 =", "total cost:". */
const name = /^[\p{L}\\][\p{L}\p{N}\\_{}' ]{0,39}?(?:\([\p{L}\p{N}, ]{0,20}\))?\s*[=:]/u;

const currency =
  /^([-+]?)\s?(?:(?:US|CA|AU|A|C|HK|NZ)?\$|[\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd])\s?/;

const factors: Record<string, bigint> = {
  dozen: 12n,
  hundred: 100n,
  thousand: 1000n,
  million: 10n ** 6n,
  billion: 10n ** 9n,
  trillion: 10n ** 12n,
  '\u767e': 100n,
  '\u5343': 1000n,
  '\u4e07': 10n ** 4n,
  '\u4ebf': 10n ** 8n,
};

const factor =
  /^(dozen|hundred|thousand|million|billion|trillion|[\u767e\u5343\u4e07\u4ebf])s?(?![a-z])\s*(?:of\s)?/i;

const percentWord = /^(?:percent|per cent|pct)(?![a-z])/i;

/** Words that say more about the number than what it counts, and letters that are variables as a rule. */
const noUnit =
  /^(?:and|or|to|plus|minus|times|over|half|not|than|pi|sqrt|[abceijknpqruvwxyzBDEIMOPQRXYZ])$/;

const unitPart = /^[\p{L}\p{Sc}\u00b0]+(?:\^?\{?-?\d\}?)?\.?$/u;

/** Signs that stand for the name of a unit. */
const signs: Record<string, string> = {
  '\u00b0': 'degree',
  $: 'dollar',
  us$: 'dollar',
  '\u20ac': 'euro',
  '\u00a3': 'gbp',
  '\u00a5': 'yuan',
  '\u5143': 'yuan',
  '\u5757': 'yuan',
  '\u20b9': 'rupee',
};

/**
 * The quantity that the whole of `answer` writes; null where it writes none, or more than one. Of "1/3 ≈ 0.333" it is
 * the exact side, of "2 + 3 = 5" the last.
 */
export function readQuantity(answer: string): Quantity | null {
  const text = spelled(answer);
  const sides = text.split(/\u2248|\\approx(?![a-z])|\\simeq(?![a-z])/, 3);
  for (const side of sides) {
    const found = readSide(side.trim());
    if (found !== null) return found;
  }
  return null;
}

function spelled(answer: string): string {
  return plainTypography(withoutFonts(unwrapped(answer)))
    .replace(/(\d)\*\*(?=[-{\d])/g, '$1^')
    .replaceAll('**', '')
    .replace(/\\(?:left|right)(?![a-z])|\\!/g, '')
    .replace(/\^\{?\s?\\circ\s?\}?|\\degree(?![a-z])/g, '\u00b0')
    .replace(/\\([$%])/g, '$1')
    .replace(/\\[ ;:]|~(?=[\d\p{L}])/gu, ' ')
    .replace(/\\(?:times|cdot)(?![a-z])/g, '*')
    .replace(/\u00b0\s(?=[CFK](?![a-z]))/g, '\u00b0')
    .trim();
}

function readSide(side: string): Quantity | null {
  const equals = side.lastIndexOf('=');
  let text = equals > 0 ? side.slice(equals + 1).trim() : side.replace(name, '').trim();
  for (let again = 0; again < 3 && hedge.test(text); again++) text = text.replace(hedge, '');
  const sign = currency.exec(text);
  const before = sign === null ? '' : sign[0].replace(/[-+\s]/g, '');
  if (sign !== null) text = `${sign[1] ?? ''}${text.slice(sign[0].length)}`;
  const end = unitStart(text);
  const value = readValue(text.slice(0, end));
  return value === undefined ? null : withUnit(value, text.slice(end), before);
}

/** Where the number ends: the first letter or sign of a unit. */
function unitStart(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at, at + 8);
    const command = /^\\(?:[dtc]?frac|,)/.exec(rest);
    if (command !== null) at += command[0].length - 1;
    else if (/^[\p{L}\p{Sc}\u00b0\\]/u.test(rest) && !/^(?:e[-+]?\d|x\s?10\^)/i.test(rest))
      return at;
  }
  return text.length;
}

function readValue(text: string): Rational | undefined {
  const plain = text
    .trim()
    .replace(/(?:-|\\,)$/, '')
    .trim()
    .replace(/^\((.*)\)$/s, '$1');
  const power = /^([-+]?)10\^(?:\{\s?([-+]?\d{1,4})\s?\}|([-+]?\d{1,4}))$/.exec(plain);
  const number = power === null ? plain : `${power[1]}1e${power[2] ?? power[3]}`;
  return parseRational(number.replace(/^\+/, ''), { spaces: true });
}

/** The number with what the words behind it make of it. */
function withUnit(value: Rational, tail: string, before: string): Quantity | null {
  let rest = tail.replace(/\\,/g, ' ').trim();
  let scaled = value;
  const many = factor.exec(rest);
  if (many !== null) {
    scaled = { ...scaled, num: scaled.num * (factors[(many[1] ?? '').toLowerCase()] ?? 1n) };
    rest = rest.slice(many[0].length);
  }
  const percent = percentWord.exec(rest);
  if (percent !== null && !value.percent) {
    scaled = { ...scaled, den: scaled.den * 100n, percent: true };
    rest = rest.slice(percent[0].length).trim();
  }
  const unit = rest === '' ? before : rest;
  const key = unitKey(unit);
  const reduced = parseRational(`${scaled.num}/${scaled.den}`);
  if (key === null || reduced === undefined) return null;
  return { value: { ...reduced, percent: scaled.percent }, unit: unit.toLowerCase(), unitKey: key };
}

/** Of up to four words or signs, each with an exponent perhaps; null where it is something else. */
function unitKey(text: string): string | null {
  if (text === '') return '';
  if (text.length > 60) return null;
  const parts = text.split(/\s*[/*\u00b7]\s*|\s+/).filter((part) => part !== '');
  const isUnit = parts.every(
    (part) => unitPart.test(part) && !noUnit.test(part.length > 1 ? part.toLowerCase() : part),
  );
  if (!isUnit || parts.length > 4) return null;
  const named = text.toLowerCase().replace(/(?:us)?\p{Sc}|[\u00b0\u5143\u5757]/gu, (sign) => {
    return ` ${signs[sign] ?? sign}`;
  });
  const unit = parseUnit(named);
  return unit === null ? '' : `${unit.dimension} x ${unit.factor}`;
}
