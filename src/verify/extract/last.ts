// Last resorts for responses that mark nothing and conclude nothing: the last number, letter or line.
import type { Extraction, Seek } from '../types.ts';
import { lettersIn } from './letter.ts';
import { numbersIn, unitEnd } from './number.ts';
import { extraction } from './run.ts';
import { type Span, trimmed } from './span.ts';
import { tidied } from './tidy.ts';

/** The last thing of the kind that is sought inside `span`; empty for programs and data. */
export function lastResort(text: string, span: Span, seek: Seek): Extraction[] {
  if (seek === 'number' || seek === 'formula') return lastNumber(text, span);
  if (seek === 'letter') return lastLetter(text, span);
  return seek === 'line' ? lastLine(text, span) : [];
}

function lastNumber(text: string, span: Span): Extraction[] {
  const number = numbersIn(text.slice(span.start, span.end), span.start).at(-1);
  if (number === undefined) return [];
  const whole = extraction(text, number, 'last');
  const end = unitEnd(text, number.end, span.end);
  return end > number.end
    ? [extraction(text, { start: number.start, end }, 'last'), whole]
    : [whole];
}

function lastLetter(text: string, span: Span): Extraction[] {
  const letter = lettersIn(text, span).at(-1);
  return letter === undefined ? [] : [extraction(text, letter, 'last')];
}

function lastLine(text: string, span: Span): Extraction[] {
  const { start, end } = trimmed(text, span.start, span.end);
  const line = tidied(text, Math.max(start, text.lastIndexOf('\n', end - 1) + 1), end);
  return line.start < line.end ? [extraction(text, line, 'last')] : [];
}
