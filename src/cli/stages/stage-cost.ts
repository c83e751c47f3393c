/** Times stages into the file of costs beside the database. */
import { changeCosts } from '../../store/costs.ts';

/** Parts of the stage `trace` that are timed by themselves too. */
export const CHOICE_OF_HEADS = 'trace/choice of heads';
export const HIDDEN_STATES = 'trace/hidden states';

/** Runs `job` and adds its wall seconds to those of `stage`, also when it fails: a resumed stage took both. */
export async function timed<T>(
  workspace: string,
  stage: string,
  job: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  try {
    return await job();
  } finally {
    const spent = (performance.now() - started) / 1000;
    // The system counts memory in kilobytes.
    const used = process.resourceUsage().maxRSS * 1024;
    changeCosts(workspace, ({ seconds, peakMemory }) => ({
      seconds: { ...seconds, [stage]: (seconds[stage] ?? 0) + spent },
      peakMemory: Math.max(peakMemory ?? 0, used),
    }));
  }
}

/** Forgets the time of a stage that starts again from nothing, and of its parts ("stage/part"). */
export function forgetSeconds(workspace: string, stage: string): void {
  changeCosts(workspace, ({ seconds, peakMemory }) => {
    const others = Object.entries(seconds).filter(
      ([name]) => name !== stage && !name.startsWith(`${stage}/`),
    );
    return { seconds: Object.fromEntries(others), peakMemory };
  });
}
