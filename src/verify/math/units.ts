// Units of measure: what they measure, and how large they are. Knows nothing of numbers or of verdicts.

/** Exponents of the base dimensions, by name; a word that is no known unit is a dimension of its own. */
export interface Unit {
  dimension: string;
  /** Size in base units; NaN where it cannot be converted (temperature). */
  factor: number;
}

/** [names, dimension as powers of base letters, factor]. L metre, M kilogram, T second, $ currency, A ampere, B byte. */
const table: readonly (readonly [string, string, number])[] = [
  ['m meter metre 米', 'L', 1],
  ['km kilometer kilometre 千米 公里', 'L', 1000],
  ['cm centimeter centimetre 厘米', 'L', 0.01],
  ['mm millimeter millimetre 毫米', 'L', 0.001],
  ['nm nanometer', 'L', 1e-9],
  ['dm decimeter decimetre 分米', 'L', 0.1],
  ['in inch inche', 'L', 0.0254],
  ['ft foot feet', 'L', 0.3048],
  ['yd yard', 'L', 0.9144],
  ['mi mile', 'L', 1609.344],
  ['kg kilogram 千克 公斤', 'M', 1],
  ['g gram 克', 'M', 0.001],
  ['mg milligram', 'M', 1e-6],
  ['ton tonne 吨', 'M', 1000],
  ['lb pound-mass', 'M', 0.45359237],
  ['oz ounce', 'M', 0.028349523125],
  ['s sec second 秒', 'T', 1],
  ['min minute 分钟', 'T', 60],
  ['h hr hour 小时', 'T', 3600],
  ['day 天', 'T', 86400],
  ['week', 'T', 604800],
  ['ms millisecond', 'T', 0.001],
  ['year yr', 'Y', 1],
  ['month', 'Y', 1 / 12],
  ['l liter litre 升', 'LLL', 0.001],
  ['ml milliliter millilitre 毫升', 'LLL', 1e-6],
  ['cc', 'LLL', 1e-6],
  ['gallon', 'LLL', 0.003785411784],
  ['mph', 'L/T', 0.44704],
  ['kph kmh', 'L/T', 1 / 3.6],
  ['n newton', 'ML/TT', 1],
  ['kn kilonewton', 'ML/TT', 1000],
  ['j joule', 'MLL/TT', 1],
  ['kj kilojoule', 'MLL/TT', 1000],
  ['w watt', 'MLL/TTT', 1],
  ['kw kilowatt', 'MLL/TTT', 1000],
  ['kwh', 'MLL/TT', 3.6e6],
  ['pa pascal', 'M/LTT', 1],
  ['kpa kilopascal', 'M/LTT', 1000],
  ['mpa megapascal', 'M/LTT', 1e6],
  ['atm', 'M/LTT', 101325],
  ['hz hertz', '/T', 1],
  ['khz', '/T', 1000],
  ['mhz', '/T', 1e6],
  ['v volt', 'MLL/TTTA', 1],
  ['a amp ampere', 'A', 1],
  ['ma milliamp', 'A', 0.001],
  ['omega ohm', 'MLL/TTTAA', 1],
  ['ev', 'MLL/TT', 1.602176634e-19],
  ['mol mole', 'N', 1],
  ['k kelvin', 'K', 1],
  ['c coulomb', 'AT', 1],
  ['dollar usd buck', '$', 1],
  ['cent', '$', 0.01],
  ['euro eur', 'E', 1],
  ['pound gbp', 'P', 1],
  ['yen', 'Y$', 1],
  ['rupee rs', 'R', 1],
  ['yuan rmb 元', 'U', 1],
  ['degree deg', 'D', 1],
  ['radian rad', '', 1],
  ['celsius', 'C', 1],
  ['fahrenheit', 'F', 1],
  ['bit', 'b', 1],
  ['byte', 'b', 8],
  ['kb', 'b', 8000],
  ['mb', 'b', 8e6],
  ['gb', 'b', 8e9],
  ['unit', '', 1],
  ['percent', '', 0.01],
];

const prefixes = new Map([
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['d', 0.1],
  ['c', 0.01],
  ['m', 1e-3],
  ['μ', 1e-6],
  ['n', 1e-9],
]);

/** Symbols of units as they are written, without a prefix. */
const bases = new Map<string, Unit>([
  ['m', { dimension: 'L', factor: 1 }],
  ['g', { dimension: 'M', factor: 0.001 }],
  ['s', { dimension: 'T', factor: 1 }],
  ['A', { dimension: 'A', factor: 1 }],
  ['Hz', { dimension: '/T', factor: 1 }],
  ['W', { dimension: 'MLL/TTT', factor: 1 }],
  ['J', { dimension: 'MLL/TT', factor: 1 }],
  ['Pa', { dimension: 'M/LTT', factor: 1 }],
  ['V', { dimension: 'MLL/TTTA', factor: 1 }],
  ['N', { dimension: 'ML/TT', factor: 1 }],
  ['L', { dimension: 'LLL', factor: 0.001 }],
  ['eV', { dimension: 'MLL/TT', factor: 1.602176634e-19 }],
  ['B', { dimension: 'b', factor: 8 }],
  ['mol', { dimension: 'N', factor: 1 }],
  ['M', { dimension: 'N/LLL', factor: 1000 }],
  ['Ω', { dimension: 'MLL/TTTAA', factor: 1 }],
]);

