/** `train`: GRPO on what the plan routes, here or by a trainer on a Ray cluster; the same command goes on after a stop. */
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { makeFolders } from '../../core/files.ts';
import { trainerFormats } from '../../export/trainer-formats.ts';
import { trainers } from '../../export/types.ts';
import { takeOwnership } from '../../store/owner.ts';
import type { Store } from '../../store/types.ts';
import { type RayTrainStage, stopRayTrain, trainOnRay } from '../stages/cluster-train.ts';
import { timed } from '../stages/stage-cost.ts';
import { runName, runPath, trainRun } from '../stages/train.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import type { Verb, VerbContext } from '../verb.ts';

const launched = trainers.filter((name) => trainerFormats[name].entrypoint !== null);

export const train: Verb = {
  usesModel: true,
  configure(command) {
    command
      .option(
        '--engine <name>',
        `who trains (default: this process). ${launched.join(', ')}: a job on a Ray cluster, from the folder of \`export --to\``,
      )
      .option('--address <url>', 'dashboard of the Ray cluster, such as http://head:8265')
      .option('--export <folder>', 'the exported folder; default: exports/TRAINER in the workspace')
      .option('--stop', 'end the job that an earlier call has left on the cluster')
      .option('--fresh', 'train again on an export that was trained on');
  },
  async run(context) {
    const { config, database, output, stop, flags } = context;
    if (flags.engine !== undefined) return await onCluster(context);
    const [stray] = ['address', 'export', 'stop', 'fresh'].filter((name) => name in flags);
    if (stray !== undefined) {
      throw new UserError({ wanted: `--engine beside --${stray}`, found: 'none' });
    }
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

async function onCluster({ config, flags, cwd, output, stop }: VerbContext): Promise<void> {
  const trainer = launched.find((name) => name === flags.engine);
  if (trainer === undefined) {
    const wanted = `a trainer on a cluster (${launched.join(', ')})`;
    throw new UserError({ wanted, found: JSON.stringify(flags.engine), where: '--engine' });
  }
  const stage: RayTrainStage = {
    ...{ config, stop, trainer, note: (sentence) => output.note(sentence) },
    address: typeof flags.address === 'string' ? flags.address : null,
    folder:
      typeof flags.export === 'string'
        ? resolve(cwd, flags.export)
        : join(config.workspace, 'exports', trainer),
    fresh: flags.fresh === true,
  };
  if (flags.stop === true) {
    const stopped = await stopRayTrain(stage);
    const text =
      stopped === null ? 'No job of this export runs.' : `Job ${stopped} was asked to end.`;
    output.result(text, { stopped });
    return;
  }
  const done = await trainOnRay(stage);
  const text = `Job ${done.job} ${done.before ? 'has succeeded before (--fresh trains again)' : 'has succeeded'}.\nWhat it wrote is where ${join(done.folder, 'launch.sh')} says.`;
  output.result(text, { ...done });
}
