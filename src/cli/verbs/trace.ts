/** `trace`: traces attention over responses to the pool, sampled here or made elsewhere; goes on where it was stopped. */
import { UserError } from '../../core/errors.ts';
import type { Store } from '../../store/types.ts';
import { sensitivityLines } from '../../trace/index.ts';
import { forgetRayRound } from '../stages/cluster-round.ts';
import { leftOutText } from '../stages/observations.ts';
import { forgetSeconds, timed } from '../stages/stage-cost.ts';
import {
  type EngineContext,
  type EngineOutcome,
  engineOf,
  type TraceEngine,
  traceEngines,
} from '../stages/trace-engines.ts';
import { keepTraceSource } from '../stages/trace-source.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb, VerbContext } from '../verb.ts';

const ROUND = 0;

export const trace: Verb = {
  usesModel: true,
  configure(command) {
    command.option('--fresh', 'forget the traces there are and start again');
    command.option(
      '--rollouts <file>',
      'trace the responses in this JSONL or Parquet file (docs/guide/foreign-rollouts.md)',
    );
    const engines = traceEngines.map(({ name, summary }) => `${name}: ${summary}`).join('; ');
    command.option('--engine <name>', `who generates responses (default: policy). ${engines}`);
    command.option('--address <url>', 'dashboard of the Ray cluster, such as http://head:8265');
    command.option('--stop', 'end the job that an earlier call has left on the cluster');
  },
  async run(context) {
    const { config, database, flags, output, stop, cwd } = context;
    const engine = engineOf(flags);
    const fresh = flags.fresh === true;
    await withStore({ config, database }, async (store) => {
      const said = { note: (sentence: string) => output.note(sentence), progress: output.progress };
      const job = { store, config, stop, fresh, cwd, flags, ...said };
      if (flags.stop === true) return await end(engine, job, context);
      if (fresh) await forget(store, context);
      const done = await timed(config.workspace, 'trace', () =>
        withVerifiers(config, (verifiers) => engine.run({ ...job, verifiers })),
      );
      output.result(textOf(done, await leftOutText(store)), dataOf(done));
    });
  },
};

async function end(
  { name, end: endJob }: TraceEngine,
  job: Omit<EngineContext, 'verifiers'>,
  { config, output }: VerbContext,
): Promise<void> {
  if (endJob === undefined) {
    throw new UserError({
      wanted: 'an engine that leaves jobs elsewhere (--engine ray)',
      found: name,
      where: '--stop',
    });
  }
  const { text, data } = await withVerifiers(config, (verifiers) => endJob({ ...job, verifiers }));
  output.result(text, data);
}

async function forget(store: Store, { config }: Pick<VerbContext, 'config'>): Promise<void> {
  await store.transaction(async (tables) => {
    await tables.rollouts.clear(ROUND);
    await tables.meta.put(`trace_profile/${ROUND}`, null);
    await keepTraceSource(tables, ROUND, null);
    await forgetRayRound(tables, ROUND);
  });
  forgetSeconds(config.workspace, 'trace');
}

function textOf(done: EngineOutcome, leftOut: string | null): string {
  const { manifest } = done;
  const heads = manifest?.heads.map(({ layer, head }) => `${layer}.${head}`) ?? [];
  const counts = [counted(done.responses, 'new response'), counted(done.tokens, 'token')];
  const what = manifest === null ? 'recorded' : 'traced';
  return [
    `${counted(done.prompts, 'prompt')} ${what}, ${counts.join(', ')}.`,
    ...(manifest === null
      ? []
      : [
          `Heads (layer.head): ${heads.join(', ')}. Threshold: ${manifest.tau?.toPrecision(4) ?? 'none'}.`,
        ]),
    ...done.lines,
    ...(leftOut === null ? [] : [leftOut]),
    ...(manifest === null ? [] : ['', ...sensitivityLines(done.sensitivity)]),
  ].join('\n');
}

function dataOf(done: EngineOutcome): Record<string, unknown> {
  const { manifest, prompts, responses, tokens, sensitivity } = done;
  return {
    ...{ prompts, responses, tokens, sensitivity },
    heads: manifest?.heads ?? [],
    threshold: manifest?.tau ?? null,
    ...done.data,
  };
}
