/** Batches of texts of like length, so that little is padded and few graphs are compiled. */

/** Rows of a batch that is fed as one; fewer members than rows leave the last rows empty. */
export interface TextBatch {
  batch: number;
  /** Tokens per row; shorter texts are padded on the right. */
  length: number;
  /** Index of the text in each row. */
  members: number[];
}

/** Lengths are padded to a multiple of this many tokens. */
const LENGTH_STEP = 16;

/**
 * Batches of about `tokensPerBatch` tokens, the longest texts first. The plan depends on the lengths alone
 * (ties keep their order).
 */
export function planByLength(lengths: readonly number[], tokensPerBatch: number): TextBatch[] {
  const padded = (i: number) => Math.ceil(lengths[i] / LENGTH_STEP) * LENGTH_STEP;
  const order = [...lengths.keys()].sort((a, b) => padded(b) - padded(a) || a - b);
  const plan: TextBatch[] = [];
  for (let at = 0; at < order.length; ) {
    const length = padded(order[at]);
    let batch = Math.max(1, Math.floor(tokensPerBatch / length));
    const members = order.slice(at, at + batch);
    // Halved while half the rows hold all members: a few sizes are compiled, not one per remainder.
    while (batch > 1 && Math.ceil(batch / 2) >= members.length) batch = Math.ceil(batch / 2);
    plan.push({ batch, length, members });
    at += members.length;
  }
  return plan;
}
