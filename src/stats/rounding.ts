/**
 * What counts as equal. Knows nothing of what is compared.
 */

/**
 * Differences of two computed values that rounding alone explains, as a share of the larger one. Accuracies are
 * ratios: .7 - .6 and .8 - .7 differ in the last bit, and are a tie nevertheless.
 */
export const ROUNDING = 1e-12;
