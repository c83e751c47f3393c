import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asked, viewContext } from '../testing/view-calls.ts';
import {
  append,
  logStep,
  PROMPTS,
  type ViewFixture,
  viewFixture,
} from '../testing/view-fixture.ts';
import { Refusal, type RouteEntry, type ServerContext } from '../types.ts';
import {
  costFigures,
  dashboardNames,
  LOG_LIMIT,
  labelFigures,
  poolMap,
  transitionsPage,
  wireRuns,
} from '../wire-dashboard.ts';
import { routes } from './dashboard.ts';

let fixture: ViewFixture;
let context: ServerContext;
let api: RouteEntry[];

beforeAll(async () => {
  fixture = await viewFixture();
  context = viewContext(fixture.workspace, fixture.store);
  api = routes(context);
}, 120_000);
afterAll(() => fixture.store.close());

test('names what there is to choose from', async () => {
  expect(dashboardNames.parse(await asked(api, '/api/dashboard', 'viewer'))).toEqual({
    ...{ plan: 'main', account: 'main', plans: ['main'], logs: ['main'], accounts: ['main'] },
  });
});

test('the map has every prompt in one bin under the state that it has now', async () => {
  const map = poolMap.parse(await asked(api, '/api/dashboard/map'));
  const plan = (await context.store.plans.get('main'))?.body;
  expect(plan).toMatchObject({ estimator: map.estimator, rule: map.rule });
  expect(map.histogram?.parts.reduce((sum, { prompts }) => sum + prompts, 0)).toBe(PROMPTS);
  const routes = await context.store.transitions.routes('main');
  for (const { state, prompts } of map.states) {
    expect([...routes.values()].filter((one) => one === state).length).toBe(prompts);
    const binned = map.histogram?.parts.filter((part) => part.state === state) ?? [];
    expect(binned.reduce((sum, part) => sum + part.prompts, 0)).toBe(prompts);
  }
  expect(map.probes.length).toBe(20);
  expect(map.probes.every(({ promptId, state }) => routes.get(promptId) === state)).toBe(true);
  expect(map.moved).toEqual([
    expect.objectContaining({ agreement: 15 / 16, rollouts: 16, step: 4 }),
  ]);
  expect(map.curve.length).toBeGreaterThan(1);
});

test('a plan that was saved again is read again; one that is not there is refused', async () => {
  const before = poolMap.parse(await asked(api, '/api/dashboard/map?plan=main'));
  const body = (await context.store.plans.get('main'))?.body;
  await context.store.plans.save('main', { ...Object(body), fallback: 'because' });
  const after = poolMap.parse(await asked(api, '/api/dashboard/map?plan=main'));
  expect([before.fallback, after.fallback]).toEqual([null, 'because']);
  await expect(asked(api, '/api/dashboard/map?plan=other')).rejects.toThrow(Refusal);
});

test('labels are counted by source and by the step they were bought at', async () => {
  const labels = labelFigures.parse(await asked(api, '/api/dashboard/labels'));
  expect(labels).toMatchObject({ account: 'main', owned: 22, budget: 30 });
  expect(labels.sources).toContainEqual({ source: 'file', labels: 21, cost: 21 });
  expect(labels.use).toEqual([
    { run: null, step: null, labels: 20 },
    { run: 'alpha', step: 3, labels: 1 },
    { run: 'alpha', step: 7, labels: 1 },
  ]);
  const other = labelFigures.parse(await asked(api, '/api/dashboard/labels?account=other'));
  expect(other).toMatchObject({ account: 'other', owned: 0, budget: null, use: [] });
});

test('curves come whole at first, and then what is new', async () => {
  const ask = async (known: Record<string, string>) => {
    const search = new URLSearchParams({ known: JSON.stringify(known) });
    const { runs } = wireRuns.parse(await asked(api, `/api/dashboard/runs?${search}`));
    return runs;
  };
  const [alpha, beta] = await ask({});
  expect(alpha).toMatchObject({ name: 'alpha', status: 'running', planned: 40, step: 12 });
  expect(alpha).toMatchObject({ follows: false, seconds: 24, labels: 32 });
  expect(alpha.points.steps.length).toBe(12);
  expect(alpha.points.columns.reward?.[0]).toBeCloseTo(0.125);
  expect(alpha.evaluations.map(({ average }) => average)).toEqual([0.5, 0.8]);
  logStep(fixture.workspace, 'alpha', 13);
  append(fixture.workspace, 'alpha', 'metrics.jsonl', '{"step":14,"rew');
  const [later, same] = await ask({ alpha: alpha.version, beta: beta.version });
  expect(later).toMatchObject({ follows: true, step: 13 });
  expect(later.points.steps).toEqual([13]);
  expect(later.evaluations).toEqual([]);
  expect(same.points.steps).toEqual([]);
  await expect(asked(api, '/api/dashboard/runs?known=[')).rejects.toMatchObject({ status: 400 });
});

test('the log of transitions is paged from the newest, and filtered by prompt and rule', async () => {
  const all = [];
  let before: number | null = null;
  do {
    const query: string = before === null ? '' : `&before=${before}`;
    const page = transitionsPage.parse(
      await asked(api, `/api/dashboard/transitions?plan=main${query}`),
    );
    expect(page.rows.length).toBeLessThanOrEqual(LOG_LIMIT);
    if (before === null) {
      expect(page.rules).toContainEqual({ rule: 'dynamic:mastered', moves: 1 });
      expect(page.rows[0]).toMatchObject({ rule: 'dynamic:mastered', evidence: { hits: 15 } });
    }
    all.push(...page.rows);
    before = page.next;
  } while (before !== null);
  const stored = await context.store.transitions.of('main');
  expect(all.map(({ promptId, to }) => [promptId, to]).reverse()).toEqual(
    stored.map(({ promptId, to }) => [promptId, to]),
  );
  const one = stored[0].promptId;
  const mine = transitionsPage.parse(await asked(api, `/api/dashboard/transitions?prompt=${one}`));
  expect(new Set(mine.rows.map(({ promptId }) => promptId))).toEqual(new Set([one]));
  const moved = transitionsPage.parse(
    await asked(api, '/api/dashboard/transitions?rule=dynamic%3Amastered'),
  );
  expect(moved.rows.length).toBe(1);
});

test('cost tells what was sampled, and what stages took where they were timed', async () => {
  const bare = costFigures.parse(await asked(api, '/api/dashboard/cost'));
  expect(bare.rounds).toEqual([
    { round: 0, prompts: PROMPTS, rollouts: 2 * PROMPTS - 1, tokens: expect.any(Number) },
  ]);
  expect(bare.stages).toEqual([]);
  const timed = { seconds: { trace: 2.5 }, peak_memory_bytes: 1000 };
  writeFileSync(join(fixture.workspace, 'costs.json'), JSON.stringify(timed));
  const timedCost = costFigures.parse(await asked(api, '/api/dashboard/cost'));
  expect(timedCost.stages).toEqual([{ stage: 'trace', seconds: 2.5 }]);
  expect(timedCost.peakMemoryBytes).toBe(1000);
});
