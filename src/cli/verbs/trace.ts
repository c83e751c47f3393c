/** `trace`: samples the pool and traces attention while it decodes; goes on where it was stopped. */
import { sensitivityLines } from '../../trace/index.ts';
import { withPolicy } from '../stages/policy.ts';
import { forgetSeconds, timed } from '../stages/stage-cost.ts';
import { tracePool } from '../stages/trace.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb } from '../verb.ts';

export const trace: Verb = {
  configure(command) {
    command.option('--fresh', 'forget the traces there are and start again');
  },
  async run({ config, database, flags, output, stop }) {
    await withStore({ config, database }, async (store) => {
      if (flags.fresh === true) {
        await store.transaction(async (tables) => {
          await tables.rollouts.clear(0);
          await tables.meta.put('trace_profile/0', null);
        });
        forgetSeconds(config.workspace, 'trace');
      }
      await withPolicy(config, async (policy) => {
        const { progress } = output;
        const done = await timed(config.workspace, 'trace', () =>
          withVerifiers(config, (verifiers) =>
            tracePool({ store, config, policy, verifiers, progress, stop, round: 0 }),
          ),
        );
        const heads = done.manifest.heads.map(({ layer, head }) => `${layer}.${head}`);
        const lines = [
          `${counted(done.prompts, 'prompt')} traced, ${counted(done.responses, 'new response')}, ${counted(done.tokens, 'token')}.`,
          `Heads (layer.head): ${heads.join(', ')}. Threshold: ${done.manifest.tau?.toPrecision(4) ?? 'none'}.`,
          '',
          ...sensitivityLines(done.sensitivity),
        ];
        output.result(lines.join('\n'), {
          prompts: done.prompts,
          responses: done.responses,
          tokens: done.tokens,
          heads: done.manifest.heads,
          threshold: done.manifest.tau,
          sensitivity: done.sensitivity,
        });
      });
    });
  },
};
