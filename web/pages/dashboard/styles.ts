/** One look per run and per route, the same in every chart. */
import type { ArmStyle, Mark, Tone } from '../../../src/report/arms.ts';

const tones: Tone[] = ['blue', 'orange', 'green', 'purple', 'teal', 'olive', 'grey'];
const dashes = [undefined, '7 3', '2 3', '9 3 2 3', '4 2', '6 2 1 2', '3 5'];
const marks: Mark[] = ['circle', 'square', 'triangle', 'diamond'];

/** The style of the run at this place among those that are shown. */
export function styleAt(place: number): ArmStyle {
  return {
    tone: tones[place % tones.length] ?? 'blue',
    dash: dashes[place % dashes.length],
    mark: marks[place % marks.length] ?? 'circle',
  };
}

/** Routes in the order in which they are stacked and listed. */
export const states = ['discard', 'self', 'annotate', 'annotated', 'new'] as const;

const toneOfState: Record<string, string> = {
  discard: 'discard',
  self: 'self',
  annotate: 'annotate',
  annotated: 'annotated',
  new: 'new',
};

/** Colour class of a state; one that is not known has the colour of new ones. */
export function toneOf(state: string | null): string {
  return toneOfState[state ?? 'new'] ?? 'new';
}
