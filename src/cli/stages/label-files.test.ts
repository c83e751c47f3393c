/** Questions that go out and answers that come back, as a person calls it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { TaskRecord } from '../../store/desk.ts';
import { promptRow, rolloutRow } from '../../store/testing/rows.ts';
import { openTask } from '../../store/testing/tasks.ts';
import { withStore } from '../../store/testing/with-store.ts';
import type { Store } from '../../store/types.ts';
import { planToJson } from '../../triage/disk.ts';
import { planTriage } from '../../triage/plan.ts';
import { transitionsOf } from '../../triage/transitions.ts';
import { main } from '../main.ts';
import { votesOf } from './label-waiting.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
// Its listeners are for one command in a process.
vi.mock(import('../output.ts'), async (original) => ({
  ...(await original()),
  endOnBrokenPipe: () => {},
}));

const count = 520;
let folder: string;
let workspace: string;
/** What the plan routes to annotate, the most uncertain first. */
let planned: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-label-files-'));
  workspace = join(folder, 'w');
  await withStore(workspace, fill);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = (account: string, promptId: string, more: Partial<TaskRecord> = {}) =>
  openTask(promptId, {
    ...{ account, utility: 3, run: 'main', step: 7, reason: 'group_disagrees' },
    ...more,
  });

async function fill(store: Store): Promise<void> {
  const prompts = Array.from({ length: count }, (_, i) => promptRow(i));
  prompts[3] = {
    ...prompts[3],
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: '=1+"2",\n3' },
    ],
  };
  await store.prompts.add(prompts);
  const samples = [0, 1, 2, 3].map((sample) => rolloutRow(3, sample));
  await store.rollouts.put(0, [
    ...samples.slice(1),
    { ...samples[0], answer: '9', answerClass: 1 },
  ]);
  const scores = prompts.slice(0, 12).map(({ id: promptId }, i) => ({ promptId, value: i }));
  const plan = planTriage({
    ...{ name: 'main', scores: { estimator: 'random', scores }, probes: [] },
    settings: { quota: { discard: 0.25, self: 0.25, annotate: 0.5 }, resamples: 20 },
  });
  await store.plans.save('main', planToJson(plan));
  await store.transitions.append(transitionsOf(plan, new Map()));
  planned = plan.decisions.filter(({ route }) => route === 'annotate').map((one) => one.promptId);
  planned.reverse();
  await store.desk.putTasks([
    task('main', 'p3'),
    task('main', 'p2', { gold: true }),
    task('main', planned[1], { state: 'done', outcome: 'no_answer' }),
    ...prompts.slice(10, 511).map(({ id }) => task('big', id)),
  ]);
  await store.users.add({
    ...{ id: 'u1', name: 'Mara', nameKey: 'mara', role: 'annotator', kind: 'person' },
    ...{ disabled: false, createdAt: 0, password: null },
  });
  const given = {
    account: 'old',
    promptId: 'p3',
    annotator: 'u1',
    kind: 'answer',
    answer: '-5',
  } as const;
  const rest = { note: '', revealed: false, seconds: 4, undone: false, adjudicates: false };
  await store.desk.putTasks([task('old', 'p3', { answers: 1 })]);
  await store.desk.annotate({
    ...given,
    ...rest,
    at: 86_400_000,
    gold: false,
    checks: null,
    correct: null,
  });
  const label = { noisy: true, run: 'main', step: 7 };
  await store.labels.add('old', [
    { ...label, promptId: 'p3', answer: '-5', source: 'Mara', cost: 1 },
    { ...label, promptId: 'p4', answer: '=1+"2",\n3', source: 'bot', cost: 0.25 },
    { ...label, promptId: 'p3', answer: '5', source: 'bot', cost: 0.25 },
  ]);
}

async function run(...words: string[]) {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = await main(['label', ...words, `workspace=${workspace}`]);
  const [stdout, stderr] = [out, err].map((spy) => spy.mock.calls.map(([text]) => text).join(''));
  vi.restoreAllMocks();
  return { status, stdout, stderr };
}
const at = (name: string) => join(folder, name);
const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

