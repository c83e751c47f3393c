// Cuts a cleaned answer (clean.ts) into numbers, names, commands, words and signs. One pass. Knows which letter runs are
// words and which are products of variables, and nothing of grammar.

import { Unparsed } from './node.ts';
import { type Q, ratio } from './q.ts';
import { isUnitText, isUnitWord } from './units.ts';
import { functionNames, isWord } from './words.ts';

export interface Token {
  /** `name`: one variable or function; `cmd`: LaTeX command without its backslash; `word`: text; `sign`: one character. */
  kind: 'num' | 'name' | 'cmd' | 'word' | 'sign';
  text: string;
  /** The value of a `num`. */
  value?: Q;
  /** A `num` of digits alone. */
  whole?: boolean;
  /** A `name` in bold, as vectors are written. */
  bold?: boolean;
  /** White space before it. */
  space: boolean;
  /** Offsets in the cleaned answer. */
  start: number;
  end: number;
}

/** More tokens are not read. */
const maxTokens = 4096;

/** Commands whose argument is text or a name rather than mathematics. */
const textCommands = new Set(
  (
    'text textbf textit textrm textsf texttt textnormal mbox hbox mathrm mathbf mathit mathsf mathtt mathcal ' +
    'mathbb mathfrak boldsymbol bm operatorname emph unit si SI underline'
  ).split(' '),
);

/** Longest argument of such a command. */
const maxText = 2000;

export interface TokenSettings {
  /** "1,234" is one number; else two. */
  groups: boolean;
}

/** The tokens of a cleaned answer. Unparsed where there are too many. */
export function tokensOf(text: string, settings: TokenSettings): Token[] {
  return new Lexer(text, settings).all();
}

class Lexer {
  private readonly text: string;
  private readonly settings: TokenSettings;
  private readonly tokens: Token[] = [];
  private at = 0;
  /** Brackets that are open, beside TeX's own. */
  private brackets = 0;

  constructor(text: string, settings: TokenSettings) {
    this.text = text;
    this.settings = settings;
  }

  all(): Token[] {
    while (this.at < this.text.length) {
      if (this.tokens.length > maxTokens) throw new Unparsed('too many tokens');
      this.next();
    }
    return this.tokens;
  }

  private next(): void {
    const char = this.text[this.at];
    if (char === ' ') this.at++;
    else if (isDigit(char) || (char === '.' && isDigit(this.text[this.at + 1]))) this.number();
    else if (char === '\\') this.command();
    else if (isLetter(char)) this.letters();
    else this.push('sign', this.at + 1);
  }

  private push(kind: Token['kind'], end: number, text = this.text.slice(this.at, end)): Token {
    if (kind === 'sign' && /^(?:\(|\[|\\\{)$/.test(text)) this.brackets++;
    if (kind === 'sign' && /^(?:\)|\]|\\\})$/.test(text)) this.brackets--;
    const space = this.at === 0 || this.text[this.at - 1] === ' ';
    const token: Token = { kind, text, space, start: this.at, end };
    this.tokens.push(token);
    this.at = end;
    return token;
  }

  /** Digits with thousands separators, a fraction part, a repeating part, an exponent. */
  private number(): void {
    // "(100,200)" is a point: inside brackets a bare comma parts two numbers.
    const separator =
      this.settings.groups && (this.brackets === 0 || this.groupsInside())
        ? '(?:,|\\{,\\}| |_)'
        : '(?:\\{,\\})';
    const grouped = match(`\\d{1,3}(?:${separator}\\d{3})+(?![\\d])`, this.text, this.at);
    const plain = match('\\d{1,4096}', this.text, this.at) ?? '';
    const usable = grouped !== undefined && !grouped.startsWith('0') && uniform(grouped);
    const whole = usable ? grouped : plain;
    let end = this.at + whole.length;
    const point =
      match('\\.\\d{1,4096}', this.text, end) ?? (match('\\.(?!\\.)', this.text, end) || '');
    const digits = whole.replace(/\D/g, '');
    const decimals = point.slice(1);
    end += point.length;
    const repeat = this.repeating(end, decimals);
    end += repeat.length;
    const exponent =
      repeat.length === 0 ? (match('[eE][+-]?\\d{1,4}(?![\\d.a-zA-Z])', this.text, end) ?? '') : '';
    end += exponent.length;
    const value = decimal(digits, decimals, repeat.block, Number(exponent.slice(1)));
    if (value === undefined) throw new Unparsed('a number too long');
    const token = this.push('num', end);
    token.value = value;
    token.whole = point === '' && exponent === '';
  }

