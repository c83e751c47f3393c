/** Scores from elsewhere, and triage by them; on a pool large enough that what is read at once would show. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { silent } from '../../core/progress.ts';
import { stream } from '../../core/random.ts';
import { openDatabase } from '../../store/database.ts';
import type { Engine, Session } from '../../store/dialect.ts';
import { storeOn } from '../../store/store.ts';
import { promptRow, rolloutRow } from '../../store/testing/rows.ts';
import type { Store } from '../../store/types.ts';
import { transitionFromLine } from '../../triage/disk.ts';
import { replay } from '../../triage/transitions.ts';
import { openVerifiers, type Verifiers } from '../../verify/verifiers.ts';
import { type Config, loadConfig } from '../config.ts';
import { labelDesk } from './labels.ts';
import { takeScores } from './score-file.ts';
import { draftPlan, triage } from './triage.ts';
import { verifierSpecs } from './workspace.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const PROMPTS = 20_000;
const stop = new AbortController().signal;
let workspace: string;
let store: Store;
let verifiers: Verifiers;

/** The most that one statement brought or gave, since `reset`. */
const most = { rows: 0, answerChars: 0, givenChars: 0, statements: 0 };
const reset = () => Object.assign(most, { rows: 0, answerChars: 0, givenChars: 0, statements: 0 });

function watched<T extends Session>(session: T): T {
  return {
    ...session,
    async query(sql: string, parameters: readonly unknown[]) {
      const answer = await session.query(sql, parameters);
      const given = parameters.reduce<number>((sum, one) => sum + charsOf(one), sql.length);
      most.statements++;
      most.rows = Math.max(most.rows, answer.rows.length);
      most.answerChars = Math.max(most.answerChars, charsOf(answer.rows));
      most.givenChars = Math.max(most.givenChars, given);
      return answer;
    },
  };
}

function charsOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce((sum: number, one) => sum + charsOf(one), 0);
}

function watchedEngine(engine: Engine): Engine {
  return { ...watched(engine), begin: async () => watched(await engine.begin()) };
}

function configOf(...overrides: string[]): Config {
  const usual = [
    'triage.estimator=pivot_density',
    'triage.probe_share=0.005',
    'triage.probe_samples=4',
    'triage.resamples=200',
  ];
  return loadConfig({
    cwd: workspace,
    overrides: [`workspace=${workspace}`, ...usual, ...overrides],
  }).config;
}

const fileOf = (name: string, lines: readonly unknown[]) => {
  const path = join(workspace, name);
  writeFileSync(
    path,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  );
  return path;
};
const take = (file: string) => takeScores({ store, file, round: 0, progress: silent, stop });

