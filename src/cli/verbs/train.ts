/** `train`: GRPO on what the plan routes; the same command goes on after a stop. */
import { timed } from '../stages/stage-cost.ts';
import { runName, trainRun } from '../stages/train.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import type { Verb } from '../verb.ts';

export const train: Verb = {
  async run({ config, output, stop }) {
    await withStore(config, async (store) => {
      const { progress } = output;
      const run = () =>
        withVerifiers(config, (verifiers) =>
          trainRun({ store, config, verifiers, progress, stop, sharing: 1 }),
        );
      const { workspace } = config;
      const done = await timed(workspace, 'training', () =>
        timed(workspace, `run ${runName(config)}`, run),
      );
      const { step, rollouts, tokens, labels, seconds } = done.state;
      const text = `Run ${done.run}: ${step} steps, ${rollouts} rollouts, ${tokens} tokens, ${labels} labels.\nThe policy is in ${done.directory}/final`;
      output.result(text, {
        run: done.run,
        directory: done.directory,
        step,
        rollouts,
        tokens,
        labels,
        seconds,
      });
    });
  },
};
