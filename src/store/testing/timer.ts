/** A child for the test of costs: adds a second so many times. */
import { changeCosts } from '../costs.ts';

const [workspace, stage, count] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
  changeCosts(workspace, ({ seconds, peakMemory }) => ({
    seconds: { ...seconds, [stage]: (seconds[stage] ?? 0) + 1, all: (seconds.all ?? 0) + 1 },
    peakMemory,
  }));
}
