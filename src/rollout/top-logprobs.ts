/** What the most likely tokens alone say of a distribution. */

/**
 * A lower bound of the entropy, in nats, of a distribution of which only log-probabilities of the most likely tokens
 * are known: `top`, in any order, and that of the token that was `drawn`, which is one of them or another. What is left
 * of the probability is spread over tokens of which none is likelier than the last of `top`, nor than all that is left,
 * so it contributes at least that surprise. Close where `top` holds nearly all of the probability; 0 for an empty `top`.
 */
export function entropyBound(top: readonly number[], drawn: number): number {
  if (top.length === 0) return 0;
  const sorted = [...top].sort((a, b) => b - a);
  const isLast = Math.abs(drawn - sorted[sorted.length - 1]) < 1e-6;
  const isKnown = drawn > sorted[sorted.length - 1] - 1e-6;
  // A list that ends with the drawn token may hold it for that alone, below others that are not in it.
  const last = (isLast ? sorted.at(-2) : sorted.at(-1)) ?? 0;
  let entropy = 0;
  let left = 1;
  for (const logprob of isKnown ? sorted : [...sorted, drawn]) {
    const p = Math.exp(logprob);
    left -= p;
    entropy -= p * logprob;
  }
  if (left <= 0) return Math.max(0, entropy);
  return Math.max(0, entropy) - left * Math.min(last, Math.log(left));
}
