/** What a person is told while training waits for labels, and how long it waited. */
import type { Progress } from '../../core/progress.ts';
import type { Waiting } from '../../label/live.ts';
import type { Config } from '../config.ts';

export interface Waits {
  waiting: Waiting;
  /** The progress of the run; it shows what is waited for. */
  progress: Progress;
  /** Seconds since some origin in which nobody was waited for. */
  clock(): number;
}

/** `note` says a sentence to the person. */
export function waitsOf(
  config: Pick<Config, 'label' | 'teacher'>,
  progress: Progress,
  stop: AbortSignal,
  note: (sentence: string) => void,
): Waits {
  const now = () => performance.now() / 1000;
  let done = 0;
  let begun: number | null = null;
  let waited = 0;
  const { wait_minutes: minutes } = config.label;
  return {
    progress: {
      ...progress,
      start: (...given) => progress.start(...given),
      finish: (summary) => progress.finish(summary),
      update(units, extra) {
        done = units;
        progress.update(units, extra);
      },
    },
    clock: () => now() - waited,
    waiting: {
      minutes,
      stop,
      told(count, { step }, isOver) {
        const waits = count > 0 && !isOver;
        if (waits && begun === null) {
          begun = now();
          note(`Training waits for ${labels(count)} at step ${step ?? 0}. ${placeOf(config)}`);
        }
        if (waits) progress.update(done, { waiting_for_labels: count });
        else if (begun !== null) {
          waited += now() - begun;
          begun = null;
        }
        if (isOver) {
          const spent = `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
          note(`${labels(count)} did not come in ${spent}: training goes on with votes instead.`);
        }
      },
    },
  };
}

const labels = (count: number) => `${count} ${count === 1 ? 'label' : 'labels'}`;

/** Where a label can be given. */
function placeOf({ label, teacher }: Pick<Config, 'label' | 'teacher'>): string {
  return label.source === 'teacher'
    ? `The teacher ${teacher.name} is asked.`
    : 'People give them in the browser: `pivottrace serve`.';
}