test('what waits goes to Label Studio, the queue first, and comes back as labels of the plan', async () => {
  const out = await run('--export', at('tasks.json'), '--format', 'label-studio');
  expect(out).toMatchObject({ status: 0, stderr: '' });
  const waiting = ['p3', planned[0], ...planned.slice(2)];
  expect(out.stdout).toContain(`${waiting.length} questions of the account main`);
  expect(out.stdout).toContain('config.xml is the labelling interface');
  const tasks = json('tasks.json');
  expect(tasks.map((one: { data: { pt_id: string } }) => one.data.pt_id)).toEqual(waiting);
  expect(tasks[0]).toMatchObject({
    data: {
      question: 'system:\nBe brief.\n\nuser:\n=1+"2",\n3',
      pt_reason: 'group_disagrees',
      pt_step: 7,
    },
  });
  expect(readFileSync(at('tasks.json'), 'utf8')).not.toContain('predictions');

  const again = await run('--export', at('tasks.json'), '--format', 'label-studio');
  expect(again).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Nothing was written'),
  });
  expect(json('tasks.json')).toEqual(tasks);

  const answer = (text: string, by: unknown, more = {}) => ({
    ...{ completed_by: by, was_cancelled: false, ...more },
    result: [
      { type: 'textarea', from_name: 'answer', to_name: 'question', value: { text: [text] } },
    ],
  });
  const guess = [{ result: answer('999', null).result }];
  const exported = [
    { ...tasks[0], id: 1, annotations: [answer('1/2', { email: 'mara@x.org' }), answer('0.5', 3)] },
    { ...tasks[1], id: 2, annotations: [answer('5', 3), answer('6', { email: 'mara@x.org' })] },
    {
      ...tasks[2],
      id: 3,
      annotations: [answer('7', 3, { was_cancelled: true })],
      predictions: guess,
    },
    { ...tasks[3], id: 4, annotations: [], predictions: guess },
  ];
  writeFileSync(at('export.json'), JSON.stringify(exported));
  const back = await run('--from', at('export.json'), '--annotator', '3=john');
  expect(back).toMatchObject({ status: 0, stderr: '' });
  expect(back.stdout).toContain('4 labels by mara@x.org, john imported into the account main');
  expect(back.stdout).toContain('Read as Label Studio JSON.\nNot taken: 1 left blank, 1 skipped.');
  // 1/2 and 0.5 are the same to the verifier.
  expect(back.stdout).toContain('People disagree on 1 prompt; the first answer counts:');
  expect(back.stdout).toContain(`  ${planned[0]}: 5 (john, task 2), 6 (mara@x.org, task 2)`);
  await withStore(workspace, async (store) => {
    const states = await store.transitions.routes('main');
    expect(states.get(planned[0])).toBe('annotated');
    expect(await store.labels.count('main')).toBe(2);
    // The admins of the desk decide between them.
    const { tasks } = await store.desk.disputed('main', 5);
    expect(tasks.map(({ promptId, checks }) => [promptId, checks])).toEqual([[planned[0], 'john']]);
  });
  expect(back.stdout).toContain('Admins rule on 1 of them on the adjudication page');
  const repeated = await run('--from', at('export.json'), '--annotator', '3=john');
  expect(repeated.stdout).toContain('0 labels by');
  expect(repeated.stdout).not.toContain('Admins rule');
  const left = await run('--export', at('left.jsonl'), '--json');
  expect(JSON.parse(left.stdout)).toMatchObject({ event: 'result', rows: waiting.length - 2 });
});

test('a long list goes to Argilla in files of 500, with the votes where they are wanted', async () => {
  const words = ['--format', 'argilla', '--with-votes', 'label.account=big', 'triage.plan=none'];
  expect(await run('--export', at('a/big.json'), ...words)).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(readdirSync(at('a')).sort()).toEqual(['big-1.json', 'big-2.json', 'settings.json']);
  expect([json('a/big-1.json').length, json('a/big-2.json').length]).toEqual([500, 1]);
  const user_id = '6f0b9a52-2d0c-4f43-8c0e-0c6c1a3e7b11';
  const answered = ['a/big-1.json', 'a/big-2.json'].map((name) => {
    const [first, ...others] = json(name);
    const responses = { answer: [{ value: '4', user_id, status: 'submitted' }] };
    writeFileSync(at(name), JSON.stringify([{ ...first, responses }, ...others]));
    return at(name);
  });
  const files = answered.flatMap((path) => ['--from', path]);
  const back = await run(...files, '--source', 'lab', 'label.account=big', '--json');
  expect(JSON.parse(back.stdout)).toMatchObject({
    ...{ added: 2, formats: ['Argilla records'], annotators: [`lab ${user_id}`] },
    ignored: { blank: 499 },
  });
});

