// Reads numbers as exact rationals: integers, decimals, thousands separators, signs, percent, fractions, mixed numbers
// and powers of ten. One pass over the characters, no floating point. Knows nothing of verdicts or of units.

/** An exact rational in lowest terms; `den` > 0. `percent` says whether it was written with a percent sign. */
export interface Rational {
  num: bigint;
  den: bigint;
  percent: boolean;
}

/** How numbers are read. */
export interface NumberForm {
  /** Take "1 000" with a plain space as one thousand. Elsewhere a plain space parts two numbers. */
  spaces: boolean;
}

/** Powers of ten beyond this are not written out. */
const maxExponent = 1000;

const thousands = [',', '{,}', '\\,', '\u00a0', '\u202f', '\u2009', '_'];

/** The rational that the whole of `text` writes, or undefined where it writes none (also x/0). */
export function parseRational(
  text: string,
  form: NumberForm = { spaces: false },
): Rational | undefined {
  const scanner = new Scanner(unwrapped(text), form);
  const value = scanner.number();
  return value !== undefined && scanner.atEnd() ? value : undefined;
}

/** The canonical spelling: equal keys exactly for equal values. */
export function rationalKey(value: Rational): string {
  return value.den === 1n ? `${value.num}` : `${value.num}/${value.den}`;
}

function unwrapped(text: string): string {
  const trimmed = text.trim();
  const inner = trimmed.startsWith('(') && trimmed.endsWith(')') ? trimmed.slice(1, -1) : trimmed;
  return inner.trim();
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9' && char.length === 1;
}

function reduced(num: bigint, den: bigint, percent: boolean): Rational | undefined {
  if (den === 0n) return undefined;
  let a = num < 0n ? -num : num;
  let b = den < 0n ? -den : den;
  while (b !== 0n) [a, b] = [b, a % b];
  const divisor = den < 0n ? -a : a;
  return { num: num / divisor, den: den / divisor, percent };
}

/** A non-negative decimal as num/den; `whole` where it was written without point and exponent. */
interface Plain {
  num: bigint;
  den: bigint;
  whole: boolean;
}

class Scanner {
  private at = 0;
  private readonly text: string;
  private readonly form: NumberForm;

  constructor(text: string, form: NumberForm) {
    this.text = text;
    this.form = form;
  }

  atEnd(): boolean {
    return this.at === this.text.length;
  }

  /** sign? (fraction | decimal fraction?) ('/' sign? decimal)? percent? */
  number(): Rational | undefined {
    const negative = this.sign();
    const value = this.fraction() ?? this.decimalOrMixed();
    if (value === undefined) return undefined;
    const percent = this.percent();
    return reduced(
      negative ? -value.num : value.num,
      percent ? value.den * 100n : value.den,
      percent,
    );
  }

  private sign(): boolean {
    const negative = ['-', '\u2212', '\u2013'].some((dash) => this.take(dash));
    if (!negative) this.take('+');
    this.skipSpace();
    return negative;
  }

  private decimalOrMixed(): Plain | undefined {
    const first = this.decimal();
    if (first === undefined) return undefined;
    const back = this.at;
    const spaced = this.skipSpace();
    if (this.take('/')) {
      this.skipSpace();
      const negative = this.sign();
      const below = this.decimal();
      if (below === undefined) return undefined;
      return quotient(first, below, negative);
    }
    const part = first.whole
      ? (this.fraction() ?? (spaced ? this.slashed() : undefined))
      : undefined;
    if (part !== undefined && part.den !== 0n) {
      return { num: first.num * part.den + part.num, den: part.den, whole: false };
    }
    this.at = back;
    return first;
  }

  /** "3/4" with plain digits: the second half of a mixed number. */
  private slashed(): Plain | undefined {
    const num = this.digits();
    if (num === '' || !this.take('/')) return undefined;
    const den = this.digits();
    return den === '' ? undefined : { num: BigInt(num), den: BigInt(den), whole: false };
  }

  /** "\frac{3}{4}", "\dfrac34", "\tfrac 3 4". */
  private fraction(): Plain | undefined {
    if (!['\\frac', '\\dfrac', '\\tfrac', '\\cfrac'].some((name) => this.take(name))) {
      return undefined;
    }
    const above = this.argument();
    const below = above === undefined ? undefined : this.argument();
    if (above === undefined || below === undefined) return undefined;
    return { num: above.num * below.den, den: above.den * below.num, whole: false };
  }

  private argument(): Plain | undefined {
    this.skipSpace();
    if (!this.take('{')) {
      const char = this.text[this.at];
      if (!isDigit(char)) return undefined;
      this.at++;
      return { num: BigInt(char ?? '0'), den: 1n, whole: true };
    }
    this.skipSpace();
    const negative = this.sign();
    const value = this.decimal();
    this.skipSpace();
    if (value === undefined || !this.take('}')) return undefined;
    return negative ? { ...value, num: -value.num } : value;
  }

  private decimal(): Plain | undefined {
    const whole = this.grouped();
    const point = this.take('.');
    const rest = point ? this.digits() : '';
    if (whole === '' && rest === '') return undefined;
    const exponent = this.exponent();
    if (exponent === undefined) return undefined;
    const power = exponent - rest.length;
    const digits = BigInt(whole + rest);
    return {
      num: power > 0 ? digits * 10n ** BigInt(power) : digits,
      den: power < 0 ? 10n ** BigInt(-power) : 1n,
      whole: !point && exponent === 0,
    };
  }

  /** "1e3", "1 x 10^3" (also \times, \cdot, *, braces). 0 where there is none, undefined where it is too large. */
  private exponent(): number | undefined {
    const back = this.at;
    const letter = this.take('e') || this.take('E');
    if (!letter && !this.timesTen()) {
      this.at = back;
      return 0;
    }
    const braced = !letter && this.take('{');
    const negative = this.sign();
    const digits = this.digits();
    if (digits === '' || (braced && !this.take('}'))) {
      this.at = back;
      return 0;
    }
    const size = Number(digits);
    if (size > maxExponent) return undefined;
    return negative ? -size : size;
  }

  private timesTen(): boolean {
    this.skipSpace();
    if (!['\\times', '\\cdot', '\u00d7', '\u00b7', '*', 'x'].some((sign) => this.take(sign))) {
      return false;
    }
    this.skipSpace();
    return this.take('10^');
  }

  /** Digits, with thousands separators where every group but the first has three digits. */
  private grouped(): string {
    const first = this.digits();
    if (first === '' || first.length > 3 || first.startsWith('0')) return first;
    const marks = this.form.spaces ? [...thousands, ' '] : thousands;
    const mark = marks.find((sign) => this.text.startsWith(sign, this.at));
    if (mark === undefined) return first;
    const back = this.at;
    let all = first;
    while (this.take(mark)) {
      const group = this.digits();
      if (group.length !== 3) {
        this.at = back;
        return first;
      }
      all += group;
    }
    return all;
  }

  private digits(): string {
    const start = this.at;
    while (isDigit(this.text[this.at])) this.at++;
    return this.text.slice(start, this.at);
  }

  private percent(): boolean {
    const back = this.at;
    this.skipSpace();
    if (this.take('%') || this.take('\\%')) return true;
    this.at = back;
    return false;
  }

  private skipSpace(): boolean {
    const start = this.at;
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at++;
    return this.at > start;
  }

  private take(sign: string): boolean {
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }
}

function quotient(above: Plain, below: Plain, negative: boolean): Plain {
  const num = above.num * below.den;
  return { num: negative ? -num : num, den: above.den * below.num, whole: false };
}
