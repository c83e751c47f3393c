/**
 * One step of bench:scale in a process of its own, for its peak of memory: `step.ts STEP TARGET WORKSPACE PROMPTS`.
 * TARGET is a workspace or a server. Prints what it found as one JSON object on the last line.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/cli/config.ts';
import { labelDesk } from '../../src/cli/stages/labels.ts';
import { planPath } from '../../src/cli/stages/plan-file.ts';
import { ingestFiles } from '../../src/cli/stages/pool.ts';
import { createReport } from '../../src/cli/stages/report.ts';
import { takeScores } from '../../src/cli/stages/score-file.ts';
import { draftPlan, triage } from '../../src/cli/stages/triage.ts';
import { withVerifiers } from '../../src/cli/stages/workspace.ts';
import { silent } from '../../src/core/progress.ts';
import { stream } from '../../src/core/random.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store, StoredRollout } from '../../src/store/types.ts';
import { syntheticPool } from './pool.ts';

const [step, target, workspace, prompts, probeShare] = process.argv.slice(2);
const answers = join(workspace, 'probe-answers.jsonl');
const { config } = loadConfig({
  cwd: workspace,
  overrides: [
    ...[`workspace=${workspace}`, `triage.probe_share=${probeShare}`],
    ...(existsSync(answers) ? [`label.answers=${answers}`] : []),
  ],
});
const stop = new AbortController().signal;

type Step = (store: Store) => Promise<Record<string, unknown>>;

const steps: Record<string, Step> = {
  async import(store) {
    const files = [join(workspace, 'pool.jsonl')];
    const { added } = await ingestFiles({ store, config, files, progress: silent, stop });
    return { added };
  },

  async scores(store) {
    const file = join(workspace, 'scores.jsonl');
    return { estimators: await takeScores({ store, file, round: 0, progress: silent, stop }) };
  },

  /** Responses and answers of the probes that triage will draw. */
  async probes(store) {
    const desk = await labelDesk(store, config);
    const { probesToBuy } = await withVerifiers(config, (verifiers) =>
      draftPlan({ store, config, desk, verifiers }),
    );
    const wanted = new Set(probesToBuy);
    const lines: string[] = [];
    let rollouts: StoredRollout[] = [];
    for (const { id, answer, mu, scores } of syntheticPool(Number(prompts))) {
      if (!wanted.has(id)) continue;
      lines.push(`${JSON.stringify({ id, answer })}\n`);
      rollouts.push(...responsesTo(id, answer, mu, scores.length));
      if (rollouts.length < 8_000) continue;
      await store.rollouts.put(0, rollouts);
      rollouts = [];
    }
    await store.rollouts.put(0, rollouts);
    writeFileSync(answers, lines.join(''));
    return { probes: lines.length, responses: lines.length * config.triage.probe_samples };
  },

  /** What `pivottrace triage` does between opening and closing the store. */
  async triage(store) {
    const desk = await labelDesk(store, config);
    const { plan, moved, path } = await withVerifiers(config, (verifiers) =>
      triage({
        ...{ store, config, desk, verifiers, stop },
        sampleMore: () => Promise.reject(new Error('the probes were sampled before')),
      }),
    );
    const { calibration, counts } = plan.head;
    const { auroc, verdict, ties } = calibration;
    return {
      ...{ counts, verdict, auroc: auroc?.estimate, tied: ties.tied, moved },
      manifest_bytes: statSync(path).size,
    };
  },

  async report(store) {
    const { path } = await createReport({ store, config, title: 'scale', command: null });
    return { bytes: statSync(path).size };
  },

  /** What the map of the dashboard asks the database for. */
  async map(store) {
    const { browse } = store;
    const plan = config.triage.plan;
    const name = config.triage.estimator;
    const histogram = await browse.histogram(plan, 0, name, 40);
    const probes = await browse.probes(plan, 0, name, 2000);
    const moved = await browse.moved(plan, 0, name, 2000);
    const states = await browse.states(plan);
    const head = await browse.planWithoutDecisions(plan);
    return {
      ...{ parts: histogram?.bins.length, probes: probes.length, moved: moved.length, states },
      head_bytes: JSON.stringify(head).length,
      manifest: existsSync(planPath(workspace, plan)),
    };
  },
};

function responsesTo(promptId: string, answer: string, mu: number, length: number) {
  const random = stream(2, promptId);
  return Array.from({ length: config.triage.probe_samples }, (_, sample): StoredRollout => {
    const said = random.uniform() < mu ? answer : String(random.below(20) + 7);
    return {
      ...{ promptId, sample, text: `The sum of both sides.\nanswer: ${said}` },
      ...{ tokens: new Int32Array(8), promptLength: 40, length, answer: said, answerClass: 0 },
      ...{ meanLogprob: -0.3, meanEntropy: 0.3, maxEntropy: 2, meanSelfCertainty: 10 },
      finish: 'stop',
    };
  });
}

/** MB, the largest of the process so far; Node's own figure where there is no /proc. */
function peakMemory(): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    return (Number(found?.[1]) * 1024) / 1e6;
  } catch {
    return (process.resourceUsage().maxRSS * 1024) / 1e6;
  }
}

const opening = performance.now();
const store = await openStore(target);
const begun = performance.now();
const cpu = process.cpuUsage();
const found = await steps[step](store);
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - begun) / 1000;
await store.close();
console.log(
  JSON.stringify({
    ...{ seconds, cpu_seconds: (user + system) / 1e6, opening_seconds: (begun - opening) / 1000 },
    ...{ peak_mb: peakMemory(), ...found },
  }),
);
