import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEntries } from '../../label/formats/registry.ts';
import { planFromJson, transitionToLine } from '../../triage/disk.ts';
import { asked, viewContext } from '../testing/view-calls.ts';
import { type ViewFixture, viewFixture } from '../testing/view-fixture.ts';
import { Refusal, type RouteEntry, type ServerContext } from '../types.ts';
import { exportsList } from '../wire-dashboard.ts';
import { routes } from './exports.ts';

let fixture: ViewFixture;
let context: ServerContext;
let api: RouteEntry[];
const audited: string[] = [];

beforeAll(async () => {
  fixture = await viewFixture();
  context = viewContext(fixture.workspace, fixture.store, {
    audit: async (who, action, subject, detail) => {
      audited.push(`${who?.name} ${action} ${subject} ${detail?.file}`);
    },
  });
  api = routes(context);
}, 120_000);
afterAll(() => fixture.store.close());

async function download(path: string): Promise<{ text: string; name: string }> {
  const response = await asked(api, path);
  if (!(response instanceof Response)) throw new Error('no download');
  const header = response.headers.get('content-disposition') ?? '';
  return { text: await response.text(), name: /filename="(.*)"/.exec(header)?.[1] ?? '' };
}

const labelFiles = [
  'labels.csv',
  'labels.jsonl',
  'labels-label-studio.json',
  'labels-label-studio-min.json',
  'labels-argilla.json',
];

async function entriesOf(path: string) {
  const entries = [];
  for await (const { entry } of readEntries(path)) {
    if (entry.kind === 'answer') entries.push([entry.promptId, entry.answer, entry.cost]);
  }
  return entries.sort();
}

test('labels leave in every format and read back as they are, formulas and all', async () => {
  const owned = await context.store.labels.owned('main');
  expect(owned.map(({ answer }) => answer)).toContain('=HYPERLINK("http://x")');
  for (const file of labelFiles) {
    const { text, name } = await download(`/api/exports/${file}`);
    expect(name).toBe(`main-${file}`);
    const path = join(fixture.workspace, name);
    writeFileSync(path, text);
    expect(await entriesOf(path)).toEqual(
      owned.map(({ promptId, answer, cost }) => [promptId, answer, cost]).sort(),
    );
  }
  expect(audited).toEqual(labelFiles.map((file) => `Ada export main ${file}`));
});

test('more labels than are read at a time make one file, with all labels of a prompt together', async () => {
  const label = { cost: 1, noisy: false, run: null, step: null };
  const many = Array.from({ length: 1_200 }, (_, i) => ({
    ...{ ...label, promptId: `p${i % 40}`, source: `s${Math.floor(i / 40)}`, answer: `a${i}` },
  }));
  await context.store.labels.add('many', many);
  for (const file of labelFiles) {
    const { text } = await download(`/api/exports/${file}?account=many`);
    const path = join(fixture.workspace, `many-${file}`);
    writeFileSync(path, text);
    expect((await entriesOf(path)).length).toBe(1_200);
  }
  const tasks: unknown[] = JSON.parse(
    (await download('/api/exports/labels-label-studio.json?account=many')).text,
  );
  expect(tasks.length).toBe(40);
});

test('in CSV no cell begins like a formula, and numbers stay numbers', async () => {
  const { text } = await download('/api/exports/labels.csv');
  const rows: Record<string, string>[] = parse(text, { columns: true, bom: true });
  const of = (id: string) => rows.find((row) => row.id === id);
  expect(of('p30')?.answer).toBe('\'=HYPERLINK("http://x")');
  expect(of('p31')).toMatchObject({ answer: '-5', annotator: '\'@ann, "A"', run: 'alpha' });
});

test('an account without labels gives files that hold nothing', async () => {
  const bare = routes({ ...context, account: 'nobody' });
  for (const [file, text] of [
    ['labels-argilla.json', '[]\n'],
    ['labels.jsonl', ''],
  ]) {
    const response = await asked(bare, `/api/exports/${file}`);
    expect(response instanceof Response && (await response.text())).toBe(text);
  }
});

test('the plan leaves as the manifest that the workspace keeps, transitions and all', async () => {
  const { text, name } = await download('/api/exports/plan.json?plan=main');
  expect(name).toBe('main-plan.json');
  const manifest = JSON.parse(text);
  const stored = await context.store.transitions.of('main');
  expect(planFromJson(manifest.plan)).toEqual(
    planFromJson((await context.store.plans.get('main'))?.body),
  );
  expect(manifest.transitions.length).toBe(stored.length);
  expect(manifest.transitions).toEqual(stored.map((one) => JSON.parse(transitionToLine(one))));
  const lines = (await download('/api/exports/transitions.jsonl')).text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(manifest.transitions);
});

test('a name becomes a file name without anything that a header or a path could trip over', async () => {
  const account = '../a"b\r\nx: y/ü';
  await context.store.labels.add(account, [
    { promptId: 'p1', answer: '2', source: 's', cost: 1, noisy: false, run: null, step: null },
  ]);
  const path = `/api/exports/labels.jsonl?account=${encodeURIComponent(account)}`;
  expect((await download(path)).name).toBe('a-b-x-y-labels.jsonl');
  await expect(asked(api, '/api/exports/labels.jsonl?account=other')).rejects.toThrow(Refusal);
});

test('answers are for admins alone: others are not offered them, and the route asks for one', async () => {
  const offered = async (role: 'admin' | 'viewer') =>
    exportsList
      .parse(await asked(api, '/api/exports?plan=main', role))
      .files.map(({ href }) => href);
  expect(await offered('viewer')).toEqual([
    '/api/exports/transitions.jsonl?plan=main',
    '/api/exports/plan.json?plan=main',
  ]);
  expect((await offered('admin')).length).toBe(7);
  for (const { path, access } of api) {
    expect(access).toBe(path.includes('labels') ? 'admin' : 'viewer');
  }
});
