/** The way of sampled responses through the layers of the policy. */
import type { Response } from '../../rollout/types.ts';
import type { Policy } from '../../train/policy.ts';
import { layerPath } from '../../uncertainty/layer-path.ts';
import type { LayerPath } from '../../uncertainty/types.ts';
import type { Config } from '../config.ts';
import { HIDDEN_STATES, timed } from './stage-cost.ts';

/** One path per response, in order: one forward pass over prompts and responses, whose seconds are recorded. */
export async function layerPaths(
  { config, policy }: { config: Config; policy: Pick<Policy, 'represent'> },
  responses: readonly Response[],
  layers: number,
): Promise<LayerPath[]> {
  const texts = responses.map(({ promptTokens, tokens }) => ({
    tokens: Int32Array.from([...promptTokens, ...tokens]),
    from: promptTokens.length,
  }));
  const pooled = await timed(config.workspace, HIDDEN_STATES, () => policy.represent(texts, 'all'));
  return pooled.map(({ mean }) => layerPath(mean, mean.length / (layers + 1)));
}
