/** One look per arm of a bench, the same in every table and chart of all pools. */
import type { ArmStyle } from '../arms.ts';
import type { BenchData } from './data.ts';

const REFERENCE: ArmStyle = { tone: 'orange', dash: '7 3', mark: 'square' };
const RANDOM: ArmStyle = { tone: 'green', dash: '2 3', mark: 'triangle' };

/** In order for the other arms: no two share tone and mark. */
const OTHERS: readonly ArmStyle[] = [
  { tone: 'blue', dash: undefined, mark: 'circle' },
  { tone: 'purple', dash: '9 3 2 3', mark: 'diamond' },
  { tone: 'olive', dash: '6 2 1 2 1 2', mark: 'square' },
  { tone: 'teal', dash: '4 2', mark: 'triangle' },
  { tone: 'grey', dash: '3 5', mark: 'circle' },
  { tone: 'olive', dash: '8 4', mark: 'diamond' },
  { tone: 'teal', dash: '9 3 2 3', mark: 'circle' },
  { tone: 'grey', dash: '4 2', mark: 'square' },
  { tone: 'blue', dash: '1 3', mark: 'square' },
  { tone: 'purple', dash: '6 3', mark: 'triangle' },
];

/** Is it an arm of what this package is about? */
export const isPivot = (id: string): boolean => /pivot/i.test(id);

/** By arm id. Arms named after pivots come first among the others, so that they have the strongest look. */
export function benchStyles({ pools, reference, random }: BenchData): Map<string, ArmStyle> {
  const styles = new Map<string, ArmStyle>([[reference, REFERENCE]]);
  if (random !== null) styles.set(random, RANDOM);
  const ids = [...new Set(pools.flatMap(({ arms }) => arms.map(({ id }) => id)))];
  const others = [...ids.filter(isPivot), ...ids.filter((id) => !isPivot(id))];
  let next = 0;
  for (const id of others) {
    if (styles.has(id)) continue;
    styles.set(id, OTHERS[next % OTHERS.length] ?? OTHERS[0]);
    next += 1;
  }
  return styles;
}
