// Reads what an expression is made of: numbers, variables, functions with their arguments, roots, fractions, series. Knows
// nothing of sums and products but that there are such.
import { Cursor } from './cursor.ts';
import { enclosed } from './enclosed.ts';
import { fn, mul, type Node, negative, num, pow, reciprocal, sum, sym, Unparsed } from './node.ts';
import { isInteger } from './q.ts';
import { series } from './series.ts';
import { isCommand, isSign, rawText, step } from './source.ts';
import type { Token } from './tokens.ts';
import { functionNames } from './words.ts';

const constants: ReadonlyMap<string, Node> = new Map(
  Object.entries<Node>({
    pi: { op: 'const', name: 'pi' },
    e: { op: 'const', name: 'e' },
    i: { op: 'const', name: 'i' },
    infty: { op: 'const', name: 'inf' },
    infinity: { op: 'const', name: 'inf' },
    inf: { op: 'const', name: 'inf' },
    oo: { op: 'const', name: 'inf' },
  }),
);

/** Greek letters and other commands that are one symbol. */
const symbolCommands = new Set(
  (
    'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega ' +
    'Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar aleph nabla partial prime ldots'
  ).split(' '),
);

const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    tg: 'tan',
    ctg: 'cot',
    arctg: 'arctan',
    asin: 'arcsin',
    acos: 'arccos',
    atan: 'arctan',
    lg: 'log',
    sgn: 'sign',
  }),
);

/** Functions with a hyperbolic or inverse name in one spelling. */
const inverses: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    sin: 'arcsin',
    cos: 'arccos',
    tan: 'arctan',
    cot: 'arccot',
    sec: 'arcsec',
    csc: 'arccsc',
    sinh: 'arsinh',
    cosh: 'arcosh',
    tanh: 'artanh',
  }),
);

/** Names in `functionNames` that are symbols, not functions. */
const letterNames = new Set(
  'pi theta alpha beta gamma lambda mu sigma omega phi infinity infty inf oo'.split(' '),
);

/** Commands, beside functions and letters, that a factor can begin with. */
const atomCommands = new Set(
  'frac sum prod begin lfloor lceil langle overline bar hat vec overrightarrow widehat tilde emptyset'.split(
    ' ',
  ),
);

export abstract class AtomParser extends Cursor {
  /** A product, an atom with its powers, an exponent: by the parser of expressions. */
  protected abstract product(): Node;
  protected abstract factor(): Node;
  protected abstract exponent(): Node;

  protected atom(): Node {
    step(this.source);
    const token = this.token;
    if (token === undefined) throw new Unparsed('an expression ends too soon');
    switch (token.kind) {
      case 'num':
        return this.numeral(token);
      case 'name':
        return functionNames.has(token.text) ? this.named(token.text) : this.symbol(token.text);
      case 'cmd':
        return this.command(token.text);
      case 'sign':
        return this.enclosed();
      default:
        throw new Unparsed(`the word ${token.text}`);
    }
  }

  protected numeral(token: Token): Node {
    this.at++;
    if (token.value === undefined) throw new Unparsed('a number without a value');
    if (token.whole === true && this.takeSign('_')) {
      const base = this.argument();
      if (base.op !== 'num' || !isInteger(base.value))
        throw new Unparsed('a base that is no number');
      return { op: 'based', digits: token.text, base: Number(base.value.n) };
    }
    return num(token.value);
  }

