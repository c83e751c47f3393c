/**
 * Which attention signal predicts difficulty? Scores of the bundled pool under every signal, against the
 * pass rate over other samples: `npx tsx bench/signals.ts [prompts] [traces] [samples]`.
 *
 * Rank correlations with the pass rate are negative where the score is good; "given length" holds the
 * response length fixed, because pivot counts grow with it.
 */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { spearman } from '../src/core/ranks.ts';
import { encodePrompt, loadChatTemplate } from '../src/model/chat-template.ts';
import { loadWeights } from '../src/model/directory.ts';
import type { Head, RawTrace, SignalName } from '../src/model/signals.ts';
import { loadTokenizer } from '../src/model/tokenizer.ts';
import { Sampler } from '../src/rollout/sampler.ts';
import type { Rollout, Sampling } from '../src/rollout/types.ts';
import { auroc } from '../src/stats/classification.ts';
import { partialSpearman } from '../src/stats/correlation.ts';
import {
  defaultTraceSettings,
  exactTau,
  pivotScore,
  selectHeads,
  summarisePivots,
  traceChanges,
} from '../src/trace/index.ts';
import { allHeads, completeTrace, meanDistances, traceRequest } from '../src/trace/request.ts';
import { openVerifier } from '../src/verify/open.ts';

const root = join(import.meta.dirname, '..');
const [count = 600, traces = 4, samples = 16] = process.argv.slice(2).map(Number);
const SIGNALS: SignalName[] = ['distance', 'far_mass', 'entropy', 'change', 'received'];

interface Item {
  id: string;
  prompt: string;
  answer: string;
}

function readItems(): Item[] {
  const rows = (name: string): Record<string, string>[] =>
    readFileSync(join(root, 'data', name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const answers = new Map(rows('answers.jsonl').map(({ id, answer }) => [id, answer]));
  const all = rows('pool.jsonl').map(({ id, prompt }) => ({
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
  await verifier.close();
  const heads = allHeads(config.layers, config.heads);
  const settings = { ...defaultTraceSettings };
  const traced = await sampler.generate(
    requests(0, traces),
    sampling,
    traceRequest(heads, SIGNALS, settings),
  );
  const perPrompt = items.map((_, i) => traced.slice(i * traces, (i + 1) * traces));
  const histogram = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01].map(
    (low, i, edges) => passRates.filter((mu) => mu >= low && mu < (edges[i + 1] ?? 2)).length,
  );
  console.log(
    `${items.length} prompts, pass rate in [0,.1) [.1,.3) [.3,.5) [.5,.7) [.7,.9) [.9,1]: ${histogram.slice(0, 6)}`,
  );
  console.log(`${'score'.padEnd(34)}     rho given length   AUROC overlap  zero`);
  const mean = (rollouts: Rollout[], of: (r: Rollout) => number) =>
    rollouts.reduce((sum, r) => sum + of(r), 0) / rollouts.length;
  const average = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
  const lengths = perPrompt.map((rollouts) => mean(rollouts, (r) => r.tokens.length));
  const rows = [
    line('length', lengths, passRates, lengths),
    line(
      'mean entropy',
      perPrompt.map((p) => mean(p, (r) => average(r.entropies))),
      passRates,
      lengths,
    ),
    line(
      'max entropy',
      perPrompt.map((p) => mean(p, (r) => Math.max(...r.entropies))),
      passRates,
      lengths,
    ),
    line(
      'self-certainty',
      perPrompt.map((p) => -mean(p, (r) => average(r.selfCertainty))),
      passRates,
      lengths,
    ),
  ];
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

function scoresOf(
  perPrompt: readonly Rollout[][],
  settings: typeof defaultTraceSettings,
  heads: readonly Head[],
  summary: 'density' | 'count' | 'excess',
): number[] {
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
  return changes.map(
    (own) => pivotScore(own.map((d) => summarisePivots(d, tau, settings.delta)))[summary],
  );
}

await main();
