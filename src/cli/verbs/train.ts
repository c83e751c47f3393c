/** `train`: GRPO on what the plan routes; the same command goes on after a stop. */
import { join } from 'node:path';
import { makeFolders } from '../../core/files.ts';
import { takeOwnership } from '../../store/owner.ts';
import type { Store } from '../../store/types.ts';
import { timed } from '../stages/stage-cost.ts';
import { runName, runPath, trainRun } from '../stages/train.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import type { Verb } from '../verb.ts';

export const train: Verb = {
  async run({ config, database, output, stop }) {
    const job = async (store: Store) => {
      const { progress } = output;
      const note = (sentence: string) => output.note(sentence);
      const run = () =>
        withVerifiers(config, (verifiers) =>
          trainRun({ store, config, verifiers, progress, stop, sharing: 1, note }),
        );
      const { workspace } = config;
      makeFolders(runPath(config));
      // Several commands may share the database; the files of a run have room for one.
      const lock = takeOwnership(join(runPath(config), 'owner.lock'), 'run');
      const done = await timed(workspace, 'training', () =>
        timed(workspace, `run ${runName(config)}`, run),
      ).finally(() => lock.release());
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
    };
    // Where people label while it trains, a desk may be opened later than the run.
    await withStore({ config, database }, job, { share: config.label.source !== 'file' });
  },
};
