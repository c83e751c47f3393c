/** Tracing on a Ray cluster as an engine of `trace`: flags to the stage, and its outcome for people. */
import { resolve } from 'node:path';
import { clusterAddress } from '../../cluster/address.ts';
import { UserError } from '../../core/errors.ts';
import { counted } from '../table.ts';
import { type GivenFile, readGivenFile } from './cluster-given.ts';
import { type RayTraceStage, stopRayTrace, tracePoolOnRay } from './cluster-trace.ts';
import { poolPrompts } from './observations.ts';
import type { EngineContext, TraceEngine } from './trace-engines.ts';
import { keepTraceSource } from './trace-source.ts';

const ROUND = 0;
const SHOWN_REJECTS = 5;

/** With `--rollouts FILE`, workers trace the responses in there; else they sample them. */
export const rayEngine: TraceEngine = {
  name: 'ray',
  summary: 'workers of a Ray cluster sample and trace (settings: ray.*; --address URL)',
  async run(context) {
    const { store, config } = context;
    const { stage, rejects } = await stageOf(context);
    const { given, address } = stage;
    const prompts = await poolPrompts(store);
    const without = given === null ? 0 : prompts.filter(({ id }) => !given.has(id)).length;
    const name = clusterAddress(address ?? config.ray.address, process.env).origin;
    const source = { engine: 'ray' as const, name, weights: true, without };
    // Known before the first trace: a call that is killed leaves traces from there.
    await keepTraceSource(store, ROUND, { ...source, models: {} });
    const done = await tracePoolOnRay(stage);
    await keepTraceSource(store, ROUND, { ...source, models: { '': done.manifest.traces } });
    return {
      ...done,
      lines: [
        ...rejectLines(rejects),
        ...(without === 0 ? [] : [`${counted(without, 'prompt')} of the pool without a response.`]),
      ],
      data: { rejected: rejects.length, without_response: without },
    };
  },
  async end(context) {
    const id = await stopRayTrace((await stageOf(context)).stage);
    return id === null
      ? { text: 'No job of this round runs.', data: { stopped: null } }
      : {
          text: `Job ${id} was asked to end. The same command without --stop goes on with what is missing.`,
          data: { stopped: id },
        };
  },
};

async function stageOf(context: EngineContext): Promise<{
  stage: RayTraceStage;
  rejects: GivenFile['rejects'];
}> {
  const { address } = context.flags;
  const { responses, rejects } = await givenOf(context);
  const stage = {
    ...{ ...context, round: ROUND, given: responses },
    address: typeof address === 'string' ? address : null,
  };
  return { stage, rejects };
}

async function givenOf({
  store,
  config,
  flags,
  cwd,
}: EngineContext): Promise<GivenFile | { responses: null; rejects: [] }> {
  if (typeof flags.rollouts !== 'string') return { responses: null, rejects: [] };
  const file = resolve(cwd, flags.rollouts);
  const given = await readGivenFile(config, await poolPrompts(store), file);
  if (given.responses.size > 0) return given;
  throw new UserError({
    wanted: 'responses to prompts of the pool',
    found: rejectLines(given.rejects).join(' ') || 'an empty file',
    where: file,
    fix: 'A line is {"id": ..., "response": ...}; docs/guide/foreign-rollouts.md tells all of it.',
  });
}

function rejectLines(rejects: GivenFile['rejects']): string[] {
  if (rejects.length === 0) return [];
  return [
    `${counted(rejects.length, 'line')} left out:`,
    ...rejects
      .slice(0, SHOWN_REJECTS)
      .map(({ at, reason }) => `  ${at.file}:${at.line}: ${reason}`),
  ];
}