test('labels go out without a word of simulated mistakes, and come back into another account', async () => {
  for (const [name, format] of [
    ['labels.csv', 'csv'],
    ['labels.jsonl', 'jsonl'],
    ['l/labels.json', 'label-studio'],
    ['m/labels.json', 'label-studio-min'],
    ['n/labels.json', 'argilla'],
  ]) {
    const words = ['--export', at(name), '--what', 'labels', '--format', format];
    expect(await run(...words, 'label.account=old')).toMatchObject({ status: 0, stderr: '' });
    const text = readFileSync(at(name), 'utf8');
    expect(text).not.toContain('noisy');
    expect(text).toContain('1970-01-02T00:00:00.000Z');
    const back = await run('--from', at(name), `label.account=copy ${format}`, '--json');
    expect(JSON.parse(back.stdout)).toMatchObject({ added: 3, unchanged: 0 });
  }
  await withStore(workspace, async (store) => {
    const sorted = async (account: string) =>
      (await store.labels.owned(account))
        .map(({ promptId, answer, source, cost }) => `${promptId} ${source} ${cost} ${answer}`)
        .sort();
    for (const format of ['csv', 'jsonl', 'label-studio', 'label-studio-min', 'argilla']) {
      expect(await sorted(`copy ${format}`)).toEqual(await sorted('old'));
      const [first] = await store.labels.owned(`copy ${format}`, ['p3']);
      expect(first.answer).toBe('-5');
    }
  });
});

test('a worksheet of probes comes before there is a plan', async () => {
  const settings = ['triage.plan=fresh', 'triage.estimator=random', 'triage.probe_share=0.01'];
  const out = await run('--export', at('probes.csv'), ...settings);
  expect(out).toMatchObject({ status: 0, stderr: '' });
  const lines = readFileSync(at('probes.csv'), 'utf8').split('\r\n');
  expect(lines[0]).toBe('\ufeffid,question,answer,annotator,source,utility,reason,run,step');
  expect(lines[1]).toMatch(/^p\d+,What is \d+ \+ 1\?,,,made up,,probe,,$/);
});

test('what cannot be done is refused before anything is written', async () => {
  const wrong = [
    [['--export', at('x.json')], /ends in \.csv or \.jsonl, or a --format/],
    [['--export', at('x.csv'), '--with-votes', '--what', 'labels'], /--what labels/],
    [['--export', at('x.csv'), '--with-votes', '--format', 'label-studio-min'], /JSON_MIN/],
    [['--export', at('x.csv'), '--from', at('export.json')], /--from or --export/],
    [['--export', at('x.csv'), '--format', 'xml'], /Allowed choices are csv, jsonl/],
    [['--from', at('export.json'), '--annotator', 'john'], /ID=NAME/],
    [['--from', at('export.json'), '--source', '\u202ex'], /a name of at most/],
  ] as const;
  for (const [words, message] of wrong) {
    expect(await run(...words)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(message),
    });
  }
  expect(existsSync(at('x.csv')) || existsSync(at('x.json'))).toBe(false);
});

test('the vote is the answer of most responses, and none where two are given equally often', () => {
  const rows = (promptId: string, ...answers: [string | null, number][]) =>
    answers.map(([answer, answerClass]) => ({ promptId, answer, answerClass }));
  const votes = votesOf([
    ...rows('a', ['1/2', 0], ['0.5', 0], ['3', 1], [null, -1]),
    ...rows('b', ['1', 0], ['2', 1]),
    ...rows('c', [null, -1]),
  ]);
  expect([...votes]).toEqual([['a', { answer: '1/2', votes: 2, samples: 4 }]]);
});
