// The weight of a prompt in the loss. Knows nothing of how weights are chosen.

/** `weight` itself; RangeError outside [0, 1] (a fault of the caller, never of a response). */
export function checkedWeight(weight: number): number {
  if (!(weight >= 0 && weight <= 1)) {
    throw new RangeError(`a prompt's weight must be in [0, 1], not ${weight}`);
  }
  return weight;
}
