/** Further responses to probes, from where the others came: pass rates rest on more responses than scores do. */
import type { Progress } from '../../core/progress.ts';
import { isText } from '../../pool/content.ts';
import type { Store } from '../../store/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { sampleMoreOnRay } from './cluster-probes.ts';
import { generatePool } from './endpoint-rollouts.ts';
import { withPolicy } from './policy.ts';
import { sampleMore } from './trace.ts';
import { recordMore } from './trace-given.ts';
import { type TraceSource, traceSource } from './trace-source.ts';

export interface MoreStage {
  store: Store;
  config: Config;
  verifiers: Pick<Verifiers, 'of'>;
  progress: Progress;
  stop: AbortSignal;
  note(sentence: string): void;
}

const ROUND = 0;

/** Sees to it that each prompt has `samples` responses in round 0, as far as there is somebody to make them. */
export async function moreSamples(
  stage: MoreStage,
  promptIds: readonly string[],
  samples: number,
): Promise<void> {
  const source = await traceSource(stage.store, ROUND);
  if (source?.engine === 'endpoint') await fromEndpoint(stage, source, promptIds, samples);
  else if (source?.engine === 'ray') {
    // Where it was traced, unless it has moved since.
    const address = stage.config.ray.address ?? source.name;
    await sampleMoreOnRay({ ...stage, address, round: ROUND }, promptIds, samples);
  } else if (source === null || source.weights) {
    await withPolicy(stage.config, (policy) =>
      sampleMore({ ...stage, policy, round: ROUND }, promptIds, samples),
    );
  } else {
    stage.note(
      `Pass rates of probes rest on the responses that came from ${source.name}: without weights no more can be sampled.`,
    );
  }
}

async function fromEndpoint(
  stage: MoreStage,
  source: TraceSource,
  promptIds: readonly string[],
  samples: number,
): Promise<void> {
  const { store, config } = stage;
  const prompts = (await store.prompts.list(promptIds)).filter(isText);
  const { file } = await generatePool(stage, prompts, samples);
  const ids = new Set(promptIds);
  const given = {
    ...stage,
    round: ROUND,
    file,
    source,
    untracedFrom: config.trace.traces_per_prompt,
  };
  if (source.weights) await withPolicy(config, (policy) => recordMore({ ...given, policy }, ids));
  else await recordMore({ ...given, policy: null }, ids);
}
