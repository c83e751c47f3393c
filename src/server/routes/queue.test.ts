/** Labelling through real HTTP: questions, answers, undo, previews, disputes, and what hostile callers send. */
import { expect, test, vi } from 'vitest';
import { rolloutRow } from '../../store/testing/rows.ts';
import { openTask } from '../../store/testing/tasks.ts';
import { openTestDesk } from '../testing/desk.ts';
import {
  auditPage,
  disputes,
  figures,
  next,
  paths,
  preview,
  progress,
  revealed,
  ruled,
  submitted,
  undone,
} from '../wire.ts';

vi.setConfig({ testTimeout: 300_000 });

const said = (promptId: string, answer: string | null, more = {}) => {
  return { promptId, kind: 'answer', answer, note: '', revealed: false, ...more };
};

test('a question is handed out, answered, taken back and answered again', async () => {
  const desk = await openTestDesk({ prompts: 3, budget: 2 });
  const ann = await desk.signedIn('annotator', 'Ann');
  const first = next.parse(await ann.ask('POST', paths.next, {}));
  expect(first.question).toMatchObject({
    promptId: 'p0',
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'What is 0 + 1?' }] }],
    reason: 'planned',
  });
  expect(first.question?.expiresAt).toBeGreaterThan(Date.now());
  const done = submitted.parse(await ann.ask('POST', paths.submit, said('p0', '1')));
  expect(done.verdict).toBe('decided');
  expect(done.next.question?.promptId).toBe('p1');
  expect(done.next.progress).toMatchObject({ labels: 1, budget: 2, mine: { today: 1 } });
  expect(await desk.store.labels.owned('main')).toMatchObject([
    { promptId: 'p0', answer: '1', source: 'Ann' },
  ]);
  const back = undone.parse(await ann.ask('POST', paths.undo, {}));
  expect(back.undone).toMatchObject({ promptId: 'p0', answer: '1' });
  expect(back.next.question?.promptId).toBe('p0');
  expect(await desk.store.labels.count('main')).toBe(0);
  await ann.ask('POST', paths.submit, said('p0', 'one'));
  const last = submitted.parse(
    await ann.ask('POST', paths.submit, said('p1', null, { kind: 'no_answer', note: 'why?' })),
  );
  expect(last.verdict).toBe('closed');
  // Nobody holds a question any more that they gave back.
  expect((await ann.send('POST', paths.release, {})).status).toBe(204);
  const late = await ann.send('POST', paths.submit, said('p2', '3'));
  expect(late.status).toBe(409);
  const viewer = await desk.signedIn('viewer');
  expect(progress.parse(await viewer.ask('GET', paths.progress))).toMatchObject({
    ...{ open: 1, done: 2, labels: 1, mine: { today: 0, medianSeconds: null } },
  });
  expect(desk.faults).toEqual([]);
});

test('two annotators never hold one question', async () => {
  const desk = await openTestDesk({ prompts: 4 });
  const people = await Promise.all(
    ['A', 'B', 'C', 'D', 'E'].map((n) => desk.signedIn('annotator', n)),
  );
  const got = await Promise.all(
    people.map(async (one) => next.parse(await one.ask('POST', paths.next, {}))),
  );
  const held = got.flatMap(({ question }) => question?.promptId ?? []);
  expect(held.sort()).toEqual(['p0', 'p1', 'p2', 'p3']);
  expect(got.map(({ nothing }) => nothing).filter((why) => why !== null)).toEqual(['taken']);
});

test('what is typed is read as the verifier reads a gold answer', async () => {
  const desk = await openTestDesk({ prompts: 1 });
  const ann = await desk.signedIn('annotator');
  const read = async (answer: string) =>
    preview.parse(await ann.ask('POST', paths.preview, { promptId: 'p0', answer }));
  const half = await read('\\frac{1}{2}');
  expect(half).toMatchObject({ readable: true, reason: '' });
  expect(half).toMatchObject({ kind: 'number', value: '\\frac{1}{2}' });
  expect((await read('So it is \\boxed{7}.')).value).toBe('7');
  expect(await read('  ')).toMatchObject({ readable: false, value: '' });
  const unread = await read('x'.repeat(5_000));
  expect(unread.readable).toBe(false);
  expect(unread.reason).not.toBe('');
  const unknown = { promptId: 'nobody', answer: '1' };
  expect((await ann.send('POST', paths.preview, unknown)).status).toBe(404);
});

