import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTask } from '../../store/testing/tasks.ts';
import { findPivots } from '../../trace/pivots.ts';
import { asked, viewContext } from '../testing/view-calls.ts';
import { LONG, PROMPTS, type ViewFixture, viewFixture } from '../testing/view-fixture.ts';
import { Refusal, type RouteEntry, type ServerContext } from '../types.ts';
import { floatsOf, intsOf, tracedPage, wireColumn, wireTrace } from '../wire-traces.ts';
import { routes } from './traces.ts';

let fixture: ViewFixture;
let context: ServerContext;
let api: RouteEntry[];

beforeAll(async () => {
  fixture = await viewFixture();
  context = viewContext(fixture.workspace, fixture.store);
  api = routes(context);
}, 120_000);
afterAll(() => fixture.store.close());

async function page(query: Record<string, string>) {
  const search = new URLSearchParams(query);
  return tracedPage.parse(await asked(api, `/api/traces?${search}`, 'viewer'));
}

async function allRows(query: Record<string, string>) {
  const rows = [];
  let next: string | null = null;
  do {
    const part = await page(next === null ? query : { ...query, after: next });
    rows.push(...part.rows);
    next = part.next;
  } while (next !== null);
  return rows;
}

async function trace(prompt: string, sample = 0) {
  const search = new URLSearchParams({ prompt, sample: String(sample), round: '0' });
  return wireTrace.parse(await asked(api, `/api/trace?${search}`, 'viewer'));
}

test('pages through every traced response once, in the order of the pool', async () => {
  const first = await page({});
  expect(first.rows.length).toBe(25);
  expect(first.round).toBe(0);
  expect(first.rounds).toEqual([{ round: 0, traces: 2 * PROMPTS - 1, tokens: expect.any(Number) }]);
  const rows = await allRows({});
  const keys = rows.map(({ promptId, sample }) => `${promptId} ${sample}`);
  expect(keys.slice(0, 3)).toEqual(['p0 0', 'p0 1', 'p1 0']);
  expect(new Set(keys).size).toBe(2 * PROMPTS - 1);
  expect(rows.every(({ pivots }) => pivots !== null && pivots > 0)).toBe(true);
});

test('searches ids, prompts with their backslashes, and responses, and takes % and _ as they are', async () => {
  expect((await allRows({ text: 'ANSWER #1' })).map((row) => row.promptId)).toEqual([LONG.id]);
  expect((await allRows({ text: '\\frac{1}{2}' })).map((row) => row.promptId)).toEqual([LONG.id]);
  expect((await allRows({ text: 'answer: 61' })).length).toBe(0);
  expect((await allRows({ text: 'answer: 60' })).map((row) => row.promptId)).toEqual([
    'p58',
    LONG.id,
  ]);
  expect((await allRows({ text: '%' })).length).toBe(0);
  expect((await allRows({ text: "'; drop table prompts; --" })).length).toBe(0);
});

test('filters by how it ended, by prompt, by route and by verdict against bought labels', async () => {
  expect((await allRows({ finish: 'length' })).map((row) => row.promptId)).toEqual([LONG.id]);
  expect((await allRows({ prompt: 'p7' })).map((row) => row.sample)).toEqual([0, 1]);
  const right = await allRows({ verdict: 'right' });
  expect(right.map(({ promptId, sample }) => [promptId, sample])).toEqual(
    Array.from({ length: 20 }, (_, i) => [`p${i}`, 0]),
  );
  expect((await allRows({ verdict: 'wrong' })).length).toBe(24);
  const unlabelled = await allRows({ verdict: 'unlabelled' });
  expect(unlabelled.length).toBe(2 * PROMPTS - 1 - 44);
  const routes = await allRows({ route: 'discard' });
  expect(routes.length).toBeGreaterThan(0);
  expect(new Set(routes.map((row) => row.route))).toEqual(new Set(['discard']));
});