  /** Inside brackets "1,000" is one number where other commas have blanks, or where it would be a number 000. */
  private groupsInside(): boolean {
    return (
      /,\s/.test(this.text) || match('\\d{1,3},0\\d\\d(?!\\d)', this.text, this.at) !== undefined
    );
  }

  /** `\overline{3}` after the decimal point, or dots after digits that repeat (0.333...). */
  private repeating(at: number, decimals: string): { block: string; length: number } {
    const lined = match('\\\\(?:overline|bar|dot) ?\\{ ?\\d{1,40} ?\\}', this.text, at);
    if (lined !== undefined && this.text.lastIndexOf('.', at) >= this.at) {
      return { block: lined.replace(/\D/g, ''), length: lined.length };
    }
    const dots = decimals === '' ? undefined : match(' ?(?:\\.{3}|\\\\ldots)', this.text, at);
    const found = dots === undefined ? null : /(\d{1,6}?)\1{2,}$/.exec(decimals.slice(-40));
    return found === null || dots === undefined
      ? { block: '', length: 0 }
      : { block: found[1], length: dots.length };
  }

  private command(): void {
    const name = match('[a-zA-Z]+', this.text, this.at + 1);
    if (name === undefined) {
      this.push('sign', this.at + 2);
    } else if (textCommands.has(name)) {
      this.textCommand(name);
    } else {
      this.push('cmd', this.at + 1 + name.length, name);
    }
  }

  /** \text{cm} is a word, \mathrm{e} a letter, \operatorname{lcm} a function, \text{5 cm} is read as if it stood there. */
  private textCommand(name: string): void {
    const open = match('\\*? ?\\{', this.text, this.at + 1 + name.length);
    const from = this.at + 1 + name.length + (open?.length ?? 0);
    if (open === undefined) {
      const letter = name === 'mathbb' ? match(' ?[A-Z]', this.text, from) : undefined;
      // "\mathrm x": the command changes the look of what follows and nothing else.
      if (letter === undefined) this.at = from;
      else this.push('name', from + letter.length, `\\${letter.trim()}`);
      return;
    }
    const to = closing(this.text, from, maxText);
    if (to < 0) throw new Unparsed(`\\${name} without its brace`);
    const inside = this.text.slice(from, to).trim();
    if (/\^/.test(inside) && isUnitText(inside)) {
      this.push('word', to + 1, inside);
    } else if (/[\d\\^_{}]/.test(inside)) {
      this.inner(from, to);
    } else if (/^\\?[ijk](?:math)?$/.test(inside) && /bold|bf|bm/.test(name)) {
      this.push('name', to + 1, `\\bold ${inside}`);
    } else if (inside === 'R' && /bold|bf|bm/.test(name)) {
      this.push('name', to + 1, '\\R');
    } else if (
      name === 'mathbb' ||
      (/^[A-Za-z]$/.test(inside) && !name.startsWith('text') && !name.endsWith('box'))
    ) {
      const token = this.push('name', to + 1, name === 'mathbb' ? `\\${inside}` : inside);
      token.bold = /bold|bf|bm/.test(name);
    } else if (functionNames.has(inside) && !isUnitWord(inside)) {
      this.push('name', to + 1, inside);
    } else if (/^[,;=<>()\s]*$/.test(inside)) {
      this.inner(from, to);
    } else {
      this.words(inside, from, to + 1);
    }
    this.at = Math.max(this.at, to + 1);
  }

