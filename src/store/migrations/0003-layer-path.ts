/** How a rollout's mean hidden state moves through the layers: 3 L - 1 float32 numbers; null where none were pooled. */
export const layerPath = {
  id: 3,
  name: 'layer path',
  sql: 'alter table rollouts add column layer_path bytea',
};
