/** `triage`: makes the plan and carries it out; with --dry-run only prints it. */
import { resolve } from 'node:path';
import { describePlanned } from '../../triage/describe.ts';
import { planToJson } from '../../triage/disk.ts';
import type { PlannedPool } from '../../triage/plan.ts';
import { labelDesk } from '../stages/labels.ts';
import { moreSamples } from '../stages/more-samples.ts';
import { takeScores } from '../stages/score-file.ts';
import { timed } from '../stages/stage-cost.ts';
import { triage as carryOut, draftPlan } from '../stages/triage.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb, VerbContext } from '../verb.ts';

export const triage: Verb = {
  usesModel: true,
  configure(command) {
    command
      .option('--dry-run', 'print the plan; buy, sample and write nothing')
      .option(
        '--scores <file>',
        'take in scores that were made elsewhere: JSONL with id and a number per estimator for every prompt',
      );
  },
  async run(context) {
    await (context.flags.dryRun === true ? dryRun(context) : execute(context));
  },
};

async function dryRun({ config, database, output }: VerbContext): Promise<void> {
  await withStore({ config, database }, async (store) => {
    const desk = await labelDesk(store, config);
    const { plan, probesToBuy } = await withVerifiers(config, (verifiers) =>
      draftPlan({ store, config, desk, verifiers }),
    );
    const lines = [describePlanned(plan), '', 'A dry run: nothing was bought or written.'];
    if (probesToBuy.length > 0) {
      lines.push(
        `Carrying it out first buys labels for ${counted(probesToBuy.length, 'probe')}; the plan will follow what they show.`,
      );
    }
    output.result(lines.join('\n'), {
      ...(output.json ? { plan: printable(plan) } : {}),
      probes_to_buy: probesToBuy,
    });
  });
}

async function execute({ config, cwd, database, flags, output, stop }: VerbContext): Promise<void> {
  await withStore({ config, database }, async (store) => {
    if (typeof flags.scores === 'string') {
      const file = resolve(cwd, flags.scores);
      await takeScores({ store, file, round: 0, progress: output.progress, stop });
    }
    const desk = await labelDesk(store, config);
    const { progress } = output;
    const note = (sentence: string) => output.note(sentence);
    const done = await timed(config.workspace, `triage ${config.triage.plan}`, () =>
      withVerifiers(config, (verifiers) =>
        carryOut({
          ...{ store, config, desk, verifiers, stop },
          sampleMore: (promptIds, samples) =>
            moreSamples({ store, config, verifiers, progress, stop, note }, promptIds, samples),
        }),
      ),
    );
    if (done.probesWithoutLabel > 0) {
      output.note(
        `${counted(done.probesWithoutLabel, 'probe')} without a label: no answer to buy, or the budget is used up.`,
      );
    }
    const text = `${describePlanned(done.plan)}\n\n${counted(done.moved, 'transition')} recorded in ${done.path}`;
    output.result(text, {
      ...(output.json ? { plan: printable(done.plan) } : {}),
      transitions: done.moved,
      manifest: done.path,
    });
  });
}

/** Plans of more decisions than this are printed without them: a line of output must fit in memory. */
const mostDecisions = 100_000;

function printable({ head, decisions }: PlannedPool): unknown {
  const isShort = head.counts.pool <= mostDecisions;
  return planToJson({ ...head, decisions: isShort ? [...decisions] : [] });
}