  /** One token a word: "years and" has a joint in it. */
  private words(inside: string, from: number, end: number): void {
    for (const word of inside.split(' ')) {
      this.tokens.push({ kind: 'word', text: word, space: true, start: from, end });
    }
    this.at = end;
  }

  /** Reads the text between two offsets as if nothing were around it. */
  private inner(from: number, to: number): void {
    const inside = new Lexer(this.text.slice(from, to), this.settings).all();
    for (const token of inside) {
      this.tokens.push({ ...token, start: token.start + from, end: token.end + from });
    }
    this.at = to + 1;
  }

  /** A run of letters: a function, a word, a unit behind a number, or a product of variables. */
  private letters(): void {
    const run =
      match('\\p{Script=Han}+', this.text, this.at) ??
      match('(?:(?!\\p{Script=Han})\\p{L})+', this.text, this.at) ??
      this.text[this.at];
    const end = this.at + run.length;
    const before = this.tokens.at(-1);
    const measured = before?.kind === 'num' || ['}', ')', 'pi'].includes(before?.text ?? '');
    const apart = this.text[this.at - 1] === ' ';
    // "3mg" is the weight of a mass 3m as often as three milligrams; "3 mg" is not.
    const unit = run.length > 1 && measured && isUnitWord(run) && (apart || run !== 'mg');
    if (!unit && (functionNames.has(run) || functionNames.has(run.toLowerCase()))) {
      this.push('name', end, functionNames.has(run) ? run : run.toLowerCase());
    } else if (unit || /\p{Script=Han}/u.test(run) || (run.length > 1 && isWord(run))) {
      this.push('word', end);
    } else {
      const known = longestFunction(run);
      const size = known?.length ?? Array.from(run)[0]?.length ?? 1;
      const token = this.push('name', this.at + size);
      while (this.text[this.at] === "'") {
        token.text += "'";
        token.end = ++this.at;
      }
    }
  }
}

/** "sinx" begins with a function; "pir" with pi; "sqrt2" is met as "sqrt" by the run itself. */
function longestFunction(run: string): string | undefined {
  for (let size = Math.min(run.length, 6); size >= 2; size--) {
    const head = run.slice(0, size);
    if (functionNames.has(head)) return head;
  }
  return undefined;
}

/** All separators alike: "1,000 000" is no number. */
function uniform(grouped: string): boolean {
  const marks = grouped.replace(/\d/g, '');
  const first = marks.startsWith('{,}') ? '{,}' : marks[0];
  return marks === first.repeat(marks.length / first.length);
}

function decimal(whole: string, decimals: string, block: string, exponent: number): Q | undefined {
  const scale = 10n ** BigInt(decimals.length);
  let n = BigInt(`${whole}${decimals}` || '0');
  let d = scale;
  if (block !== '') {
    const nines = 10n ** BigInt(block.length) - 1n;
    n = n * nines + BigInt(block);
    d = scale * nines;
  }
  if (exponent > 0) n *= 10n ** BigInt(exponent);
  if (exponent < 0) d *= 10n ** BigInt(-exponent);
  return ratio(n, d);
}

const patterns = new Map<string, RegExp>();

/** What `source` matches at `at`, or undefined. */
function match(source: string, text: string, at: number): string | undefined {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    pattern = new RegExp(source, 'uy');
    patterns.set(source, pattern);
  }
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Index of the brace that closes one opened before `from`; -1 where there is none within `limit` characters. */
function closing(text: string, from: number, limit: number): number {
  let depth = 1;
  for (let at = from; at < text.length && at < from + limit; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

function isLetter(char: string): boolean {
  return /^\p{L}$/u.test(char) || char.codePointAt(0) === undefined || /[\ud800-\udbff]/.test(char);
}
