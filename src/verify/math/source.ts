// The tokens of one answer with their brackets matched. Knows which token closes which, and nothing else of grammar.

import type { Node } from './node.ts';
import { Unparsed } from './node.ts';
import type { Token } from './tokens.ts';

/** Deeper nesting is not read. */
export const maxDepth = 40;

/** Steps that reading one answer may take: what cannot be read in one way is tried in another, at every level. */
export const maxSteps = 20_000;

export interface Source {
  text: string;
  tokens: readonly Token[];
  /** Index of the closing token per opening token; -1 for all others. */
  close: Int32Array;
  /** Steps that are left, shared by all parts of one answer. */
  steps: { left: number };
  /** Reads tokens [from, to) as a whole answer: a list, a relation, an expression with a unit. */
  statement(source: Source, from: number, to: number, depth: number): Node;
}

/** Counts one step. Unparsed where none is left, so that no way of reading goes on. */
export function step(source: Source): void {
  if (--source.steps.left < 0) throw new Unparsed('too many ways to read it');
}

const openers = new Set(['(', '[', '{', '\\{']);
const closers = new Set([')', ']', '}', '\\}']);
const openCommands = new Set(['langle', 'lfloor', 'lceil', 'begin']);
const closeCommands = new Set(['rangle', 'rfloor', 'rceil', 'end']);

/** Matches the brackets of an answer. Round, square and half-open pairs may mix: [0, 1). Unparsed where they do not match. */
export function matched(tokens: readonly Token[]): Int32Array {
  const close = new Int32Array(tokens.length).fill(-1);
  const stack: number[] = [];
  for (const [index, token] of tokens.entries()) {
    if (opens(token)) {
      stack.push(index);
    } else if (closes(token)) {
      const open = stack.pop();
      if (open === undefined || !fits(tokens[open], token))
        throw new Unparsed('brackets do not match');
      close[open] = index;
    }
    if (stack.length > maxDepth) throw new Unparsed('nested too deeply');
  }
  if (stack.length > 0) throw new Unparsed('brackets do not match');
  return close;
}

function opens({ kind, text }: Token): boolean {
  return kind === 'sign' ? openers.has(text) : kind === 'cmd' && openCommands.has(text);
}

function closes({ kind, text }: Token): boolean {
  return kind === 'sign' ? closers.has(text) : kind === 'cmd' && closeCommands.has(text);
}

function fits(open: Token, close: Token): boolean {
  const family = (text: string): string => {
    if ('()[]'.includes(text)) return 'round';
    if (text === '{' || text === '}') return 'group';
    if (text === '\\{' || text === '\\}') return 'set';
    return text.replace(/^[lr](?!a)|^[lr](?=ang)/, '').replace('begin', 'end');
  };
  return family(open.text) === family(close.text);
}

/** Whether the token at `index` is the sign `text`. */
export function isSign(source: Source, index: number, text: string): boolean {
  const token = source.tokens[index];
  return token !== undefined && token.kind === 'sign' && token.text === text;
}

/** Whether the token at `index` is the command `text`. */
export function isCommand(source: Source, index: number, text: string): boolean {
  const token = source.tokens[index];
  return token !== undefined && token.kind === 'cmd' && token.text === text;
}

/** Indices in [from, to) that are outside all brackets which open there, with their tokens. */
export function* outside(source: Source, from: number, to: number): Generator<[number, Token]> {
  for (let index = from; index < to; index++) {
    const end = source.close[index];
    if (end >= 0) index = end;
    else yield [index, source.tokens[index]];
  }
}

/** The text of tokens [from, to) with the blanks between them, without grouping braces: a unit. */
export function spacedText(source: Source, from: number, to: number): string {
  const words = source.tokens.slice(from, to).map(({ kind, text, space }) => {
    const plain = kind === 'cmd' ? `\\${text} ` : text;
    return `${space ? ' ' : ''}${plain}`;
  });
  return words
    .join('')
    .replace(/(?<!\\)[{}]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The text of tokens [from, to) without blanks and grouping braces: a name for what cannot be read. */
export function rawText(source: Source, from: number, to: number): string {
  const words: string[] = [];
  for (const { kind, text } of source.tokens.slice(from, to)) {
    if (kind === 'word' && words.length > 0) words.push(' ');
    if (text !== '{' && text !== '}') words.push(kind === 'cmd' ? `\\${text} ` : text);
    if (kind === 'word') words.push(' ');
  }
  return words.join('').replace(/\s+/g, ' ').trim();
}
