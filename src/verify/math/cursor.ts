// A place in a slice of tokens. Knows how to look ahead and step on, and nothing of what the tokens mean.
import { Unparsed } from './node.ts';
import { isCommand, isSign, maxDepth, type Source } from './source.ts';
import type { Token } from './tokens.ts';

export class Cursor {
  protected readonly source: Source;
  protected readonly to: number;
  protected readonly depth: number;
  /** Index of the next token. */
  at: number;

  constructor(source: Source, from: number, to: number, depth: number) {
    if (depth > maxDepth) throw new Unparsed('nested too deeply');
    this.source = source;
    this.at = from;
    this.to = to;
    this.depth = depth;
  }

  protected get token(): Token | undefined {
    return this.at < this.to ? this.source.tokens[this.at] : undefined;
  }

  protected takeSign(text: string): boolean {
    if (this.at >= this.to || !isSign(this.source, this.at, text)) return false;
    this.at++;
    return true;
  }

  protected takeCommand(text: string): boolean {
    if (this.at >= this.to || !isCommand(this.source, this.at, text)) return false;
    this.at++;
    return true;
  }

  protected signAhead(): '+' | '-' | 'pm' | 'mp' | undefined {
    const token = this.token;
    if (token?.kind === 'sign' && (token.text === '+' || token.text === '-')) return token.text;
    if (token?.kind === 'cmd' && (token.text === 'pm' || token.text === 'mp')) return token.text;
    return undefined;
  }
}
