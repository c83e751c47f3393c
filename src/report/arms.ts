/**
 * One look per arm, the same in every table and chart: a colour, a dash pattern and a mark, so that
 * no arm is told from another by colour alone. Knows nothing of results.
 */
import type { ArmKind, ReportData } from './data.ts';

/** A class of the style sheet that sets the colour. */
export type Tone = 'blue' | 'orange' | 'green' | 'purple' | 'teal' | 'olive' | 'grey';

export type Mark = 'circle' | 'square' | 'triangle' | 'diamond';

export interface ArmStyle {
  tone: Tone;
  /** SVG stroke-dasharray; undefined for a solid line. */
  dash: string | undefined;
  mark: Mark;
}

const FIXED: Record<Exclude<ArmKind, 'other'>, ArmStyle> = {
  pivottrace: { tone: 'blue', dash: undefined, mark: 'circle' },
  full: { tone: 'orange', dash: '7 3', mark: 'square' },
  random: { tone: 'green', dash: '2 3', mark: 'triangle' },
  base: { tone: 'grey', dash: '1 3', mark: 'diamond' },
};

const SPARE: readonly ArmStyle[] = [
  { tone: 'purple', dash: '9 3 2 3', mark: 'diamond' },
  { tone: 'olive', dash: '6 2 1 2 1 2', mark: 'square' },
  { tone: 'teal', dash: '4 2', mark: 'circle' },
  { tone: 'grey', dash: '3 5', mark: 'triangle' },
];

const FIRST_SPARE: ArmStyle = { tone: 'purple', dash: '9 3 2 3', mark: 'diamond' };

/**
 * Style by arm id, for all arms of the report. The first arm of a kind has the kind's own style,
 * everything else takes the spare ones in order (and again from the start when they run out).
 */
export function armStyles(
  data: Pick<ReportData, 'comparison' | 'training'>,
): Map<string, ArmStyle> {
  const styles = new Map<string, ArmStyle>();
  const taken = new Set<ArmKind>();
  let spare = 0;
  for (const { id, kind } of [...(data.comparison?.arms ?? []), ...(data.training ?? [])]) {
    if (styles.has(id)) continue;
    if (kind !== 'other' && !taken.has(kind)) {
      taken.add(kind);
      styles.set(id, FIXED[kind]);
    } else {
      styles.set(id, SPARE[spare % SPARE.length] ?? FIRST_SPARE);
      spare += 1;
    }
  }
  return styles;
}

/** The style of one arm; the first spare one for an id that the report does not know. */
export function styleOf(styles: ReadonlyMap<string, ArmStyle>, id: string): ArmStyle {
  return styles.get(id) ?? FIRST_SPARE;
}
