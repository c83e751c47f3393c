/**
 * Which score predicts difficulty? Every estimator on the bundled pool, and the pivot scores under every signal and
 * head rule, against the pass rate over other samples: `npx tsx bench/signals.ts [prompts] [traces] [samples]`.
 *
 * Rank correlations with the pass rate are negative where the score is good; "given length" holds the
 * response length fixed, because pivot counts grow with it.
 */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { boiledDown, classified } from '../src/cli/stages/trace-record.ts';
import { spearman } from '../src/core/ranks.ts';
import { encodePrompt, loadChatTemplate } from '../src/model/chat-template.ts';
import { loadWeights } from '../src/model/directory.ts';
import { Representer } from '../src/model/represent.ts';
import { type Head, type RawTrace, signalNames } from '../src/model/signals.ts';
import { loadTokenizer } from '../src/model/tokenizer.ts';
import { Sampler } from '../src/rollout/sampler.ts';
import type { Response, Rollout, Sampling } from '../src/rollout/types.ts';
import { auroc } from '../src/stats/classification.ts';
import { partialSpearman } from '../src/stats/correlation.ts';
import type { StoredRollout } from '../src/store/types.ts';
import {
  defaultTraceSettings,
  exactTau,
  type PivotScoreName,
  type PivotSummary,
  pivotScore,
  selectHeads,
  signalMean,
  summarisePivots,
  type TraceSettings,
  traceChanges,
} from '../src/trace/index.ts';
import { allHeads, completeTrace, meanDistances, traceRequest } from '../src/trace/request.ts';
import { layerPath } from '../src/uncertainty/layer-path.ts';
import { computableEstimators } from '../src/uncertainty/registry.ts';
import type { PromptObservation } from '../src/uncertainty/types.ts';
import { openVerifier } from '../src/verify/open.ts';
import type { Verifier } from '../src/verify/types.ts';
import { readRows, root } from './rows.ts';

const [count = 600, traces = 4, samples = 16] = process.argv.slice(2).map(Number);
const SIGNALS = signalNames.filter((signal) => signal !== 'agreement');

interface Item {
  id: string;
  prompt: string;
  answer: string;
}

function readItems(): Item[] {
  const answers = new Map(readRows('data/answers.jsonl').map(({ id, answer }) => [id, answer]));
  const all = readRows('data/pool.jsonl').map(({ id, prompt }) => ({
    id,
    prompt,
    answer: answers.get(id) ?? '',
  }));
  const step = Math.max(1, all.length / count);
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor(i * step)]);
}

function line(name: string, scores: number[], passRates: number[], lengths: number[]): object {
  const rho = spearman(scores, passRates);
  const partial = partialSpearman(scores, passRates, lengths);
  const area = auroc(
    scores,
    passRates.map((mu) => mu < 0.9),
  );
  const hard = (values: number[], sign: number) =>
    new Set(
      [...values.keys()]
        .sort((a, b) => sign * (values[b] - values[a]) || a - b)
        .slice(0, Math.round(0.293 * values.length)),
    );
  const hardest = hard(passRates, -1);
  const overlap = [...hard(scores, 1)].filter((i) => hardest.has(i)).length / hardest.size;
  const tied = scores.filter((x) => x === 0).length / scores.length;
  const cells = [rho, partial, area, overlap, tied].map((x) => x.toFixed(3).padStart(8));
  console.log(`${name.padEnd(34)}${cells.join('')}`);
  return { score: name, rho, partial, auroc: area, overlap, zero: tied };
}

