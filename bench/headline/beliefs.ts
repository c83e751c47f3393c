/**
 * How well beliefs find prompts that teach, offline on the base policy: `npx tsx bench/headline/beliefs.ts`.
 *
 * Groups of 8 are drawn for n random prompts from the pass rates of pass-rates.jsonl; every belief then predicts the
 * utility U of the other prompts of the pool, and those are drawn in proportion to U^5. Printed is the share of the drawn
 * groups that would have a gradient; means over ten repetitions. The last line is one JSON object.
 */
import { join } from 'node:path';
import { stream } from '../../src/core/random.ts';
import { fitLogistic, logisticAt } from '../../src/stats/logistic.ts';
import { principalComponents } from '../../src/stats/pca.ts';
import { Policy } from '../../src/train/policy.ts';
import { defaultSchedulerSettings as usual } from '../../src/triage/scheduler.ts';
import { believe } from '../../src/triage/scheduler-prior.ts';
import type { Belief, PromptMemory } from '../../src/triage/scheduler-types.ts';
import { readRows, root } from '../rows.ts';

const G = 8;
const SEEN = [48, 128, 300];
const REPETITIONS = 10;
const COMPONENTS = 12;
const POWER = 5;

type Prior = (memories: readonly PromptMemory[], features: readonly Float64Array[]) => Belief[];

const gaussian: Prior = (memories, features) => believe(memories, features, 0, usual);
const priors: Record<string, Prior> = {
  'logistic regression of mu, U = p (1 - p)': (memories, features) => {
    const seen = [...memories.keys()].filter((i) => memories[i].seen >= 0);
    const model = fitLogistic(
      seen.map((i) => features[i]),
      seen.map((i) => memories[i].hits / G),
      { ridge: 1 },
    );
    return features.map((row) => {
      const mu = logisticAt(model, row);
      return { mu, utility: product(mu) };
    });
  },
  'Gaussian process of mu, U = p (1 - p)': (memories, features) =>
    gaussian(memories, features).map(({ mu }) => ({ mu, utility: product(mu) })),
  'Gaussian process of U': gaussian,
};

const product = (mu: number) => mu * (1 - mu);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const activeAt = (mu: number) => 1 - mu ** G - (1 - mu) ** G;

const rates = new Map(
  readRows<{ id: string; right: number; samples: number }>('bench/headline/pass-rates.jsonl').map(
    ({ id, right, samples }) => [id, right / samples],
  ),
);
const pool = readRows('data/pool.jsonl');
const truth = pool.map(({ id }) => rates.get(id) ?? Number.NaN);

/** Groups of `n` random prompts as the scheduler remembers them. */
function memoriesAfter(n: number, repetition: number): PromptMemory[] {
  const random = stream(repetition, 'beliefs', n);
  const seen = new Set(random.shuffled([...pool.keys()]).slice(0, n));
  return pool.map(({ id }, i) => {
    let hits = 0;
    for (let k = 0; k < G; k++) if (random.uniform() < truth[i]) hits++;
    return {
      ...{ promptId: id, state: 'self', verified: true, owned: true, refused: false, traced: null },
      ...(seen.has(i)
        ? { visits: 1, hits, misses: G - hits, seen: 0 }
        : { visits: 0, hits: 0, misses: 0, seen: -1 }),
    };
  });
}

/** Chance that a drawn group has a gradient, over prompts that were not seen. */
function activeShare(memories: readonly PromptMemory[], utility: (i: number) => number): number {
  let [sum, total] = [0, 0];
  for (const [i, { seen }] of memories.entries()) {
    if (seen >= 0) continue;
    const weight = utility(i) ** POWER;
    sum += weight * activeAt(truth[i]);
    total += weight;
  }
  return sum / total;
}

const policy = new Policy({
  model: join(root, 'models/reasoner'),
  engine: { provider: 'cpu', threads: 0 },
  batchSize: 128,
  chat: 'auto',
  optimizer: null,
  tokensPerMicroBatch: 2048,
});
const pooled = await policy.promptFeatures(pool.map(({ prompt }) => prompt));
await policy.close();
const features = principalComponents(
  pooled.map(({ last }) => last),
  COMPONENTS,
);

const result: Record<string, number[]> = {};
console.log(`${'belief'.padEnd(44)}${SEEN.map((n) => `n = ${n}`.padStart(9)).join('')}`);
for (const [name, prior] of Object.entries(priors)) {
  result[name] = SEEN.map((n) =>
    mean(
      Array.from({ length: REPETITIONS }, (_, repetition) => {
        const memories = memoriesAfter(n, repetition);
        const beliefs = prior(memories, features);
        return activeShare(memories, (i) => beliefs[i].utility);
      }),
    ),
  );
  console.log(`${name.padEnd(44)}${result[name].map((v) => v.toFixed(2).padStart(9)).join('')}`);
}
const none = memoriesAfter(0, 0);
const uniform = activeShare(none, () => 1);
const known = activeShare(none, (i) => product(truth[i]));
console.log(`uniform draws ${uniform.toFixed(2)}, true mu ${known.toFixed(2)}`);
console.log(JSON.stringify({ ...result, uniform, known }));