  /** A variable with its subscript: x, x_1, a_{n+1}. */
  protected symbol(name: string): Node {
    this.at++;
    const constant = constants.get(name);
    if (constant !== undefined) return constant;
    // f(x) is a value of f and no product; a(b + c) is one.
    if (/^[fgFG]'*$/.test(name) && isSign(this.source, this.at, '(') && this.at < this.to) {
      return fn(name, ...this.functionArguments());
    }
    if (!this.takeSign('_')) return sym(name);
    const from = this.at;
    if (from >= this.to) throw new Unparsed('an index is missing');
    const end = this.source.close[from];
    this.at = end >= 0 ? end + 1 : from + 1;
    return sym(`${name}_${rawText(this.source, from, this.at)}`);
  }

  protected command(name: string): Node {
    if (functionNames.has(name)) return this.named(name);
    if (symbolCommands.has(name)) return this.symbol(`\\${name}`);
    this.at++;
    switch (name) {
      case 'frac': {
        const derivative = this.derivative();
        if (derivative !== undefined) return derivative;
        const above = this.argument(true);
        return mul(above, reciprocal(this.argument(true)));
      }
      case 'begin':
        this.at--;
        return this.enclosed();
      case 'lfloor':
      case 'lceil':
      case 'langle':
        this.at--;
        return this.enclosed();
      case 'overline': {
        const from = this.at;
        const inside = this.argument();
        // A segment: \overline{AB} is AB.
        const letters =
          inside.op === 'mul' &&
          inside.args.every((arg) => arg.op === 'sym' && /^[A-Z]$/.test(arg.name));
        return letters ? inside : sym(`\\overline ${rawText(this.source, from, this.at)}`);
      }
      case 'bar':
      case 'hat':
      case 'vec':
      case 'overrightarrow':
      case 'widehat':
      case 'tilde': {
        const from = this.at;
        this.argument();
        return sym(`\\${name} ${rawText(this.source, from, this.at)}`);
      }
      case 'sum':
      case 'prod':
        return this.series(name);
      case 'emptyset':
        return { op: 'bracket', open: '{', close: '}', items: [] };
      default:
        throw new Unparsed(`\\${name}`);
    }
  }

  /** \sum_{k=1}^{4}, and the product behind it. */
  protected series(kind: 'sum' | 'prod'): Node {
    if (!this.takeSign('_')) throw new Unparsed('a series without bounds');
    const from = this.argument();
    const high = this.takeSign('^') ? this.argument() : undefined;
    if (high === undefined || from.op !== 'relation' || from.signs.join() !== '=') {
      throw new Unparsed('a series without bounds');
    }
    const [variable, low] = from.sides;
    const counts = variable.op === 'sym' || (variable.op === 'const' && variable.name === 'i');
    if (!counts) throw new Unparsed('a series without its variable');
    return series(kind, this.product(), variable.name, low, high);
  }

  /** \frac{dy}{dx}: one symbol and no quotient. */
  protected derivative(): Node | undefined {
    const { tokens, close } = this.source;
    const from = this.at;
    const middle = close[from];
    const last = middle >= 0 && middle + 1 < this.to ? close[middle + 1] : -1;
    if (last < 0) return undefined;
    const differential = (index: number): boolean =>
      (tokens[index].kind === 'name' && tokens[index].text === 'd') ||
      isCommand(this.source, index, 'partial');
    if (!differential(from + 1) || !differential(middle + 2)) return undefined;
    this.at = last + 1;
    return sym(
      `\\frac ${rawText(this.source, from, middle + 1)}/${rawText(this.source, middle + 1, last + 1)}`,
    );
  }

  /** A group in braces, or one token; of a number one digit where `digit` is set (`\frac12`). */
  protected argument(digit = false): Node {
    const token = this.token;
    if (digit && token?.kind === 'num' && /^\d{2,}$/.test(token.text))
      return this.splitDigit(token);
    return this.atom();
  }

  /** `\frac12` is one half: TeX takes one digit. The rest of the digits stays for the next argument. */
  protected splitDigit(token: Token): Node {
    const rest = token.text.slice(1);
    const tokens = [...this.source.tokens];
    tokens[this.at] = {
      ...token,
      text: rest,
      value: { n: BigInt(rest.replace(/\D/g, '') || '0'), d: 1n },
      space: false,
    };
    this.source.tokens = tokens;
    return num(BigInt(token.text[0]));
  }

  /** A function by name with its power, base and argument, or a letter with a long name. */
  protected named(name: string): Node {
    if (letterNames.has(name))
      return this.symbol(constants.get(name) === undefined ? `\\${name}` : name);
    this.at++;
    if (name === 'sqrt' || name === 'cbrt') return this.root(name);
    if (name === 'binom') {
      const above = this.argument(true);
      return fn('binom', above, this.argument(true));
    }
    let applied = aliases.get(name) ?? name.replace(/^arc(sinh|cosh|tanh)$/, 'ar$1');
    let base = this.takeSign('_') ? this.argument() : undefined;
    let power = this.takeSign('^') ? this.exponent() : undefined;
    base ??= this.takeSign('_') ? this.argument() : this.attachedBase(name);
    const inverse = inverses.get(applied);
    const inverted =
      power?.op === 'num' && power.value.n === -1n && power.value.d === 1n && inverse !== undefined;
    if (inverted) {
      applied = inverse;
      power = undefined;
    }
    const args = this.functionArguments();
    if (name === 'cis')
      return sum(fn('cos', ...args), mul({ op: 'const', name: 'i' }, fn('sin', ...args)));
    const node =
      applied === 'log' && base !== undefined ? fn('log', ...args, base) : fn(applied, ...args);
    return power === undefined ? node : pow(node, power);
  }

  /** "log2(8)": digits that touch the name are the base. */
  protected attachedBase(name: string): Node | undefined {
    const token = this.token;
    if (name !== 'log' || token?.kind !== 'num' || token.space || token.value === undefined)
      return undefined;
    if (!isSign(this.source, this.at + 1, '(')) return undefined;
    this.at++;
    return num(token.value);
  }

  protected root(name: string): Node {
    let index = num(name === 'cbrt' ? 3 : 2);
    if (isSign(this.source, this.at, '[') && this.at < this.to) {
      const end = this.source.close[this.at];
      index = this.source.statement(this.source, this.at + 1, end, this.depth + 1);
      this.at = end + 1;
    }
    return { op: 'root', radicand: this.argument(), index };
  }

  /** What a function is applied to: brackets, or the factors up to the next sign or function. */
  protected functionArguments(): Node[] {
    const enclosed = isSign(this.source, this.at, '(') || isSign(this.source, this.at, '{');
    if (enclosed && this.at < this.to) {
      const inside = this.enclosed();
      return inside.op === 'bracket' ? inside.items : [inside];
    }
    const sign = this.signAhead();
    if (sign === '-') {
      this.at++;
      return [negative(this.functionArguments()[0])];
    }
    const factors = [this.factor()];
    while (this.startsFactor() && !this.startsFunction()) factors.push(this.factor());
    return [mul(...factors)];
  }

  protected startsFunction(): boolean {
    const token = this.token;
    return (
      token !== undefined &&
      token.kind !== 'sign' &&
      functionNames.has(token.text) &&
      !letterNames.has(token.text) &&
      token.text !== 'sqrt'
    );
  }

  protected startsFactor(): boolean {
    const token = this.token;
    if (token === undefined) return false;
    if (token.kind === 'num' || token.kind === 'name') return true;
    // A bar behind a bar opens: |x||y|.
    if (token.kind === 'sign' && token.text === '|') return isSign(this.source, this.at - 1, '|');
    if (token.kind === 'sign') return ['(', '[', '{', '\\{'].includes(token.text);
    return (
      token.kind === 'cmd' &&
      (symbolCommands.has(token.text) ||
        functionNames.has(token.text) ||
        atomCommands.has(token.text))
    );
  }

  /** What brackets, bars or an environment hold. */
  protected enclosed(): Node {
    const { node, next } = enclosed(this.source, this.at, this.to, this.depth);
    this.at = next;
    return node;
  }
}
