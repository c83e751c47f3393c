/**
 * How far people who put the same items into classes agree: nominal data, any number of classes.
 *
 * Every function takes classes as strings that are compared for equality, and gives null where its figure is undefined.
 */

/** The classes that the raters of one item gave it; fewer than all of them where some gave none. */
export type Ratings = readonly string[];

/** Share of the pairs of ratings of one item that are equal, over all items, 0..1; null where no item has two ratings. */
export function percentAgreement(items: readonly Ratings[]): number | null {
  let [equal, pairs] = [0, 0];
  for (const ratings of items) {
    for (const count of tally(ratings).values()) equal += (count * (count - 1)) / 2;
    pairs += (ratings.length * (ratings.length - 1)) / 2;
  }
  return pairs === 0 ? null : equal / pairs;
}

/**
 * Cohen's kappa of two raters, each with classes of their own frequency: (p_o - p_e) / (1 - p_e), at most 1
 * (Cohen, A coefficient of agreement for nominal scales, 1960). One pair per item: the first rater's class and the
 * second's. null without items, and where both put everything into the same one class.
 */
export function cohenKappa(pairs: readonly (readonly [string, string])[]): number | null {
  const n = pairs.length;
  if (n === 0) return null;
  const first = tally(pairs.map(([a]) => a));
  const second = tally(pairs.map(([, b]) => b));
  const observed = pairs.filter(([a, b]) => a === b).length;
  let expected = 0;
  for (const [name, count] of first) expected += count * (second.get(name) ?? 0);
  return beyondChance(observed / n, expected / n ** 2);
}

/**
 * Fleiss' kappa of items that are rated by equally many raters, not the same ones each time (Fleiss, Measuring nominal
 * scale agreement among many raters, 1971), at most 1. null without items, with fewer than two ratings per item, with
 * different numbers of ratings, and where all ratings are one class.
 */
export function fleissKappa(items: readonly Ratings[]): number | null {
  const raters = items[0]?.length ?? 0;
  if (raters < 2 || items.some((ratings) => ratings.length !== raters)) return null;
  const total = items.length * raters;
  let expected = 0;
  for (const count of tally(items.flat()).values()) expected += (count / total) ** 2;
  const observed = percentAgreement(items);
  return observed === null ? null : beyondChance(observed, expected);
}

/**
 * Krippendorff's alpha for nominal data, at most 1: 1 - D_o / D_e from the matrix of coincidences (Krippendorff,
 * Computing Krippendorff's Alpha-Reliability, 2011). Ratings may be missing; an item with fewer than two counts for
 * nothing. null where nothing can be paired, and where all that can be is of one class.
 */
export function krippendorffAlpha(items: readonly Ratings[]): number | null {
  const paired = items.filter((ratings) => ratings.length >= 2);
  const total = paired.reduce((sum, ratings) => sum + ratings.length, 0);
  if (total === 0) return null;
  let disagreements = 0;
  for (const ratings of paired) {
    let equal = 0;
    for (const count of tally(ratings).values()) equal += count * (count - 1);
    const pairs = ratings.length * (ratings.length - 1);
    disagreements += (pairs - equal) / (ratings.length - 1);
  }
  let equalByChance = 0;
  for (const count of tally(paired.flat()).values()) equalByChance += count * (count - 1);
  const byChance = total * (total - 1) - equalByChance;
  return byChance === 0 ? null : 1 - ((total - 1) * disagreements) / byChance;
}

function beyondChance(observed: number, expected: number): number | null {
  return expected >= 1 ? null : (observed - expected) / (1 - expected);
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
