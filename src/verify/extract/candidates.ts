// Finds what could be the final answer of a response, the best first, each with the place where it stands.
//
// Strong marks come first: boxes, <answer> tags, "####" and phrases such as "the final answer is". The latest wins. A
// phrase that reads as prose ("the answer is plausible") comes after all that read as answers. Then, as far as the
// settings allow, what the response comes to without a mark: a response that is an answer and nothing else, the
// conclusion of the last paragraph, and as a last resort the last number, letter or line.
//
// Thoughts (<think>) are left out, see scope.ts. Marks inside a fenced program do not count.
//
// The text of a response is hostile: time is linear in its length (every pattern has bounded repetitions, brackets are
// matched in one pass), and memory is a small multiple of it. Knows nothing of what answers mean.
import type { Extraction, Seek } from '../types.ts';
import { endsInBox } from './boxed.ts';
import { fencesIn } from './fences.ts';
import { marked, type StrongMark, strongMarks } from './marked.ts';
import { extraction } from './run.ts';
import { scopeOf } from './scope.ts';
import { within } from './span.ts';
import { type Unmarked, unmarked } from './unmarked.ts';

export type { StrongMark, Unmarked };
export { strongMarks };

export interface ExtractSettings {
  /** The strong marks that count. Default all. */
  marks: readonly StrongMark[];
  /**
   * What counts without a strong mark. Each includes the one before it; fenced programs and fenced JSON always count
   * where they are sought. Default `conclusion`.
   *
   * - `none`: nothing;
   * - `whole`: a response that is an answer and nothing else;
   * - `conclusion`: the last formula, what the concluding sentence says, a response of one line;
   * - `last`: the last number, letter, line or JSON value.
   */
  unmarked: Unmarked;
}

export const defaultExtractSettings: ExtractSettings = {
  marks: strongMarks,
  unmarked: 'conclusion',
};

/** Most candidates of one response. */
export const maxCandidates = 16;

/** Of these, room for strong marks; the rest is for what is found without. */
const maxMarked = 12;

/** Marks that count in thoughts that were cut off: those that nobody sets by the way. */
const deliberate: readonly StrongMark[] = ['boxed', 'tag', 'hashes'];

/**
 * What could be the final answer of `response`, the best first, at most 16, no two with the same span. `text` is
 * `response.slice(start, end)`, except for boxes, and lines of a list below the
 * words that announce it, that are one answer: theirs are joined by ", ". Never throws.
 */
export function candidates(
  response: string,
  seek: Seek,
  settings: ExtractSettings = defaultExtractSettings,
): Extraction[] {
  const { outside, inside } = scopeOf(response);
  if (seek === 'lines') {
    return outside.start < outside.end ? [extraction(response, outside, 'whole')] : [];
  }
  const fences = fencesIn(response, outside);
  const found = marked(response, outside, fences, seek, settings.marks);
  if (inside !== undefined) {
    const marks = settings.marks.filter((mark) => deliberate.includes(mark));
    found.push(...marked(response, inside, fencesIn(response, inside), seek, marks));
  }
  const first = distinct(found, maxMarked);
  const boxes = first.filter(({ mark }) => mark === 'boxed');
  // Cut off in the middle of its answer: what stands before it is none.
  const depth = endsInBox(response, outside) ? 'none' : settings.unmarked;
  const rest = unmarked(response, outside, fences, seek, depth, first.length > 0);
  // The formula around a box says nothing new.
  const others = rest.filter((each) => !boxes.some((box) => within(box, each)));
  return distinct([...first, ...others], maxCandidates);
}

function distinct(found: readonly Extraction[], most: number): Extraction[] {
  const seen = new Set<string>();
  const kept: Extraction[] = [];
  for (const each of found) {
    const key = `${each.start} ${each.end}`;
    if (kept.length === most) break;
    if (seen.has(key) || each.start >= each.end) continue;
    seen.add(key);
    kept.push(each);
  }
  return kept;
}
