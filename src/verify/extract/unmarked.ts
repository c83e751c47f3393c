// What a response comes to where no mark shows its answer: a response that is an answer and nothing else, its conclusion,
// the last value in it, its fenced blocks. Knows nothing of thoughts.
import type { Extraction, Seek } from '../types.ts';
import { fencedCode, lines } from './code.ts';
import { conclusions } from './conclusion.ts';
import { breaksOff, isDenied, isUnsettled } from './doubt.ts';
import type { Fence } from './fences.ts';
import { jsonFences, jsonUnmarked, jsonValues } from './json.ts';
import { lastResort } from './last.ts';
import { optionNamed } from './option.ts';
import { masked, maxPassage, type Passage, passageOf, sentencesOf } from './passage.ts';
import { extraction } from './run.ts';
import { isBare, isPlaceholder } from './shape.ts';
import type { Span } from './span.ts';
import { tidied } from './tidy.ts';

/** How far the search goes without a strong mark; each includes the one before it. */
export type Unmarked = 'none' | 'whole' | 'conclusion' | 'last';

/** Longest response that may be an answer and nothing else, in UTF-16 units. */
const maxWhole = 4096;

/** The candidates without a strong mark, the best first. `isMarked`: there are others that have one. */
export function unmarked(
  text: string,
  span: Span,
  fences: readonly Fence[],
  seek: Seek,
  depth: Unmarked,
  isMarked: boolean,
): Extraction[] {
  if (seek === 'code') return unmarkedCode(text, span, fences, depth);
  if (seek === 'json') {
    const fenced = jsonFences(text, fences);
    if (depth === 'none') return fenced;
    return [...fenced, ...jsonUnmarked(text, span, jsonValues(text, span), depth)];
  }
  if (depth === 'none' || span.start >= span.end) return [];
  const found: Extraction[] = [];
  const window = lastPart(text, span);
  const passage = passageOf(text, window.start, window.end);
  if (seek === 'formula' && depth !== 'whole') found.push(...optionNamed(passage));
  const cutOff = isCutOff(passage, seek);
  const whole = tidied(text, span.start, Math.min(span.end, span.start + maxWhole));
  const isWhole = span.end - span.start <= maxWhole;
  const sound = isWhole && !refuted(text, whole, seek);
  const bare = sound && isBare(text.slice(whole.start, whole.end), seek);
  if (bare) found.push(extraction(text, whole, 'whole'));
  if (depth === 'whole') return found;
  if (!cutOff) found.push(...conclusions(passage, seek));
  if (sound && !cutOff && !bare && !isMarked && isStatement(text, whole)) {
    found.push(extraction(text, whole, 'whole'));
  }
  if (depth === 'last') found.push(...lastResort(text, window, seek));
  return found;
}

function unmarkedCode(
  text: string,
  span: Span,
  fences: readonly Fence[],
  depth: Unmarked,
): Extraction[] {
  const fenced = fencedCode(text, fences, 'conclusion');
  if (fences.length > 0 || depth === 'none') return fenced;
  return [extraction(text, lines(text, span), 'whole')];
}

/** The end of a long response, from the beginning of a line if one is near. */
function lastPart(text: string, span: Span): Span {
  if (span.end - span.start <= maxPassage) return span;
  const from = span.end - maxPassage;
  const line = text.indexOf('\n', from);
  return { start: line >= 0 && line < from + maxPassage / 2 ? line + 1 : from, end: span.end };
}

function isCutOff(passage: Passage, seek: Seek): boolean {
  if (seek !== 'formula' && seek !== 'number') return false;
  const last = sentencesOf(passage, passage.start, passage.end).at(-1);
  if (last === undefined || /[.!?]/u.test(passage.text[last.end] ?? '')) return false;
  return breaksOff(masked(passage, last.start, last.end));
}

/** "7 fails", "at most 7", "C?" are short, but no answers. */
function refuted(text: string, whole: Span, seek: Seek): boolean {
  if (seek !== 'formula' && seek !== 'number') return false;
  if (/^\s?\?/u.test(text.slice(whole.end, whole.end + 2))) return true;
  const said = text.slice(whole.start, Math.min(whole.end, whole.start + 200));
  if (isUnsettled(said, '')) return true;
  // "All real numbers except 0" is a set and no denial.
  if (/^(?:all|every|any)(?!\p{L})/iu.test(said)) return false;
  const number = /\p{N}/u.exec(said)?.index ?? said.length;
  const behind = said.slice(number).replace(/^[\p{N}.,]{1,40}/u, '');
  return isDenied(said.slice(0, number), behind);
}

/** One short line that is more than a label with nothing behind it. */
function isStatement(text: string, { start, end }: Span): boolean {
  const line = text.slice(start, Math.min(end, start + 201));
  return line.length <= 200 && !line.includes('\n') && !isPlaceholder(line);
}
