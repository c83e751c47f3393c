/**
 * Who generates the responses that are traced: the policy in this process, an endpoint, or somebody else whose file is
 * read. A new engine is a line in `traceEngines`.
 */
import { resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { SensitivityRow, TraceManifest } from '../../trace/index.ts';
import type { Policy } from '../../train/policy.ts';
import type { Config } from '../config.ts';
import { counted } from '../table.ts';
import { rayEngine } from './cluster-engine.ts';
import { type GeneratedPool, generatePool, spentText } from './endpoint-rollouts.ts';
import type { MoreStage } from './more-samples.ts';
import { poolPrompts } from './observations.ts';
import { samplingOf, withPolicy } from './policy.ts';
import { tracePool } from './trace.ts';
import { type GivenOutcome, traceRollouts } from './trace-given.ts';
import { traceSource } from './trace-source.ts';

export interface EngineContext extends MoreStage {
  /** Whether the traces there were are forgotten. */
  fresh: boolean;
  cwd: string;
  /** Flags of the verb, as commander gives them. */
  flags: Readonly<Record<string, unknown>>;
}

/** What an engine has done, for people and as JSON. */
export interface EngineOutcome {
  /** null: nothing was traced, for there are no weights. */
  manifest: TraceManifest | null;
  sensitivity: SensitivityRow[];
  prompts: number;
  /** New ones. */
  responses: number;
  tokens: number;
  /** Further lines for people. */
  lines: string[];
  /** Further keys of the result. */
  data: Readonly<Record<string, unknown>>;
}

export interface TraceEngine {
  name: string;
  /** One line for the help text. */
  summary: string;
  /** Traces round 0; goes on where an earlier call was stopped. */
  run(context: EngineContext): Promise<EngineOutcome>;
  /** Ends what an earlier call has left running elsewhere (`--stop`); what it came to, for people and as JSON. */
  end?(context: EngineContext): Promise<{ text: string; data: Readonly<Record<string, unknown>> }>;
}

const policyEngine: TraceEngine = {
  name: 'policy',
  summary: 'the model decodes in this process',
  async run({ store, config, verifiers, progress, stop }) {
    if (!config.trace.weights) {
      throw new UserError({
        wanted: 'weights to sample with, or responses from elsewhere',
        found: 'trace.weights=false',
        fix: 'Give responses with --rollouts FILE, have an endpoint make them with --engine endpoint, or set trace.weights=true.',
      });
    }
    const done = await withPolicy(config, (policy) =>
      tracePool({ store, config, policy, verifiers, progress, stop, round: 0 }),
    );
    return { ...done, lines: [], data: {} };
  },
};

const endpointEngine: TraceEngine = {
  name: 'endpoint',
  summary: 'an OpenAI-compatible endpoint generates (settings: endpoint.*)',
  async run(context) {
    const { store, config } = context;
    return await withWeightsOf(config, async (policy) => {
      const prompts = await poolPrompts(store);
      const asked = prompts.map(({ id, prompt }) => ({ promptId: id, prompt }));
      // A model that does not load, or a prompt that is too long for it, is to be known before money is spent.
      await policy?.check(asked, samplingOf(config));
      const made = await generatePool(context, prompts, config.trace.traces_per_prompt);
      const source = { engine: 'endpoint' as const, name: config.endpoint.url ?? '' };
      const untracedFrom = config.trace.traces_per_prompt;
      const stage = { ...context, policy, round: 0, file: made.file, source, untracedFrom };
      const done = await traceRollouts(stage);
      const outcome = await givenOutcome(context, done);
      return {
        ...outcome,
        lines: [...generatedLines(made, config), ...outcome.lines],
        data: { ...outcome.data, generated: generatedData(made) },
      };
    });
  },
};

/** Not by `--engine`, but by `--rollouts FILE`. */
const fileEngine: TraceEngine = {
  name: 'rollouts',
  summary: 'responses come from a file',
  async run(context) {
    const { config, flags, cwd } = context;
    const file = resolve(cwd, String(flags.rollouts));
    const source = { engine: 'rollouts' as const, name: String(flags.rollouts) };
    return await withWeightsOf(config, async (policy) => {
      const done = await traceRollouts({ ...context, policy, round: 0, file, source });
      return await givenOutcome(context, done);
    });
  },
};

export const traceEngines: readonly TraceEngine[] = [policyEngine, endpointEngine, rayEngine];

/** The engine that the flags `--engine` and `--rollouts` name (ray takes both); the policy where they name none. */
export function engineOf({ engine, rollouts }: Readonly<Record<string, unknown>>): TraceEngine {
  if (rollouts !== undefined && engine !== undefined && engine !== rayEngine.name) {
    throw new UserError({
      wanted: 'responses from a file (--rollouts) or from an engine (--engine)',
      found: 'both',
    });
  }
  if (rollouts !== undefined && engine === undefined) return fileEngine;
  const found = traceEngines.find(({ name }) => name === (engine ?? policyEngine.name));
  if (found !== undefined) return found;
  throw new UserError({
    wanted: `an engine (${traceEngines.map(({ name }) => name).join(', ')})`,
    found: JSON.stringify(engine),
    where: '--engine',
  });
}

/** Runs `job` with the policy, or with null where the settings say that there are no weights. */
async function withWeightsOf<T>(
  config: Config,
  job: (policy: Policy | null) => Promise<T>,
): Promise<T> {
  return config.trace.weights ? await withPolicy(config, job) : await job(null);
}

async function givenOutcome(
  { store, config }: EngineContext,
  done: GivenOutcome,
): Promise<EngineOutcome> {
  const { manifest, sensitivity, prompts, responses, tokens } = done;
  const { rejected, rejectsFile, models, drift, without, short } = done;
  const source = await traceSource(store, 0);
  return {
    ...{ manifest, sensitivity, prompts, responses, tokens },
    lines: [
      ...(source?.weights === false ? [withoutWeightsText] : []),
      ...makerLines(done),
      ...rejectLines(done),
      ...missingLines(done, config),
    ],
    data: {
      ...{ models, rejected, drift, rejects_file: rejectsFile },
      ...{ without_response: without.count, too_few_responses: short },
    },
  };
}

const withoutWeightsText =
  'Without weights nothing is traced: pivots, attention signals, hidden states and self-certainty need the weights of the ' +
  'model. Scores that are left: perplexity, mean_entropy and max_entropy (lower bounds, from the most likely tokens), ' +
  'consistency, length. Set triage.estimator to one of them.';

/** From this difference on the weights here are hardly those that made the responses, nats per token. */
const FAR = 0.1;

function makerLines({ models, drift }: GivenOutcome): string[] {
  const makers = Object.entries(models).filter(([name]) => name !== '');
  const made = makers.map(([name, count]) => `${name} (${counted(count, 'response')})`).join(', ');
  const lines = made === '' ? [] : [`Made by ${made}.`];
  if (drift === null) return lines;
  const far =
    drift < FAR
      ? ''
      : ' That is much: another model or chat template made them, or log-probabilities at another temperature.';
  return [
    ...lines,
    `Log-probabilities that came along and those of the weights here are ${drift.toPrecision(2)} nats per token apart.${far}`,
  ];
}

function rejectLines({ rejected, rejects, rejectsFile }: GivenOutcome): string[] {
  if (rejected === 0) return [];
  return [
    `${counted(rejected, 'line')} set aside in ${rejectsFile}:`,
    ...rejects.map(({ at, reason }) => `  ${at.file}:${at.line}: ${reason}`),
  ];
}

function missingLines({ without, short }: GivenOutcome, { trace }: Config): string[] {
  const how = trace.weights
    ? '`pivottrace trace` samples them here.'
    : 'Give more responses: without weights none can be sampled here.';
  const lines =
    without.count === 0
      ? []
      : [
          `${counted(without.count, 'prompt')} of the pool without a response, for example ${without.example}: no score, and triage waits for them. ${how}`,
        ];
  const fewer = short - without.count;
  if (fewer === 0) return lines;
  return [
    ...lines,
    `${counted(fewer, 'prompt')} with fewer responses than trace.traces_per_prompt=${trace.traces_per_prompt}.`,
  ];
}

function generatedLines({ made, spending, refused, unpaid }: GeneratedPool, config: Config) {
  const lines = [`${counted(made, 'response')} generated; in all ${spentText(spending, config)}.`];
  if (refused.count > 0)
    lines.push(`${counted(refused.count, 'response')} refused: ${refused.reasons.join('; ')}.`);
  if (unpaid > 0)
    lines.push(
      `The budget is used up (endpoint.budget=${config.endpoint.budget}): ${counted(unpaid, 'response')} not asked for.`,
    );
  return lines;
}

function generatedData({ made, spending, refused, unpaid, file }: GeneratedPool) {
  const { calls, promptTokens, completionTokens, spent } = spending;
  return {
    ...{ file, responses: made, refused: refused.count, not_paid_for: unpaid, calls, spent },
    ...{ prompt_tokens: promptTokens, completion_tokens: completionTokens },
  };
}
