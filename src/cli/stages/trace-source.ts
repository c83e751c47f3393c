/** Where the responses of a round came from, kept beside its traces: what a report says, and who makes more of them. */
import { z } from 'zod';
import type { Repositories } from '../../store/types.ts';
import { counted } from '../table.ts';

const sourceSchema = z.object({
  /** `rollouts`: a file; `endpoint`: generated there for this pool. */
  engine: z.enum(['rollouts', 'endpoint', 'ray']),
  /** The file's name or the endpoint's address. */
  name: z.string(),
  /** Whether they were traced with the weights of `model`. */
  weights: z.boolean(),
  /** Responses by the model that made them, as it was named; '' where it was not. */
  models: z.record(z.string(), z.number()),
  /** Prompts of the pool without a response from there. */
  without: z.number(),
});

export type TraceSource = z.infer<typeof sourceSchema>;

const sourceKey = (round: number) => `trace_source/${round}`;

/** null: the policy sampled them here. */
export async function traceSource(
  store: Pick<Repositories, 'meta'>,
  round: number,
): Promise<TraceSource | null> {
  const stored = await store.meta.get(sourceKey(round));
  return stored == null ? null : sourceSchema.parse(stored);
}

/** null where the responses are sampled here again. */
export async function keepTraceSource(
  store: Pick<Repositories, 'meta'>,
  round: number,
  source: TraceSource | null,
): Promise<void> {
  await store.meta.put(sourceKey(round), source);
}

/** What to do where prompts have no response, or no trace. */
export function whereMoreComeFrom(source: TraceSource | null): string {
  if (source?.weights === false) {
    return (
      'Without weights there are no pivots: choose triage.estimator=mean_entropy, perplexity, consistency or length, ' +
      'or set trace.weights=true and trace the same responses. Prompts without a response need one from elsewhere.'
    );
  }
  if (source === null) return '`pivottrace trace` makes them.';
  return `They are missing in ${source.name}; \`pivottrace trace\` samples them here.`;
}

/** What a reader has to know of responses from elsewhere, as sentences. */
export function sourceNotices(source: TraceSource | null): string[] {
  if (source === null) return [];
  const { engine, name, weights, models, without } = source;
  const total = Object.values(models).reduce((sum, count) => sum + count, 0);
  const makers = Object.keys(models).filter(Boolean);
  const by = makers.length === 0 ? '' : `, made by ${makers.join(', ')}`;
  const where = { rollouts: 'the file', endpoint: 'the endpoint', ray: 'the Ray cluster' }[engine];
  const how = weights
    ? `and were traced ${engine === 'ray' ? 'there' : 'here by prefill'}`
    : 'without weights: there are no pivots, which need the weights of the model. Perplexities are those that came ' +
      'along; entropies are lower bounds from the most likely tokens';
  const rest = without === 0 ? '' : ` ${counted(without, 'prompt')} had no response there.`;
  return [`${counted(total, 'response')} came from ${where} ${name}${by}, ${how}.${rest}`];
}
