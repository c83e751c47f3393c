// Random expressions as LaTeX, in different hands: signs of multiplication, ways to write fractions, spaces, brackets.
import type { RandomStream } from '../../../core/random.ts';
import type { Expression } from './expressions.ts';

/** How strongly what was written holds together: a sum may need brackets, an atom never. */
type Strength = 'sum' | 'product' | 'atom';

interface Written {
  text: string;
  strength: Strength;
}

/** `e` as LaTeX. Each choice of style is drawn for itself. */
export function latex(e: Expression, random: RandomStream): string {
  return new Hand(random).write(e).text;
}

class Hand {
  private readonly random: RandomStream;

  constructor(random: RandomStream) {
    this.random = random;
  }

  write(e: Expression): Written {
    switch (e.op) {
      case 'number':
        return this.number(e.n, e.d);
      case 'symbol':
        return { text: e.name === 'pi' ? '\\pi ' : e.name, strength: 'atom' };
      case 'sum':
        return this.sum(e.args);
      case 'product':
        return this.product(e.args);
      case 'quotient':
        return this.fraction(this.write(e.above), this.write(e.below));
      case 'power':
        return this.power(e.base, e.exponent);
      case 'root':
        return { text: `\\sqrt{${this.write(e.of).text}}`, strength: 'atom' };
      case 'call':
        return this.call(e.name, this.write(e.of).text);
    }
  }

  private one<T>(...ways: readonly T[]): T {
    return ways[this.random.below(ways.length)];
  }

  private number(n: number, d: number): Written {
    if (n < 0) return { text: `-${this.number(-n, d).text}`, strength: 'sum' };
    if (d === 1) return { text: `${n}`, strength: 'atom' };
    const decimal = decimalOf(n, d);
    if (decimal !== undefined && this.one(true, false)) return { text: decimal, strength: 'atom' };
    return this.fraction({ text: `${n}`, strength: 'atom' }, { text: `${d}`, strength: 'atom' });
  }

  private fraction(above: Written, below: Written): Written {
    const way = this.one('\\frac', '\\frac', '\\dfrac', '\\tfrac', '/');
    if (way !== '/') return { text: `${way}{${above.text}}{${below.text}}`, strength: 'product' };
    return { text: `${this.held(above)}/${this.held(below)}`, strength: 'sum' };
  }

  private sum(args: readonly Expression[]): Written {
    const [first, ...rest] = args.map((arg) => this.write(arg).text);
    const space = this.one('', ' ');
    const added = rest.map((text) =>
      text.startsWith('-') ? `${space}-${space}${text.slice(1)}` : `${space}+${space}${text}`,
    );
    return { text: `${first}${added.join('')}`, strength: 'sum' };
  }

  private product(args: readonly Expression[]): Written {
    const [first, ...rest] = args.map((arg) => this.write(arg));
    if (rest.length === 0) return first;
    const way = this.one('\\cdot ', ' \\times ', '*', '');
    let text = first.text === '-1' ? '-' : this.factor(first);
    let sign = first.text === '-1' ? '' : way;
    for (const factor of rest) {
      const next = this.factor(factor);
      const glue = sign === '' && text !== '-' && needsSign(text, next);
      text += `${glue ? '\\cdot ' : sign}${next}`;
      sign = way;
    }
    return { text, strength: text.startsWith('-') ? 'sum' : 'product' };
  }

  private power(base: Expression, exponent: number): Written {
    const written = this.write(base);
    const short = exponent < 10 && this.one(true, false);
    return {
      text: `${this.held(written)}^${short ? exponent : `{${exponent}}`}`,
      strength: 'product',
    };
  }

  private call(name: string, argument: string): Written {
    if (name === 'exp' && this.one(true, false)) {
      return { text: `e^{${argument}}`, strength: 'product' };
    }
    const bare = /^[a-z]$/.test(argument) && this.one(true, false);
    // Brackets around all of it: "\\sin x y" could be the sine of a product.
    if (bare) return { text: `\\${name} ${argument}`, strength: 'sum' };
    return { text: `\\${name}${this.bracketed(argument)}`, strength: 'product' };
  }

  private factor(part: Written): string {
    return part.strength === 'sum' ? this.bracketed(part.text) : part.text;
  }

  /** For a place where only atoms are safe. */
  private held(part: Written): string {
    return part.strength === 'atom' ? part.text : this.bracketed(part.text);
  }

  private bracketed(text: string): string {
    const [open, close] = this.one(['(', ')'], ['\\left(', '\\right)'], ['(', ')'], ['{(', ')}']);
    return `${open}${text}${close}`;
  }
}

/** Digits need a sign before them (2 3), fractions too (2\frac{1}{2}); four letters in a row may be a word. */
function needsSign(before: string, next: string): boolean {
  return /^(\d|\\[dt]?frac)/.test(next) || /[a-z]{4}/.test(before.slice(-3) + next.slice(0, 3));
}

/** n/d (d > 0) in decimals, where they end. */
export function decimalOf(n: number, d: number): string | undefined {
  const sign = n < 0 ? '-' : '';
  for (let places = 0; places <= 12; places++) {
    const scaled = BigInt(Math.abs(n)) * 10n ** BigInt(places);
    if (scaled % BigInt(d) !== 0n) continue;
    const digits = `${scaled / BigInt(d)}`.padStart(places + 1, '0');
    if (places === 0) return `${sign}${digits}`;
    return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
  }
  return undefined;
}
