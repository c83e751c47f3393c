/**
 * Sets one formula with KaTeX into an element of the page. Nothing in a formula is trusted: no links, no HTML
 * attributes, no images, no macros of its own, bounded sizes, and no markup text ever passes through the page's parser.
 *
 * KaTeX is large and loaded when the first formula is met. (Its fonts and styles come with the page's style sheet,
 * and the browser fetches a font when a letter needs it.)
 */
import type { KatexOptions } from 'katex';
import { visible } from '../../src/report/format.ts';
import { LONGEST_FORMULA } from './maths.ts';

/**
 * A piece of a formula before it is an element. KaTeX's own `render` makes these and calls `toNode` at once. That is too
 * late for us: a tree that is too deep has crashed the browser by then, and a style attribute has been refused by the
 * content security policy, drawings with it. `renderToString` would pass text through the page's parser. So we take what
 * its `render` is made of, whose shape is checked as it is taken; where another version has it no more, formulas show as
 * their source, which a test in Chromium would tell.
 */
interface Piece {
  children?: Piece[];
  attributes?: Record<string, string>;
  toNode(): Node;
}
type Build = (tex: string, options: KatexOptions) => Piece;

let loaded: Promise<Build> | null = null;
let ready: Build | null = null;

/** Fetches KaTeX. A failed fetch is tried again by the next call. */
export function loadKatex(): Promise<Build> {
  loaded ??= import('katex').then(
    ({ default: katex }) => {
      const build: unknown = Reflect.get(katex, '__renderToDomTree');
      if (typeof build !== 'function') throw new Error('this KaTeX gives no trees');
      ready = (tex, options) => build(tex, options);
      return ready;
    },
    (error: unknown) => {
      loaded = null;
      throw error;
    },
  );
  return loaded;
}

/** KaTeX if it is here already. */
export function readyKatex(): Build | null {
  return ready;
}

/** A line of these can grow into millions of boxes, and no prompt needs one. */
const MACROS =
  /\\(?:[gex]?def|(?:re)?newcommand|providecommand|let|futurelet|global|long)(?![a-zA-Z])/;

/** Pieces within pieces of a formula, and pieces in all; browsers crash over some hundreds of the former. */
const DEEPEST = 250;
const MOST = 10_000;

/** Whether KaTeX is asked at all. */
function mayBeSet(tex: string): boolean {
  return tex.length <= LONGEST_FORMULA && visible(tex) === tex && !MACROS.test(tex);
}

/**
 * Replaces what is in `into` by the formula. False where it cannot be set (it does not parse, is too long or nested too
 * deep, defines macros, or has characters that reorder what is around them); then `into` is as before.
 */
export function typeset(build: Build, into: HTMLElement, tex: string, display: boolean): boolean {
  if (!mayBeSet(tex)) return false;
  try {
    const tree = build(tex, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: 'ignore',
      maxExpand: 1_000,
      maxSize: 20,
      output: 'htmlAndMathml',
    });
    if (!prepare(tree)) return false;
    into.replaceChildren(tree.toNode());
    return true;
  } catch {
    // A parse error, or brackets nested deeper than the stack: all of them are the formula's.
    return false;
  }
}

/**
 * Makes a tree fit for the page; false where it is too large. Style attributes, which the content security policy
 * refuses, are set another way where they say how wide a drawing is, and left out elsewhere.
 */
function prepare(tree: Piece): boolean {
  let count = 0;
  // No recursion, for the nesting may be as deep as the text is long.
  const waiting: { piece: Piece; depth: number }[] = [{ piece: tree, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { piece, depth } = next;
    count += 1;
    if (depth > DEEPEST || count > MOST) return false;
    restyle(piece);
    for (const child of piece.children ?? []) waiting.push({ piece: child, depth: depth + 1 });
  }
  return true;
}

function restyle(piece: Piece): void {
  const { attributes } = piece;
  const style = attributes?.style;
  if (attributes === undefined || style === undefined) return;
  delete attributes.style;
  const width = /^width:\s*([\d.]+em);?$/.exec(style)?.[1];
  if (width === undefined) return;
  const make = piece.toNode.bind(piece);
  piece.toNode = () => {
    const node = make();
    if (node instanceof SVGElement) node.style.width = width;
    return node;
  };
}