/** Harder from the first to the last; a score that ties in steps, and one that does not. */
const scoresOf = (i: number) => ({
  id: `p${i}`,
  pivot_density: Math.floor((10 * i) / PROMPTS),
  mean_entropy: i / PROMPTS + 0.1 * stream(1, i).uniform(),
  length: 20 + (i % 50),
});

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-scores-'));
  store = await storeOn(watchedEngine(await openDatabase(workspace)), () => undefined);
  verifiers = await openVerifiers(verifierSpecs(configOf()));
  for (let at = 0; at < PROMPTS; at += 5_000) {
    await store.prompts.add(Array.from({ length: 5_000 }, (_, i) => promptRow(at + i)));
  }
});
afterAll(async () => {
  await verifiers.close();
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

describe('a file of scores', () => {
  const good = { id: 'p0', mean_entropy: 1 };
  test.each([
    ['a line that is no JSON', [good, '{"id": "p1",'], /:2/],
    ['a score that is no number', [{ id: 'p0', mean_entropy: '1' }], /found:.*"1"|mean_entropy/],
    ['a score of no estimator', [{ id: 'p0', entropie: 1 }], /"entropie"/],
    ['a score that follows from the seed', [{ id: 'p0', random: 1 }], /"random"/],
    ['a score that is fitted on the probes', [{ id: 'p0', fused: 1 }], /"fused"/],
    ['a line without a score', [{ id: 'p0' }], /none/],
    [
      'other scores than in the first line',
      [good, { id: 'p1', length: 3 }],
      /as in the first line/,
    ],
    ['the same prompt twice', [good, good], /"p0" again/],
    ['a prompt that is not in the pool', [{ id: 'stranger', mean_entropy: 1 }], /not in it/],
    ['prompts without a score', [good], /all 20000 prompts/],
  ])('%s is refused, and nothing is kept', async (_name, lines, message) => {
    await expect(take(fileOf('bad.jsonl', lines))).rejects.toThrow(message);
    expect(await store.scores.estimators(0)).toEqual([]);
  });

  test('that is not there is named', async () => {
    await expect(take(join(workspace, 'nowhere.jsonl'))).rejects.toThrow(/nowhere.jsonl/);
  });
});

describe('triage by scores from elsewhere', () => {
  const triaged = async (config: Config) => {
    const desk = await labelDesk(store, config);
    return await triage({
      ...{ store, config, desk, verifiers, stop },
      sampleMore: () => Promise.reject(new Error('no model is at hand')),
    });
  };

  test('without them the pool has to be traced, and the error names both ways', async () => {
    const config = configOf();
    const desk = await labelDesk(store, config);
    await expect(draftPlan({ store, config, desk, verifiers })).rejects.toThrow(
      /pivottrace trace.*triage --scores FILE/,
    );
  });

  test('routes a pool that was never traced, without reading or writing any of it whole', async () => {
    const lines = Array.from({ length: PROMPTS }, (_, i) => scoresOf(i));
    expect(await take(fileOf('scores.jsonl', lines))).toEqual([
      ...['length', 'mean_entropy', 'pivot_density'],
    ]);
    const probes = await sampleProbes();
    reset();
    const {
      plan: planned,
      moved,
      path,
      probesWithoutLabel,
    } = await triaged(configOf(`label.answers=${join(workspace, 'answers.jsonl')}`));
    expect(probesWithoutLabel).toBe(0);
    const plan = planned.head;
    expect(plan).toMatchObject({ estimator: 'pivot_density', fallback: null });
    expect(plan.calibration).toMatchObject({ verdict: 'beats chance', probes: probes.length });
    expect(plan.calibration.ties).toMatchObject({ distinct: 10, brokenBy: ['mean_entropy'] });
    expect(plan.calibration.spearmanLength).not.toBeNull();
    expect(plan.alternatives.map((one) => one.estimator)).toEqual(['length', 'mean_entropy']);
    expect(plan.counts).toMatchObject({ pool: PROMPTS, discard: 8_420, self: 5_720 });
    expect(moved).toBe(PROMPTS + probes.length);

    // More than 8 MB of decisions and as much of transitions went by; a packed column has 12 bytes per prompt.
    expect(most.rows).toBeLessThanOrEqual(1_000);
    expect(most.answerChars).toBeLessThan(100 * 20_000);
    expect(most.givenChars).toBeLessThan(4 * 2 ** 20);
    expect(most.statements).toBeLessThan(200);

    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    expect(manifest.plan.decisions).toHaveLength(PROMPTS);
    const states = replay(
      manifest.transitions.map((one: unknown) => transitionFromLine(JSON.stringify(one))),
    );
    expect(states).toEqual(await store.transitions.routes('main'));
  });

  /** Responses and answers of the prompts that triage will draw. */
  async function sampleProbes(): Promise<string[]> {
    const config = configOf();
    const desk = await labelDesk(store, config);
    const { probesToBuy } = await draftPlan({ store, config, desk, verifiers });
    const rollouts = probesToBuy.flatMap((id) => {
      const index = Number(id.slice(1));
      return [0, 1, 2, 3].map((sample) => {
        const right = stream(2, index, sample).uniform() > index / PROMPTS;
        const text = `answer: ${right ? index + 1 : 'none of these'}`;
        return { ...rolloutRow(index, sample), text };
      });
    });
    await store.rollouts.put(0, rollouts);
    fileOf(
      'answers.jsonl',
      probesToBuy.map((id) => ({ id, answer: String(Number(id.slice(1)) + 1) })),
    );
    return probesToBuy;
  }

  test('where the score that was asked for was not taken in, those that were are named', async () => {
    await expect(triaged(configOf('triage.estimator=pivot_excess'))).rejects.toThrow(
      /Scores of length, mean_entropy, pivot_density are in the database/,
    );
  });

  test('the same again changes nothing; scores that are gone are missed', async () => {
    const config = configOf(`label.answers=${join(workspace, 'answers.jsonl')}`);
    expect((await triaged(config)).moved).toBe(0);
    expect(await store.browse.planRevision('main')).toBe(1);
    await store.prompts.add([promptRow(PROMPTS)]);
    await expect(triaged(config)).rejects.toThrow(/traced response/);
  });
});