test('the policy’s answers are shown by class to whoever holds the question, and that is kept', async () => {
  const desk = await openTestDesk({ prompts: 2 });
  const answers = ['1/2', '0.5', '3', null];
  await desk.store.rollouts.put(
    0,
    answers.map((answer, sample) => ({ ...rolloutRow(0, sample), answer })),
  );
  const ann = await desk.signedIn('annotator');
  const ask = { promptId: 'p0' };
  expect((await ann.send('POST', paths.reveal, ask)).status).toBe(409);
  await ann.ask('POST', paths.next, {});
  expect(revealed.parse(await ann.ask('POST', paths.reveal, ask))).toEqual({
    classes: [
      { answer: '1/2', count: 2 },
      { answer: '3', count: 1 },
    ],
    unread: 1,
  });
  // The page may say that nothing was shown; the server knows better.
  await ann.ask('POST', paths.submit, said('p0', '1', { revealed: false }));
  await ann.ask('POST', paths.submit, said('p1', '2'));
  const given = await desk.store.desk.annotations('main');
  expect(given.map(({ promptId, revealed: shown }) => [promptId, shown])).toEqual([
    ['p0', true],
    ['p1', false],
  ]);
});

test('a gold question looks like any other, before and after', async () => {
  const desk = await openTestDesk({ prompts: 2, goldEvery: 1 });
  const ann = await desk.signedIn('annotator');
  const plain = next.parse(await ann.ask('POST', paths.next, {}));
  await ann.ask('POST', paths.submit, said('p0', '1'));
  await desk.store.desk.putTasks([openTask('p1', { reason: 'gold', gold: true })]);
  await desk.store.desk.putGolds('main', [{ promptId: 'p1', answer: '2' }]);
  await desk.store.prompts.add([{ id: 'p9', prompt: 'More?', source: 's', metadata: {} }]);
  await desk.store.desk.putTasks([openTask('p9')]);
  await ann.ask('POST', paths.release, {});
  const gold = next.parse(await ann.ask('POST', paths.next, {}));
  expect(gold.question?.promptId).toBe('p1');
  expect(gold.question?.reason).toBe(plain.question?.reason);
  const done = submitted.parse(await ann.ask('POST', paths.submit, said('p1', '3')));
  expect(done.verdict).toBe('decided');
  const admin = await desk.signedIn('admin');
  const table = figures.parse(await admin.ask('GET', paths.figures));
  expect(table.annotators[0].gold).toEqual({ answered: 1, right: 0 });
});

test('a question that checks a label looks like any other; where the answer is another one an admin decides', async () => {
  const desk = await openTestDesk({ prompts: 1 });
  const ann = await desk.signedIn('annotator');
  const plain = next.parse(await ann.ask('POST', paths.next, {}));
  await ann.ask('POST', paths.submit, said('p0', '1'));
  const more = ['p7', 'p8'].map((id) => ({ id, prompt: `${id}?`, source: 's', metadata: {} }));
  await desk.store.prompts.add(more);
  const label = { source: 'oracle', answer: '5', cost: 1, noisy: false, run: null, step: null };
  await desk.store.labels.add(
    'main',
    more.map(({ id: promptId }) => ({ ...label, promptId })),
  );
  await desk.queue.orderChecks(['p7', 'p8'], 'oracle');
  const check = next.parse(await ann.ask('POST', paths.next, {}));
  expect(check.question).toMatchObject({ promptId: 'p7', reason: plain.question?.reason });
  const done = submitted.parse(await ann.ask('POST', paths.submit, said('p7', '5.0')));
  expect(done.verdict).toBe('decided');
  const other = submitted.parse(
    await ann.ask('POST', paths.submit, { ...said('p8', ''), kind: 'no_answer', answer: null }),
  );
  expect(other.verdict).toBe('closed');
  const admin = await desk.signedIn('admin');
  const open = disputes.parse(await admin.ask('GET', `${paths.adjudication}?limit=5`));
  expect(open.disputes).toMatchObject([
    { promptId: 'p8', labels: [{ source: 'oracle', answer: '5' }] },
  ]);
  const table = figures.parse(await admin.ask('GET', paths.figures));
  expect(table.annotators[0].gold).toEqual({ answered: 0, right: 0 });
  expect(table.checks).toMatchObject([{ source: 'oracle', checked: 2, differing: 1, open: 1 }]);
});

test('what was said is in the audit log, and neither without the other', async () => {
  const desk = await openTestDesk({ prompts: 2 });
  const ann = await desk.signedIn('annotator', 'Ann');
  await ann.ask('POST', paths.next, {});
  await ann.ask('POST', paths.submit, said('p0', '1'));
  // The same once more, its reply lost on the way: it is told once.
  await ann.ask('POST', paths.submit, said('p0', '1'));
  await ann.ask('POST', paths.undo, {});
  const told = (await desk.store.auditLog.page(50)).filter(({ action }) =>
    action.startsWith('label.'),
  );
  expect(told.map(({ action, subject, detail }) => [action, subject, detail])).toEqual([
    ['label.undo', 'p0', {}],
    ['label.submit', 'p0', { kind: 'answer', verdict: 'decided', revealed: false }],
  ]);
});

