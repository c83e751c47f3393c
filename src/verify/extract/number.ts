// Numbers as they are written in running text: signs, thousands separators, decimals, fractions, mixed numbers, percent,
// powers of ten, money, and a unit behind them. Knows nothing of their values.
import { unitWord } from './shape.ts';
import type { Span } from './span.ts';

/** A time of day or a ratio. */
const colons = String.raw`\d{1,6}(?:\s?:\s?\d{1,6}){1,3}(?![\d.:])(?:\s?[aApP]\.?[mM](?!\p{L}))?`;
const digits = String.raw`(?:\d{1,3}(?:(?:,|\{,\}|[ \u00a0\u202f\u2009])\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+`;
const power = String.raw`(?:[eE][-+]?\d{1,5}(?![\p{L}\d])|\s{0,2}(?:\u00d7|\\times|\\cdot|\*|x)\s{0,2}10(?:\^\{?|\*\*)[-+\u2212]?\d{1,5}\}?)`;
const fraction = String.raw`(?:\s{0,1}/\s{0,1}\d+(?:\.\d+)?(?![\d/])|\s\d{1,6}/\d{1,6}(?![\d/]))`;
const texFraction = String.raw`\\[dt]?frac\s?\{\s?[-\u2212]?\d{1,32}\s?\}\s?\{\s?\d{1,32}\s?\}`;
const money = String.raw`(?:\\?\$|[\u20ac\u00a3\u00a5\u20b9])\s?`;

/** A number with its sign; not the digits of a name ("x2", "H2O"), of a date or of a version. */
const number = new RegExp(
  String.raw`(?:(?<![\p{Lu}\p{Ll}\p{N})\]}\ue000]|[\p{N})\]}\ue000]\s)[-+\u2212\u00b1]|(?<==\s?)[-\u2212]\s)?(?:${money}[-\u2212]?)?(?:${texFraction}|(?<![\p{Lu}\p{Ll}\p{N}_]|\d[.,:]|\\)(?:${colons}|${digits})(?:${power}|${fraction})?)(?:\s?\\?%)?`,
  'gu',
);

/** Numbers that count parts of the text, not things. */
const ordinal =
  /(?:step|case|part|figure|fig\.|eq\.|equation|line|problem|question|exercise|method|example|section)\s?#?$/iu;

/** The numbers of `text` (a slice of a response that begins at `offset`), in order. */
export function numbersIn(text: string, offset: number): Span[] {
  const found: Span[] = [];
  for (const { 0: number_, index } of text.matchAll(number)) {
    if (ordinal.test(text.slice(Math.max(0, index - 12), index))) continue;
    found.push({ start: offset + index, end: offset + index + number_.length });
  }
  return found;
}

/** Unit words that are everyday words as well. */
const everyday = /^(?:in|A|a|I|N)$/u;

/** Where a unit behind `end` ends; `end` where none follows. "5 square feet", "60 miles per hour". */
export function unitEnd(text: string, end: number, limit: number): number {
  const first = oneUnit(text, end, limit);
  if (first === end) return end;
  const power = oneUnit(text, first, limit);
  // "6 square units" has no unit that anybody could convert.
  if (/\s(?:sq|square|cu|cubic)$/u.test(text.slice(end, first))) return power > first ? power : end;
  const per = /^ (?:per|a) /u.exec(text.slice(first, Math.min(limit, first + 5)))?.[0].length ?? 0;
  const second = per === 0 ? power : oneUnit(text, first + per - 1, limit);
  const last = per > 0 && second === first + per - 1 ? first : second;
  return (
    last + (/^ (?:squared|cubed)(?!\p{L})/u.exec(text.slice(last, last + 10))?.[0].length ?? 0)
  );
}

function oneUnit(text: string, end: number, limit: number): number {
  const behind = text.slice(end, Math.min(limit, end + 24));
  const unit =
    /^(?:\s|\\[,; ]){0,2}([\p{L}\u00b0%][\p{L}\u00b0\u00b2\u00b3/^\d]{0,15})(?![\p{L}\d=+]|\*[\p{L}\d(])/u.exec(
      behind,
    );
  if (unit?.[1] === undefined || everyday.test(unit[1]) || !isUnit(unit[1])) return end;
  return end + unit[0].length;
}

function isUnit(word: string): boolean {
  return unitWord.test(word) || word.split('/').every((part) => unitWord.test(part));
}