const known = new Map<string, Unit>();
for (const [names, dimension, factor] of table) {
  for (const name of names.split(' ')) known.set(name, { dimension, factor });
}

/** Whether a run of letters behind a number is a unit ("cm", "mph"); single letters are left to the reader. */
export function isUnitWord(run: string): boolean {
  return run.length > 1 && (known.has(singular(run.toLowerCase())) || symbolOf(run) !== undefined);
}

/** A unit by its symbol with a prefix: case tells mega from milli, and Nm from nm. */
function symbolOf(word: string): Unit | undefined {
  if (word === 'Nm') return { dimension: 'MLL/TT', factor: 1 };
  const parts = /^(?:([cd])(m|L|g)|([kMGmnμ]?)(mol|Hz|Pa|eV|m|g|s|A|W|J|V|N|L|B|Ω|M))$/u.exec(word);
  const base = bases.get(parts?.[2] ?? parts?.[4] ?? '');
  if (parts === null || base === undefined) return undefined;
  return {
    dimension: base.dimension,
    factor: base.factor * (prefixes.get(parts[1] ?? parts[3] ?? '') ?? 1),
  };
}

/** Whether text in \\text{} or \\mathrm{} is a known unit with powers: "m/s^2". */
export function isUnitText(text: string): boolean {
  const unit = /^[\p{L}\s/^{}\d.-]+$/u.test(text) && /^\p{L}/u.test(text) ? parseUnit(text) : null;
  return unit !== null && !isOpaque(unit);
}

/** The unit that is called so; a word that is none is a dimension of its own. */
function unitOf(word: string): Unit {
  const symbol = symbolOf(word);
  // Where no symbol fits as written, writers are careless of case.
  if (symbol !== undefined) return symbol;
  return (
    known.get(singular(word.toLowerCase())) ?? {
      dimension: `<${singular(word.toLowerCase())}>`,
      factor: 1,
    }
  );
}

function singular(word: string): string {
  if (known.has(word)) return word;
  const stem = word.endsWith('s') ? word.slice(0, -1) : word;
  return known.has(stem) || stem.length > 2 ? stem : word;
}

/** Words that say nothing of the unit. */
const filler = new Set(
  'of the a an each total about approximately exactly long away left more such different possible'.split(
    ' ',
  ),
);

/**
 * The unit written as `text`: words, `/` or "per", powers, "square" and "cubic" ("m/s^2", "square feet", "km per hour").
 * Null where it is not written like a unit.
 */
export function parseUnit(text: string): Unit | null {
  const spaced = text.slice(0, 200).replace(/平方/g, ' square ').replace(/立方/g, ' cubic ');
  const tokens = spaced.match(/\p{L}+|\/|\^?\{?-?\d\}?|\$/gu) ?? [];
  const powers = new Map<string, number>();
  let factor = 1;
  let side = 1;
  let next = 1;
  let last: Unit | undefined;
  const put = (unit: Unit, power: number) => {
    factor *= unit.factor ** power;
    const [up, down = ''] = unit.dimension.startsWith('<')
      ? [unit.dimension]
      : unit.dimension.split('/');
    const letters = unit.dimension.startsWith('<') ? [up] : [...up];
    for (const letter of letters) powers.set(letter, (powers.get(letter) ?? 0) + power);
    for (const letter of down) powers.set(letter, (powers.get(letter) ?? 0) - power);
  };
  for (const [i, token] of tokens.entries()) {
    const word = token.toLowerCase();
    // "inches in total" against "in" alone.
    if (word === 'in' && /^\p{L}/u.test(tokens[i + 1] ?? '')) continue;
    if (word === '/' || word === 'per') side = -1;
    else if (word === 'square' || word === 'sq' || word === 'squared') next = 2;
    else if (word === 'cubic' || word === 'cubed') next = 3;
    else if (/\d/.test(word)) {
      const power = Number(word.replace(/[^\d-]/g, ''));
      if (last !== undefined) put(last, side * (power - 1));
    } else if (token === 'A' || !filler.has(word)) {
      last = unitOf(token === '$' ? 'dollar' : token);
      put(last, side * next);
      next = 1;
    }
  }
  const named = [...powers].filter(([, power]) => power !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (tokens.length === 0) return null;
  return { dimension: named.map(([name, power]) => `${name}${power}`).join(' '), factor };
}

/** Whether a unit has a word that is no known unit ("apples"): it cannot be told from another name for the same thing. */
export function isOpaque(unit: Unit): boolean {
  return unit.dimension.includes('<');
}
