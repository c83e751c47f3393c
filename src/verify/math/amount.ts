// Reads one quantity: an expression with a currency before it or a unit behind it, a hedge before it left off; words alone
// are text. Knows nothing of lists or relations.
import { ExpressionParser } from './expression.ts';
import { has, mul, type Node, negative, num, Unparsed } from './node.ts';
import { rawText, type Source, spacedText } from './source.ts';
import type { Token } from './tokens.ts';
import { isUnitWord } from './units.ts';

const hedges = new Set(
  'approximately about roughly exactly around nearly is are be equals equal to simply only either both'.split(
    ' ',
  ),
);
const currencies: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    '\\$': 'dollar',
    euro: 'euro',
    pound: 'pound',
    yen: 'yen',
    rupee: 'rupee',
    '₩': 'won',
    cents: 'cent',
  }),
);

/** One value, with a currency before it or a unit behind it; words alone are text. */
export function quantity(source: Source, first: number, to: number, depth: number): Node {
  const { tokens } = source;
  let from = first;
  while (from < to && tokens[from].kind === 'word' && hedges.has(tokens[from].text.toLowerCase()))
    from++;
  if (
    from + 1 < to &&
    tokens[from].kind === 'word' &&
    /^(?:negative|minus)$/i.test(tokens[from].text)
  ) {
    return negative(quantity(source, from + 1, to, depth));
  }
  const currency = from < to ? currencies.get(tokens[from].text) : undefined;
  if (currency !== undefined) {
    const arg = quantity(source, from + 1, to, depth);
    return arg.op === 'unit' ? arg : { op: 'unit', arg, unit: currency };
  }
  // "-$5"
  const behind =
    from + 1 < to && tokens[from].text === '-' ? currencies.get(tokens[from + 1].text) : undefined;
  if (behind !== undefined) {
    const arg = quantity(source, from + 2, to, depth);
    return {
      op: 'unit',
      arg: {
        op: 'mul',
        args: [{ op: 'num', value: { n: -1n, d: 1n } }, arg.op === 'unit' ? arg.arg : arg],
      },
      unit: currency ?? behind,
    };
  }
  if (tokens.slice(from, to).every(({ kind }) => kind === 'word')) {
    return { op: 'text', text: rawText(source, from === to ? first : from, to) };
  }
  const loose = depth === 0 ? looseUnit(source, from, to) : undefined;
  if (loose !== undefined) {
    const arg = new ExpressionParser(source, from, loose, depth).whole();
    return { op: 'unit', arg, unit: spacedText(source, loose, to) };
  }
  const parser = new ExpressionParser(source, from, to, depth);
  const arg = parser.sum();
  if (parser.at === to) return arg;
  return withUnit(source, arg, parser.at, to, depth);
}

/** Units of one letter, where a blank parts them from a number: "5 m", "9.8 m/s^2". Case matters. */
const letterUnits = new Set([...'mgshLlNJWVAKC']);

/** Where the unit begins in a number with a unit of single letters; undefined where the letters may be variables. */
function looseUnit({ tokens }: Source, from: number, to: number): number | undefined {
  let start = to;
  while (start > from + 1 && isUnitPart(tokens[start - 1])) start--;
  while (start < to && (tokens[start].kind !== 'name' || !tokens[start].space)) start++;
  const letters = tokens.slice(start, to).filter(({ kind }) => kind === 'name');
  const head = tokens.slice(from, start);
  const last = head.at(-1);
  const complete = last?.kind === 'num' || last?.text === '}' || last?.text === ')';
  const numeric = complete && head.every(({ kind }) => kind !== 'name' && kind !== 'word');
  if (start === to || !numeric) return undefined;
  // "2 g h" is a product; "5 m/s" and "8.3 J/(mol K)" are not.
  const quotient = tokens.slice(start, to).some(({ text }) => text === '/' || text === '-');
  if (letters.length > 1 && !quotient) return undefined;
  return letters.every(({ text }) => letterUnits.has(text)) ? start : undefined;
}

function isUnitPart({ kind, text }: Token): boolean {
  if (kind === 'num') return /^[1-4]$/.test(text);
  if (kind === 'sign') return ['/', '^', '{', '}', '(', ')', '-', '*'].includes(text);
  return kind === 'cmd' ? text === 'cdot' : kind === 'name' || isUnitWord(text);
}

const magnitudes: ReadonlyMap<string, bigint> = new Map(
  Object.entries<bigint>({
    hundred: 100n,
    thousand: 1000n,
    million: 1_000_000n,
    billion: 1_000_000_000n,
    trillion: 1_000_000_000_000n,
    dozen: 12n,
  }),
);

function withUnit(source: Source, given: Node, first: number, to: number, depth: number): Node {
  const magnitude = magnitudes.get(source.tokens[first].text.toLowerCase());
  const arg = magnitude === undefined ? given : mul(num(magnitude), given);
  const from = magnitude === undefined ? first : first + 1;
  if (from === to) return arg;
  const second = source.tokens.findIndex(
    ({ kind }, i) => kind === 'num' && i > from && i < to && source.tokens[i - 1].kind === 'word',
  );
  // "5 feet 3 inches"
  if (second >= 0) {
    const items = [withUnit(source, arg, from, second, depth), quantity(source, second, to, depth)];
    return { op: 'list', joint: 'and', items };
  }
  const rest = source.tokens.slice(from, to);
  const [head] = rest;
  const unit = spacedText(source, from, to);
  const begins =
    head.kind === 'word' ||
    currencies.get(head.text) !== undefined ||
    (head.kind === 'cmd' && head.text === 'degree');
  const plain = rest.every(
    ({ kind, text }) =>
      kind !== 'cmd' ||
      text === 'cdot' ||
      text === 'degree' ||
      text === 'times' ||
      currencies.get(text) !== undefined,
  );
  if (!begins || !plain || rest.length > 24) throw new Unparsed(`"${head.text}" behind a value`);
  if (/^percent(?:age)?s?$/i.test(unit)) return { op: 'percent', arg };
  if (/^degrees?$/i.test(unit)) return { op: 'degree', arg };
  // "x cm" is a length; "n even" is a statement about n.
  const numeric = has(arg, ({ op }) => op === 'num' || op === 'const');
  if (!numeric && !isUnitWord(unit)) throw new Unparsed('a word behind a variable');
  const name =
    head.kind === 'word'
      ? unit
      : unit
          .replace('\\$', 'dollar')
          .replace(/\\degree ?C.*/, 'celsius')
          .replace(/\\degree ?F.*/, 'fahrenheit')
          .replace('\\', '');
  return { op: 'unit', arg, unit: name };
}
