/** `eval`: avg@k and greedy accuracy of a model on held-out questions. */
import { UserError } from '../../core/errors.ts';
import { meanInterval } from '../../stats/student.ts';
import { evaluate } from '../../train/evaluate.ts';
import { samplingOf, withPolicy } from '../stages/policy.ts';
import { evalItems } from '../stages/train.ts';
import { withVerifiers } from '../stages/workspace.ts';
import { table } from '../table.ts';
import type { Verb } from '../verb.ts';

export const evaluation: Verb = {
  usesModel: true,
  needsWorkspace: false,
  needsDatabase: false,
  async run({ config, output }) {
    const items = await evalItems(config);
    if (items.length === 0) {
      throw new UserError({
        wanted: 'a file of held-out prompts with answers',
        found: 'none',
        where: 'eval.file',
        fix: 'Set eval.file to a JSONL, CSV or Parquet file with the columns prompt and answer.',
      });
    }
    const sampling = samplingOf(config);
    const { samples } = config.eval;
    const { progress } = output;
    const { sampled, greedy } = await withVerifiers(config, (verifiers) =>
      withPolicy(config, async (policy) => {
        const measure = async (name: string, count: number) => {
          progress.start(name, items.length * Math.max(1, count), 'responses');
          const accuracy = await evaluate(policy, items, count, sampling, verifiers, (done) =>
            progress.update(done),
          );
          progress.finish(name);
          return accuracy;
        };
        return {
          sampled: await measure('sampled', samples),
          greedy: await measure('greedy', 0),
        };
      }),
    );
    const { low, high } = meanInterval(sampled.perPrompt);
    const sources = [...new Set(items.map(({ source }) => source))].sort();
    const bySource = sources.map((source) => {
      const at = items.flatMap((item, i) => (item.source === source ? [i] : []));
      const mean = (values: number[]) => at.reduce((sum, i) => sum + values[i], 0) / at.length;
      return {
        source,
        prompts: at.length,
        average: mean(sampled.perPrompt),
        greedy: mean(greedy.perPrompt),
      };
    });
    const rows = [
      ...bySource.map((one) => [
        one.source,
        one.prompts,
        one.average.toFixed(3),
        one.greedy.toFixed(3),
      ]),
      ['all', items.length, sampled.average.toFixed(3), greedy.average.toFixed(3)],
    ];
    const grid = table(['source', 'prompts', `avg@${samples}`, 'greedy'], rows);
    const note = `95 % interval of avg@${samples}: ${low.toFixed(3)} to ${high.toFixed(3)}`;
    output.result(`${grid}\n${note}`, {
      model: config.model,
      prompts: items.length,
      samples,
      average: sampled.average,
      low,
      high,
      greedy: greedy.average,
      sources: bySource,
    });
  },
};
