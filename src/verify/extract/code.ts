// Programs in a response: the inside of its fenced blocks, the last one first, those with the tag of a programming
// language before those without, and both before shell lines and output.
import type { Extraction, Mark } from '../types.ts';
import { type Fence, fencesIn, fitForCode } from './fences.ts';
import { extraction } from './run.ts';
import { isBlank, type Span, trimmed } from './span.ts';

/** Blocks that are looked at, from the end of the response. */
const maxFences = 64;

/** The fenced programs, the best first. */
export function fencedCode(text: string, fences: readonly Fence[], mark: Mark): Extraction[] {
  const found: Extraction[] = [];
  for (const fit of [2, 1, 0]) {
    for (const fence of fences.slice(-maxFences).reverse()) {
      const inner = lines(text, fence.inner);
      if (fitForCode(fence) === fit && inner.start < inner.end)
        found.push(extraction(text, inner, mark));
    }
  }
  return found;
}

/** The program inside a mark: in its fence, or all of it. */
export function codeInside(text: string, inner: Span, mark: Mark): Extraction {
  const [fenced] = fencedCode(text, fencesIn(text, inner), mark);
  return fenced ?? extraction(text, lines(text, inner), mark);
}

/** The span without blank lines before it and blanks behind it: the first line keeps its indentation. */
export function lines(text: string, span: Span): Span {
  const { start, end } = trimmed(text, span.start, span.end);
  let first = start;
  while (first > span.start && text[first - 1] !== '\n' && isBlank(text.charCodeAt(first - 1)))
    first--;
  return { start: first, end: Math.max(first, end) };
}
