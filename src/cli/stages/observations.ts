/**
 * What was seen of every prompt, put together from the store for the estimators. Knows nothing of answers.
 */
import { UserError } from '../../core/errors.ts';
import { isText } from '../../pool/content.ts';
import type { Prompt } from '../../pool/types.ts';
import type { Repositories, RolloutDigest } from '../../store/types.ts';
import { traceManifestKey, traceManifestSchema } from '../../trace/manifest.ts';
import { summarisePivots } from '../../trace/pivots.ts';
import type { TraceManifest } from '../../trace/types.ts';
import type { PivotSummary, PromptObservation } from '../../uncertainty/types.ts';
import { type SignalSummaries, signalSummaries } from './trace-signals.ts';

/** The manifest of a round; undefined where nothing was traced. */
export async function traceManifest(
  store: Repositories,
  round: number,
): Promise<TraceManifest | undefined> {
  const stored = await store.meta.get(traceManifestKey(round));
  return stored === undefined ? undefined : traceManifestSchema.parse(stored);
}

/** The prompts of the pool that models here can read, which are those of text; UserError where there are none. */
export async function poolPrompts(store: Repositories): Promise<Prompt[]> {
  const prompts = await store.prompts.list();
  const readable = prompts.filter(isText);
  if (readable.length > 0) return readable;
  throw new UserError(
    prompts.length === 0
      ? {
          wanted: 'a pool with prompts',
          found: 'none',
          fix: '`pivottrace pool FILE...` reads some.',
        }
      : {
          wanted: 'prompts of text, which models here can read',
          found: `${prompts.length} that hold images`,
          fix: 'Read in prompts of text too. With label.images=true people label those with images (`pivottrace serve`).',
        },
  );
}

/** What people are told of prompts that a model here cannot see; null where there are none. */
export async function leftOutText(store: Repositories): Promise<string | null> {
  const { length } = await store.prompts.withImages();
  if (length === 0) return null;
  const [what, are] = length === 1 ? ['1 prompt holds', 'is'] : [`${length} prompts hold`, 'are'];
  return `${what} images, which models here cannot see, and ${are} left out. With label.images=true people label them.`;
}

/**
 * One observation per prompt of the pool, in its order, from the first `samples` rollouts of each: prompts that
 * were sampled more often (probes) must not get steadier scores than the others. UserError for an empty pool.
 */
export async function observePool(
  store: Repositories,
  round: number,
  samples: number,
): Promise<PromptObservation[]> {
  const prompts = await poolPrompts(store);
  const rollouts = groupBy(await store.rollouts.digests(round), samples);
  const manifest = await traceManifest(store, round);
  const pivots = await pivotsOf(store, round, manifest, samples);
  const signals =
    manifest === undefined
      ? new Map<string, SignalSummaries>()
      : await signalSummaries(store, round, manifest, samples);
  return prompts.map(({ id }) => ({
    promptId: id,
    rollouts: rollouts.get(id) ?? [],
    pivots: pivots.get(id) ?? [],
    ...signals.get(id),
  }));
}

/** Mean response tokens per prompt, of those that have a response. */
export function meanLengths(observations: readonly PromptObservation[]): Map<string, number> {
  return new Map(
    observations
      .filter(({ rollouts }) => rollouts.length > 0)
      .map(({ promptId, rollouts }) => [
        promptId,
        rollouts.reduce((sum, one) => sum + one.length, 0) / rollouts.length,
      ]),
  );
}

function groupBy(digests: readonly RolloutDigest[], samples: number): Map<string, RolloutDigest[]> {
  const groups = new Map<string, RolloutDigest[]>();
  for (const digest of digests) {
    if (digest.sample >= samples) continue;
    const group = groups.get(digest.promptId);
    if (group === undefined) groups.set(digest.promptId, [digest]);
    else group.push(digest);
  }
  return groups;
}

async function pivotsOf(
  store: Repositories,
  round: number,
  manifest: TraceManifest | undefined,
  samples: number,
): Promise<Map<string, PivotSummary[]>> {
  const found = new Map<string, PivotSummary[]>();
  if (manifest === undefined || manifest.tau === null) return found;
  for (const { promptId, sample, changes } of await store.traces.changes(round)) {
    if (sample >= samples) continue;
    const summary = summarisePivots(changes, manifest.tau, manifest.settings.delta);
    found.set(promptId, [...(found.get(promptId) ?? []), summary]);
  }
  return found;
}
