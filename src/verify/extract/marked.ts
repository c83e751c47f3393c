// The answers behind strong marks in one part of a response, the best first: answers before prose, later marks before
// earlier ones. Knows nothing of thoughts, nor of what is found without a mark.
import type { Extraction, Seek } from '../types.ts';
import { boxClaims } from './boxed.ts';
import type { Claim } from './claim.ts';
import { codeInside } from './code.ts';
import { type Fence, isProgram } from './fences.ts';
import { jsonClaims, jsonInside, jsonValues } from './json.ts';
import { phraseClaims } from './phrase.ts';
import { type Span, within } from './span.ts';
import { hashClaims, tagClaims } from './tag.ts';

/** A mark that a writer sets to show the answer. */
export type StrongMark = 'boxed' | 'tag' | 'hashes' | 'phrase';

export const strongMarks: readonly StrongMark[] = ['boxed', 'tag', 'hashes', 'phrase'];

export function marked(
  text: string,
  span: Span,
  fences: readonly Fence[],
  seek: Seek,
  marks: readonly StrongMark[],
): Extraction[] {
  const programs = fences.filter(isProgram);
  // Programs print answers, build boxes and comment with "####".
  const read = seek === 'code' ? marks.filter((mark) => mark === 'tag') : marks;
  const claims: Claim[] = [];
  if (read.includes('boxed')) claims.push(...boxClaims(text, span, programs));
  if (read.includes('tag')) claims.push(...tagClaims(text, span, programs, seek));
  if (read.includes('hashes')) claims.push(...hashClaims(text, span, programs, seek));
  const inner = claims.map((claim) => ({
    ...claim,
    spans: claim.spans.map((each) => inside(text, each, seek)),
  }));
  if (read.includes('phrase')) inner.push(...announcedClaims(text, span, programs, seek, claims));
  return inOrder(inner);
}

/** The value or program in what a mark holds. */
function inside(text: string, found: Extraction, seek: Seek): Extraction {
  if (seek === 'json') return jsonInside(text, found, found.mark);
  return seek === 'code' ? codeInside(text, found, found.mark) : found;
}

function announcedClaims(
  text: string,
  span: Span,
  programs: readonly Fence[],
  seek: Seek,
  claims: readonly Claim[],
): Claim[] {
  if (seek === 'json') return jsonClaims(text, span, jsonValues(text, span), programs);
  // "The final answer is $\boxed{5}$" is the box.
  const boxes = claims.filter((claim) => claim.spans[0]?.mark === 'boxed');
  return phraseClaims(text, span, programs, seek).filter(
    (phrase) => !boxes.some((box) => within(box.outer, phrase.outer)),
  );
}

/** Claims that read as answers before prose, later ones before earlier ones; second readings after all first ones. */
function inOrder(claims: readonly Claim[]): Extraction[] {
  const weight = ({ weight }: Claim) => (weight === 'firm' ? 1 : 0);
  const sorted = [...claims].sort((one, other) => weight(other) - weight(one) || other.at - one.at);
  const [best, ...others] = sorted;
  const rest = others.flatMap(({ spans }) => spans.slice(0, 1));
  return [...(best?.spans ?? []), ...rest];
}
