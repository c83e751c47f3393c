/** The policy that the configuration describes, in its own thread, and how it samples. */
import { availableParallelism } from 'node:os';
import type { OptimizerSettings } from '../../engine/adamw.ts';
import { nameInCache } from '../../model/hub-cache.ts';
import { orderedTargets } from '../../model/lora.ts';
import type { Sampling } from '../../rollout/types.ts';
import { Policy } from '../../train/policy.ts';
import type { AdapterTraining } from '../../train/policy-weights.ts';
import type { Config } from '../config.ts';

/** Threads per session: as configured, or the cores shared by `sharing` policies that run at once. */
function threadsOf({ engine }: Config, sharing = 1): number {
  return engine.threads > 0
    ? engine.threads
    : Math.max(1, Math.floor(availableParallelism() / sharing));
}

export interface PolicyOptions {
  /** Model directory; default: the configured one. */
  model?: string;
  /** Policies that run at the same time. */
  sharing?: number;
  optimizer?: OptimizerSettings;
}

export function startPolicy(config: Config, options: PolicyOptions = {}): Policy {
  return new Policy({
    model: options.model ?? config.model,
    engine: { provider: config.engine.provider, threads: threadsOf(config, options.sharing) },
    batchSize: config.rollout.batch_size,
    chat: config.rollout.chat,
    optimizer: options.optimizer ?? null,
    tokensPerMicroBatch: config.train.micro_batch_tokens,
    adapter: options.optimizer === undefined ? null : adapterOf(config),
  });
}

/**
 * The adapter that training is to make; null where all weights are trained. It names a model of the hub by name and
 * commit, others by their path.
 */
function adapterOf({ model, seed, train }: Config): AdapterTraining | null {
  const { rank, alpha, targets, rslora } = train.lora;
  if (rank === 0) return null;
  const settings = { rank, alpha, targets: orderedTargets(targets), rslora };
  return { settings, seed, base: nameInCache(model) ?? { name: model, revision: null } };
}

/** Runs `job` with a policy and ends its thread whatever happens. */
export async function withPolicy<T>(
  config: Config,
  job: (policy: Policy) => Promise<T>,
  options: PolicyOptions = {},
): Promise<T> {
  const policy = startPolicy(config, options);
  try {
    return await job(policy);
  } finally {
    await policy.close();
  }
}

export function samplingOf({ rollout, seed }: Config): Sampling {
  return {
    temperature: rollout.temperature,
    topK: rollout.top_k,
    topP: rollout.top_p,
    minP: rollout.min_p,
    maxTokens: rollout.max_tokens,
    stop: rollout.stop,
    seed,
    longPrompts: rollout.long_prompts,
  };
}
