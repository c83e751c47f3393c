// Reads one expression: sums, products with and without a sign, powers. Precedence climbing over the tokens of a slice. Knows
// nothing of lists, relations or units.
import { AtomParser } from './atoms.ts';
import { fn, mul, type Node, negative, num, pow, reciprocal, sum, Unparsed } from './node.ts';
import { isCommand, isSign } from './source.ts';

export class ExpressionParser extends AtomParser {
  /** The longest expression from here; what is left is the caller's. Unparsed where there is none. */
  sum(): Node {
    const terms = [this.term()];
    while (this.at < this.to && this.signAhead() !== undefined) terms.push(this.term());
    return sum(...terms);
  }

  /** Signs, then a product. "+-" is read as plus-or-minus. */
  private term(): Node {
    const sign = this.signAhead();
    if (sign === undefined) return this.product();
    this.at++;
    if (sign === '+' && this.takeSign('/')) {
      if (!this.takeSign('-')) throw new Unparsed('"+/" without its "-"');
      return { op: 'pm', sign: 1, arg: this.product() };
    }
    if (sign === 'pm' || sign === 'mp')
      return { op: 'pm', sign: sign === 'pm' ? 1 : -1, arg: this.term() };
    const inner = this.term();
    return sign === '-' ? negative(inner) : inner;
  }

  protected override product(): Node {
    const factors = [this.factor()];
    for (;;) {
      if (
        this.takeSign('*') ||
        this.takeCommand('cdot') ||
        this.takeTimes(factors) ||
        this.takeTimesLetter()
      ) {
        factors.push(this.signed());
      } else if (this.takeSign('/') || this.takeCommand('div')) {
        factors.push(reciprocal(this.signed()));
      } else if (this.startsFactor()) {
        const mixed = this.mixed(factors);
        const { tokens } = this.source;
        if (
          mixed === undefined &&
          tokens[this.at].kind === 'num' &&
          tokens[this.at - 1].kind === 'num'
        ) {
          throw new Unparsed('two numbers with nothing between them');
        }
        factors.push(mixed ?? this.factor());
        if (mixed !== undefined) factors.splice(-2, 1);
      } else {
        return mul(...factors);
      }
    }
  }

  /** \times between numbers; between vectors it is another product. */
  private takeTimes(factors: readonly Node[]): boolean {
    if (!this.takeCommand('times')) return false;
    const last = factors.at(-1);
    const { tokens } = this.source;
    if (tokens[this.at - 2]?.bold && tokens[this.at]?.bold) throw new Unparsed('a vector product');
    if (last?.op === 'sym' && last.name.startsWith('\\vec')) throw new Unparsed('a vector product');
    return true;
  }

  /** "3 x 10^5": a letter x between a number and a power of ten. */
  private takeTimesLetter(): boolean {
    const { tokens } = this.source;
    const before = tokens[this.at - 1];
    const after = tokens[this.at + 1];
    const fits =
      this.token?.kind === 'name' &&
      this.token.text === 'x' &&
      before?.kind === 'num' &&
      after?.text === '10';
    if (!fits || !isSign(this.source, this.at + 2, '^')) return false;
    this.at++;
    return true;
  }

  /** "2 1/3" and `2\frac{1}{3}`: a whole number and a fraction of whole numbers behind it are added. */
  private mixed(factors: readonly Node[]): Node | undefined {
    const last = factors.at(-1);
    const { tokens } = this.source;
    const before = tokens[this.at - 1];
    if (last?.op !== 'num' || before?.kind !== 'num' || before.whole !== true || factors.length > 1)
      return undefined;
    const back = this.at;
    const part = isCommand(this.source, this.at, 'frac') ? this.factor() : this.slashed();
    const marked = part?.op === 'percent' || part?.op === 'degree';
    const bare = marked ? part.arg : part;
    const proper =
      bare?.op === 'mul' &&
      bare.args.every((arg) => arg.op === 'num' || (arg.op === 'pow' && arg.base.op === 'num'));
    if (bare !== undefined && proper) {
      return marked ? { op: part.op, arg: sum(last, bare) } : sum(last, bare);
    }
    this.at = back;
    return undefined;
  }

  /** Two whole numbers with a slash between them, as the second half of a mixed number. */
  private slashed(): Node | undefined {
    const { tokens } = this.source;
    const [above, slash, below] = [tokens[this.at], tokens[this.at + 1], tokens[this.at + 2]];
    if (
      this.at + 3 > this.to ||
      above?.whole !== true ||
      slash?.text !== '/' ||
      below?.whole !== true
    )
      return undefined;
    if (above.value === undefined || below.value === undefined || !above.space) return undefined;
    this.at += 3;
    return mul(num(above.value), reciprocal(num(below.value)));
  }

  /** A factor that may carry a sign of its own: "2 \cdot -3". */
  private signed(): Node {
    const sign = this.signAhead();
    if (sign === undefined) return this.factor();
    this.at++;
    if (sign === '+' || sign === '-') return sign === '-' ? negative(this.signed()) : this.signed();
    return { op: 'pm', sign: sign === 'pm' ? 1 : -1, arg: this.factor() };
  }

  /** An atom with its powers, factorials, percent and degree signs. */
  protected override factor(): Node {
    let node = this.atom();
    const counted = this.counted(node);
    if (counted !== undefined) node = counted;
    for (;;) {
      if (this.takeSign('^')) node = pow(node, this.exponent());
      else if (this.takeSign('!'))
        node = fn(this.takeSign('!') ? 'double factorial' : 'factorial', node);
      else if (this.takeSign('%') || this.takeSign('\\%')) node = { op: 'percent', arg: node };
      else if (
        isCommand(this.source, this.at, 'degree') &&
        this.at < this.to &&
        !this.temperature()
      ) {
        this.at++;
        node = { op: 'degree', arg: node };
      } else return node;
    }
  }

  /** C_6^3 and A_6^3: combinations and arrangements as they are written in China. */
  private counted(node: Node): Node | undefined {
    const found = node.op === 'sym' ? /^([CA])_(\d{1,4})$/.exec(node.name) : null;
    const back = this.at;
    if (found === null || !this.takeSign('^')) return undefined;
    const few = this.exponent();
    const all = num(BigInt(found[2]));
    if (
      few.op === 'num' &&
      few.value.d === 1n &&
      few.value.n >= 0n &&
      few.value.n <= BigInt(found[2])
    ) {
      if (found[1] === 'C') return fn('binom', all, few);
      const rest = num(BigInt(found[2]) - few.value.n);
      return mul(fn('factorial', all), reciprocal(fn('factorial', rest)));
    }
    this.at = back;
    return undefined;
  }

  private temperature(): boolean {
    const after = this.at + 1 < this.to ? this.source.tokens[this.at + 1] : undefined;
    return (
      (after?.kind === 'name' || after?.kind === 'word') &&
      /^(?:C|F|celsius|fahrenheit)$/i.test(after.text)
    );
  }

  protected override exponent(): Node {
    const sign = this.signAhead();
    if (sign === '-' || sign === '+') {
      this.at++;
      return sign === '-' ? negative(this.exponent()) : this.exponent();
    }
    const base = this.atom();
    return this.takeSign('^') ? pow(base, this.exponent()) : base;
  }

  /** All of the slice as one expression. */
  whole(): Node {
    const node = this.sum();
    if (this.at !== this.to)
      throw new Unparsed(`"${this.source.tokens[this.at].text}" where the expression should end`);
    return node;
  }
}