test('answers that disagree go to an admin, who rules', async () => {
  const desk = await openTestDesk({ prompts: 1, overlap: 2 });
  const people = [await desk.signedIn('annotator', 'Ann'), await desk.signedIn('annotator', 'Bob')];
  const verdicts: string[] = [];
  for (const [i, one] of people.entries()) {
    await one.ask('POST', paths.next, {});
    const { verdict } = submitted.parse(
      await one.ask('POST', paths.submit, said('p0', String(i), { note: '<b>' })),
    );
    verdicts.push(verdict);
  }
  expect(verdicts).toEqual(['waiting', 'disagree']);
  const admin = await desk.signedIn('admin', 'Ada');
  const open = disputes.parse(await admin.ask('GET', `${paths.adjudication}?limit=5`));
  expect(open.total).toBe(1);
  expect(open.disputes[0].messages[0].parts).toEqual([{ type: 'text', text: 'What is 0 + 1?' }]);
  expect(
    open.disputes[0].annotations.map(({ annotator, answer, note }) => [annotator, answer, note]),
  ).toEqual([
    ['Ann', '0', '<b>'],
    ['Bob', '1', '<b>'],
  ]);
  const ruling = { promptId: 'p0', kind: 'answer', answer: '1', note: '' };
  expect(ruled.parse(await admin.ask('POST', paths.adjudication, ruling)).verdict).toBe('decided');
  expect(await desk.store.labels.owned('main')).toMatchObject([{ answer: '1' }]);
  const figured = figures.parse(await admin.ask('GET', paths.figures));
  expect(figured.agreement).toMatchObject({ questions: 1, percent: 0 });
  const trail = auditPage.parse(await admin.ask('GET', paths.audit)).entries;
  expect(trail.filter(({ action }) => action.startsWith('label.')).map(({ who }) => who)).toEqual([
    'Ada',
    'Bob',
    'Ann',
  ]);
});

test('hostile bodies are refused, harmless strange ones are kept as they are', async () => {
  const desk = await openTestDesk({ prompts: 2 });
  const ann = await desk.signedIn('annotator');
  await ann.ask('POST', paths.next, {});
  const statusOf = async (body: unknown, headers: Record<string, string | null> = {}) =>
    (await ann.send('POST', paths.submit, body, headers)).status;
  const refused: [unknown, number][] = [
    [said('p0', 'x'.repeat(1_000_000)), 413],
    [said('p0', 'x'.repeat(10_001)), 400],
    [said('p0', 'a\u0000b'), 400],
    [said('p0', '\ud800'), 400],
    [said('p0\u0000', '1'), 400],
    [said('p0', '1', { note: '\udc00' }), 400],
    [said('p0', '1', { extra: 1 }), 400],
    ['{"__proto__": {"revealed": true}, "promptId": "p0"}', 400],
    ['{"constructor": {"prototype": {}}}', 400],
    [`${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400],
    ['{', 400],
    ['', 400],
    ['null', 400],
    [said('__proto__', '1'), 409],
    [said('p0', '   '), 409],
  ];
  for (const [body, status] of refused) {
    expect(await statusOf(body), JSON.stringify(body).slice(0, 60)).toBe(status);
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await statusOf('promptId=p0', form)).toBe(415);
  const chunked = await fetch(ann.base + paths.submit, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      cookie: ann.cookie ?? '',
      origin: ann.base,
      'x-csrf-token': ann.csrf ?? '',
    },
    body: new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`{"note": "${'x'.repeat(200_000)}"`));
        controller.close();
      },
    }),
    ...{ duplex: 'half' },
  });
  expect(chunked.status).toBe(413);
  expect(({} as Record<string, unknown>).revealed).toBeUndefined();

  const strange = '\u202e<script>alert(1)</script>\u200b\ud83d\ude00';
  await ann.ask('POST', paths.submit, said('p0', strange, { note: strange }));
  expect((await desk.store.desk.annotations('main'))[0]).toMatchObject({
    answer: strange,
    note: strange,
  });
  const admin = await desk.signedIn('admin');
  for (const query of ['limit=1e9', 'before=-1', 'limit=%00']) {
    expect((await admin.send('GET', `${paths.audit}?${query}`)).status, query).toBe(400);
  }
  expect((await admin.send('POST', `${paths.users}/%00/link`, {})).status).toBe(400);
  expect((await admin.send('PATCH', `${paths.users}/__proto__`, { role: 'viewer' })).status).toBe(
    404,
  );
  expect(desk.faults).toEqual([]);
});