async function main(): Promise<void> {
  const home = join(root, 'models/reasoner');
  const { config, weights } = loadWeights(home);
  const tokenizer = loadTokenizer(home);
  const template = loadChatTemplate(home);
  const engine = { provider: 'cpu', threads: availableParallelism() } as const;
  const sampler = new Sampler(config, weights, tokenizer, { engine, batchSize: 64 });
  const items = readItems();
  const sampling: Sampling = {
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    maxTokens: 140,
    stop: [],
    seed: 1,
    longPrompts: 'refuse',
  };
  const requests = (from: number, n: number) =>
    items.flatMap(({ id, prompt }) =>
      Array.from({ length: n }, (_, i) => ({
        promptId: id,
        sample: from + i,
        promptTokens: encodePrompt(tokenizer, template, [{ role: 'user', content: prompt }]),
      })),
    );
  const verifier = await openVerifier({ kind: 'auto' });
  const judged = await sampler.generate(requests(1000, samples), sampling);
  const passRates = await Promise.all(
    items.map(async ({ answer }, i) => {
      const own = judged.slice(i * samples, (i + 1) * samples).map(({ text }) => text);
      const verdicts = await verifier.verify(answer, own);
      return verdicts.filter(({ verdict }) => verdict === 'right').length / samples;
    }),
  );
  const heads = allHeads(config.layers, config.heads);
  const settings = { ...defaultTraceSettings };
  const asked = requests(0, traces);
  const rollouts = await sampler.generate(asked, sampling, traceRequest(heads, SIGNALS, settings));
  const traced = rollouts.map(
    (rollout, i): Response => ({ ...rollout, promptTokens: asked[i].promptTokens }),
  );
  const perPrompt = items.map((_, i) => traced.slice(i * traces, (i + 1) * traces));
  const histogram = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01].map(
    (low, i, edges) => passRates.filter((mu) => mu >= low && mu < (edges[i + 1] ?? 2)).length,
  );
  console.log(
    `${items.length} prompts, pass rate in [0,.1) [.1,.3) [.3,.5) [.5,.7) [.7,.9) [.9,1]: ${histogram.slice(0, 6)}`,
  );
  console.log(`${'score'.padEnd(34)}     rho given length   AUROC overlap  zero`);
  const lengths = perPrompt.map(
    (rollouts) => rollouts.reduce((sum, r) => sum + r.tokens.length, 0) / rollouts.length,
  );
  const all = traced.flatMap(({ trace }) => (trace === undefined ? [] : [trace]));
  const distances = meanDistances(all);
  const rules: [string, Head[]][] = [
    ['far 5 %', selectHeads(distances, config.layers, config.heads, 0.05)],
    ['far 20 %', selectHeads(distances, config.layers, config.heads, 0.2)],
    [
      'near 5 %',
      selectHeads(
        distances.map((x) => -x),
        config.layers,
        config.heads,
        0.05,
      ),
    ],
    ['all', heads],
  ];
  const representer = new Representer(config, weights, engine);
  const pooled = await representer.represent(
    traced.map(({ promptTokens, tokens }) => ({
      tokens: Int32Array.from([...promptTokens, ...tokens]),
      from: promptTokens.length,
    })),
    'all',
  );
  const summaries = traced.map((response, i) => ({
    ...boiledDown(response),
    layerPath: layerPath(pooled[i].mean, config.hiddenSize),
  }));
  const observations = await observed(perPrompt, summaries, rules[0][1], verifier);
  await verifier.close();
  const rows = computableEstimators(observations, 0).map(({ name, score }) =>
    line(name, [...score(observations, { seed: 1 })], passRates, lengths),
  );
  for (const signal of SIGNALS) {
    for (const [rule, kept] of rules) {
      for (const summary of ['density', 'count', 'excess'] as const) {
        if (rule !== 'far 5 %' && summary !== 'excess') continue;
        const scores = scoresOf(perPrompt, { ...settings, signal }, kept, summary);
        rows.push(line(`${signal}, heads ${rule}, ${summary}`, scores, passRates, lengths));
      }
    }
  }
  for (const delta of [5, 20]) {
    const kept = rules[0][1];
    rows.push(
      line(
        `distance, Delta ${delta}, excess`,
        scoresOf(perPrompt, { ...settings, delta }, kept, 'excess'),
        passRates,
        lengths,
      ),
    );
  }
  for (const zeta of [80, 90]) {
    const kept = rules[0][1];
    rows.push(
      line(
        `distance, zeta ${zeta}, excess`,
        scoresOf(perPrompt, { ...settings, zeta }, kept, 'excess'),
        passRates,
        lengths,
      ),
    );
  }
  console.log(JSON.stringify({ prompts: items.length, traces, samples, rows }));
}

/** What the product would see of every prompt with all signals kept on the heads `kept`. */
async function observed(
  perPrompt: readonly Rollout[][],
  summaries: readonly StoredRollout[],
  kept: readonly Head[],
  verifier: Verifier,
): Promise<PromptObservation[]> {
  const settings = { ...defaultTraceSettings };
  const pivots = {
    distance: pivotsOf(perPrompt, settings, kept),
    far_mass: pivotsOf(perPrompt, { ...settings, signal: 'far_mass' }, kept),
  };
  return await Promise.all(
    perPrompt.map(async (rollouts, i) => {
      const own = rollouts.map(({ trace }) =>
        completeTrace(onHeads(trace, kept), signalNames, settings),
      );
      const mine = summaries.slice(i * traces, (i + 1) * traces);
      return {
        promptId: rollouts[0].promptId,
        rollouts: await classified(mine, verifier),
        pivots: pivots.distance[i],
        signalPivots: { far_mass: pivots.far_mass[i] },
        signalMeans: Object.fromEntries(
          signalNames.map((signal) => [signal, own.map((trace) => signalMean(trace, signal))]),
        ),
      };
    }),
  );
}

/** The columns of `kept` alone: layers agree or not on the heads that are kept. */
function onHeads(trace: RawTrace | undefined, kept: readonly Head[]): RawTrace {
  if (trace === undefined) throw new Error('a response was not traced');
  const columns = kept.map(({ layer, head }) =>
    trace.heads.findIndex((one) => one.layer === layer && one.head === head),
  );
  const narrowed = Object.entries(trace.signals).map(([name, values]) => [
    name,
    Float32Array.from(
      { length: trace.tokens * kept.length },
      (_, i) => values[Math.floor(i / kept.length) * trace.heads.length + columns[i % kept.length]],
    ),
  ]);
  return { heads: [...kept], tokens: trace.tokens, signals: Object.fromEntries(narrowed) };
}

function scoresOf(
  perPrompt: readonly Rollout[][],
  settings: TraceSettings,
  heads: readonly Head[],
  summary: PivotScoreName,
): number[] {
  return pivotsOf(perPrompt, settings, heads).map((own) => pivotScore(own)[summary]);
}

/** The pivots of every trace, at the threshold over all of them. */
function pivotsOf(
  perPrompt: readonly Rollout[][],
  settings: TraceSettings,
  heads: readonly Head[],
): PivotSummary[][] {
  const changes = perPrompt.map((rollouts) =>
    rollouts.flatMap(({ trace }) => {
      if (trace === undefined) return [];
      const whole: RawTrace = completeTrace(trace, [settings.signal], settings);
      return [traceChanges(whole, settings, heads)];
    }),
  );
  const tau = exactTau(
    (function* () {
      for (const prompt of changes) for (const trace of prompt) yield* trace;
    })(),
    settings.zeta,
  );
  return changes.map((own) => own.map((d) => summarisePivots(d, tau, settings.delta)));
}

await main();
