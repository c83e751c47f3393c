/** avg@k and greedy accuracy on held-out questions. */
import type { Sampling } from '../rollout/types.ts';
import type { Verifiers } from '../verify/verifiers.ts';
import type { Policy } from './policy.ts';
import type { EvalItem } from './types.ts';

export interface Accuracy {
  /** Mean over items of the share of right responses, 0..1. */
  average: number;
  /** The share per item. */
  perPrompt: number[];
  /** Responses that did not end by themselves, share. */
  cut: number;
  tokens: number;
}

/**
 * `samples` responses per item at the settings' temperature, or one greedy response with samples = 0.
 * Each is judged by the verifier of its source. The random numbers depend on the item and the seed alone, so that arms are compared in pairs.
 */
export async function evaluate(
  policy: Pick<Policy, 'generate'>,
  items: readonly EvalItem[],
  samples: number,
  sampling: Sampling,
  verifiers: Pick<Verifiers, 'of'>,
  onProgress?: (done: number) => void,
  by: 'policy' | 'teacher' = 'policy',
): Promise<Accuracy> {
  const perItem = Math.max(1, samples);
  const responses = await policy.generate(
    items.flatMap(({ id, prompt }) =>
      Array.from({ length: perItem }, (_, i) => ({ promptId: `eval ${id}`, sample: i, prompt })),
    ),
    { ...sampling, temperature: samples === 0 ? 0 : sampling.temperature },
    undefined,
    onProgress,
    by,
  );
  const perPrompt = await Promise.all(
    items.map(async ({ answer, source }, i) => {
      const own = responses.slice(i * perItem, (i + 1) * perItem).map(({ text }) => text);
      const verdicts = await verifiers.of(source).verify(answer, own);
      return verdicts.filter(({ verdict }) => verdict === 'right').length / perItem;
    }),
  );
  return {
    average: perPrompt.reduce((sum, share) => sum + share, 0) / items.length,
    perPrompt,
    cut: responses.filter(({ finish }) => finish === 'length').length / responses.length,
    tokens: responses.reduce((sum, { tokens }) => sum + tokens.length, 0),
  };
}
