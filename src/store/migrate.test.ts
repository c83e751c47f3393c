import { expect, test, vi } from 'vitest';
import { makeFolders } from '../core/files.ts';
import type { Transition } from '../triage/types.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { storeOn } from './store.ts';
import { promptRow } from './testing/rows.ts';
import { freshPath } from './testing/workspace.ts';

vi.setConfig({ testTimeout: 240_000 });

test('migrations count from 1 without gaps', () => {
  expect(migrations.map(({ id }) => id)).toEqual(migrations.map((_, i) => i + 1));
});

test('a database of the first version keeps its rows, and files routes of runs from then on', async () => {
  const workspace = freshPath();
  makeFolders(workspace);
  const engine = await openDatabase(workspace);
  await migrate(engine, migrations.slice(0, 1));
  const { id, prompt, source } = promptRow(0);
  await engine.query('insert into prompts values ($1, 0, $2, $3, $4)', [
    id,
    JSON.stringify(prompt),
    source,
    '{}',
  ]);
  await engine.query("insert into plans values ('main', 3, $1)", ['{}']);
  await engine.query("insert into routes values ('main', $1, 'self')", [id]);
  await engine.query(
    `insert into transitions values (0, 'main', 3, $1, 0, -1, 'new', 'self', 'quota:self', '{}')`,
    [id],
  );
  const orphan = `insert into routes values ('nobody', '${id}', 'self')`;
  await expect(engine.query(orphan, [])).rejects.toThrow();

  const store = await storeOn(engine, () => undefined);
  const planned: Transition = {
    ...{ promptId: id, from: 'new', to: 'self', rule: 'quota:self', evidence: {} },
    ...{ plan: 'main', round: 0, step: null },
  };
  expect(await store.transitions.of('main')).toEqual([planned]);
  expect(await store.transitions.append([planned])).toBe(0);
  expect(await store.transitions.append([{ ...planned, plan: 'run a', step: 2 }])).toBe(1);
  expect(await store.transitions.routes('run a')).toEqual(new Map([[id, 'self']]));
  expect(await store.transitions.routes('main')).toEqual(new Map([[id, 'self']]));
  await store.close();
});

test('the decisions of a saved plan move into pages, as they were written', async () => {
  const workspace = freshPath();
  makeFolders(workspace);
  const engine = await openDatabase(workspace);
  await migrate(engine, migrations.slice(0, 6));
  const decisions = Array.from({ length: 1_001 }, (_, i) => ({
    ...{ prompt_id: `p"${i}`, score: 1 / (i + 1), evidence: { vote: 1e-7, 'a b': [true, null] } },
  }));
  const body = { version: 1, name: 'caf\u00e9 "x"', warnings: ['\u0001'], decisions };
  for (const [name, value] of [
    ['main', body],
    ['empty', { decisions: [] }],
    ['none', { decisions: 3 }],
    ['list', [1]],
  ]) {
    await engine.query('insert into plans values ($1, 2, $2)', [name, JSON.stringify(value)]);
  }
  const store = await storeOn(engine, () => undefined);
  let text = '';
  for await (const piece of store.plans.text('main')) text += piece;
  expect(text).toBe(JSON.stringify(body));
  expect(await store.plans.get('main')).toEqual({ revision: 2, body });
  expect(await store.plans.get('empty')).toEqual({ revision: 2, body: { decisions: [] } });
  expect(await store.plans.get('none')).toEqual({ revision: 2, body: { decisions: 3 } });
  expect(await store.plans.get('list')).toEqual({ revision: 2, body: [1] });
  // What is saved again is the same plan.
  expect(await store.plans.save('main', body)).toBe(2);
  expect(await store.plans.save('empty', { decisions: [] })).toBe(2);
  await store.close();
});