test('a trace comes with pieces of text, signals, changes and the threshold', async () => {
  const one = await trace('p3');
  const [rollout] = await context.store.rollouts.of(0, ['p3']);
  const ends = intsOf(one.ends);
  expect(one.decoded).toBe(true);
  expect(one.text).toBe(rollout.text);
  expect([...intsOf(one.ids)]).toEqual([...rollout.tokens]);
  expect(ends.length).toBe(rollout.length);
  expect(ends.at(-1)).toBe(one.text.length);
  expect(one.prompt).toEqual([{ role: 'user', text: 'What is 3 + 1?' }]);
  expect(one).toMatchObject({
    verdict: 'right',
    label: '4',
    samples: [0, 1],
    route: expect.any(String),
  });
  expect(one.settings).toEqual({ signal: 'distance', delta: 10, zeta: 95, window: 128 });
  expect(one.scores.map(({ estimator }) => estimator)).toEqual(['length', 'pivot_excess']);
  const [stored] = await context.store.traces.of(0, ['p3']);
  expect(one.signals.map(({ name, tau }) => [name, tau])).toEqual([
    ['distance', 6],
    ['far_mass', 0.2],
    ['layer_far_mass', null],
  ]);
  const distance = stored.trace.signals.distance ?? new Float32Array();
  expect(floatsOf(one.signals[0].mean)[5]).toBeCloseTo((distance[10] + distance[11]) / 2, 5);
  expect([...floatsOf(one.changes ?? '')]).toEqual([...(stored.changes ?? [])]);
  const listedRow = (await allRows({ prompt: 'p3' }))[0];
  expect(listedRow.pivots).toBe(findPivots(floatsOf(one.changes ?? ''), 6, 10).length);
});

test('single heads and layers are fetched by column', async () => {
  const [stored] = await context.store.traces.of(0, ['p3']);
  const one = await trace('p3');
  expect(one.signals[0].columns).toEqual([
    { layer: 0, head: 1 },
    { layer: 2, head: 3 },
  ]);
  expect(one.signals[2].columns).toEqual([
    { layer: 0, head: null },
    { layer: 2, head: null },
  ]);
  for (const [signal, values] of [
    ['distance', stored.trace.signals.distance],
    ['layer_far_mass', stored.trace.layerFarMass],
  ] as const) {
    const address = `/api/trace/column?round=0&prompt=p3&sample=0&signal=${signal}&column=1`;
    const column = floatsOf(wireColumn.parse(await asked(api, address)).values);
    expect([...column]).toEqual([...(values ?? [])].filter((_, i) => i % 2 === 1));
  }
  const beyond = '/api/trace/column?round=0&prompt=p3&signal=distance&column=2';
  await expect(asked(api, beyond)).rejects.toThrow(Refusal);
});

test('16,000 tokens fit into half a megabyte', async () => {
  const one = await trace(LONG.id);
  expect(intsOf(one.ends).length).toBe(LONG.tokens);
  expect(JSON.stringify(one).length).toBeLessThan(600_000);
  expect(one.finish).toBe('length');
});

test('without a tokenizer tokens are ids, and the text is there whole', async () => {
  const bare = routes({ ...context, model: `${fixture.workspace}/nothing` });
  const one = wireTrace.parse(await asked(bare, '/api/trace?prompt=p3'));
  expect(one.decoded).toBe(false);
  expect(one.text).toMatch(/^\[\d+\]\[\d+\]/);
  expect(one.response).toContain('answer: 4');
});

test('what is not there is refused in words', async () => {
  await expect(trace('nobody')).rejects.toThrow(/no trace of sample 0/);
  await expect(trace('p3', 9)).rejects.toThrow(Refusal);
  await expect(asked(api, '/api/trace?prompt=p3&sample=-1')).rejects.toMatchObject({ status: 400 });
  await expect(asked(api, '/api/traces?after=1;2')).rejects.toMatchObject({ status: 400 });
});

test('who opens a trace and may label has seen what the model answers, once on record', async () => {
  const told: unknown[] = [];
  const audited = routes(
    viewContext(fixture.workspace, fixture.store, {
      async audit(who, action, subject, detail = {}) {
        told.push([who?.role, action, subject, detail]);
        const entry = { at: 1, userId: who?.id ?? null, action, subject, detail };
        await fixture.store.auditLog.add(entry);
      },
    }),
  );
  const address = '/api/trace?prompt=p3&sample=0&round=0';
  await asked(audited, address, 'viewer');
  expect(told).toEqual([]);
  await asked(audited, address, 'annotator');
  await asked(audited, address, 'annotator');
  expect(told).toEqual([['annotator', 'label.reveal', 'p3', { by: 'trace' }]]);
});

test('in the list annotators do not see what the model says to open questions', async () => {
  await fixture.store.desk.putTasks([openTask('p5')]);
  const rowsFor = async (role: 'annotator' | 'viewer') => {
    const found = tracedPage.parse(await asked(api, '/api/traces?prompt=p5', role));
    return found.rows.map(({ answer, beginning }) => [answer !== null, beginning !== '']);
  };
  expect(await rowsFor('annotator')).toEqual([
    [false, false],
    [false, false],
  ]);
  expect((await rowsFor('viewer'))[0]).toEqual([true, true]);
  await fixture.store.desk.putTasks([openTask('p5', { state: 'withdrawn' })]);
  expect((await rowsFor('annotator'))[0]).toEqual([true, true]);
});
