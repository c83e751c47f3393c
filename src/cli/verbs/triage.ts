/** `triage`: makes the plan and carries it out; with --dry-run only prints it. */
import { describePlan } from '../../triage/describe.ts';
import { planToJson } from '../../triage/disk.ts';
import { labelDesk } from '../stages/labels.ts';
import { withPolicy } from '../stages/policy.ts';
import { timed } from '../stages/stage-cost.ts';
import { sampleMore } from '../stages/trace.ts';
import { triage as carryOut, draftPlan } from '../stages/triage.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb, VerbContext } from '../verb.ts';

export const triage: Verb = {
  configure(command) {
    command.option('--dry-run', 'print the plan; buy, sample and write nothing');
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
    const lines = [describePlan(plan), '', 'A dry run: nothing was bought or written.'];
    if (probesToBuy.length > 0) {
      lines.push(
        `Carrying it out first buys labels for ${counted(probesToBuy.length, 'probe')}; the plan will follow what they show.`,
      );
    }
    output.result(lines.join('\n'), { plan: planToJson(plan), probes_to_buy: probesToBuy });
  });
}

async function execute({ config, database, output, stop }: VerbContext): Promise<void> {
  await withStore({ config, database }, async (store) => {
    const desk = await labelDesk(store, config);
    const { progress } = output;
    const done = await timed(config.workspace, `triage ${config.triage.plan}`, () =>
      withVerifiers(config, (verifiers) =>
        carryOut({
          ...{ store, config, desk, verifiers, stop },
          sampleMore: (promptIds, samples) =>
            withPolicy(config, (policy) => {
              const tracing = { store, config, policy, verifiers, progress, stop, round: 0 };
              return sampleMore(tracing, promptIds, samples);
            }),
        }),
      ),
    );
    if (done.probesWithoutLabel > 0) {
      output.note(
        `${counted(done.probesWithoutLabel, 'probe')} without a label: no answer to buy, or the budget is used up.`,
      );
    }
    const text = `${describePlan(done.plan)}\n\n${counted(done.moved, 'transition')} recorded in ${done.path}`;
    output.result(text, {
      plan: planToJson(done.plan),
      transitions: done.moved,
      manifest: done.path,
    });
  });
}
