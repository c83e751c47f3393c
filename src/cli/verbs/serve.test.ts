/** `serve` from its start to Ctrl-C, and the links that it prints. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { silent } from '../../core/progress.ts';
import { openStore } from '../../store/store.ts';
import { promptRow } from '../../store/testing/rows.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import { loadConfig } from '../config.ts';
import { serve } from './serve.ts';

// Each starts a server or more, with its verifiers and its page.
vi.setConfig({ testTimeout: 600_000 });

const password = 'correct horse battery';

interface Said {
  text: string;
  data: Readonly<Record<string, unknown>>;
}

/** Runs the verb; `said` tells what it has printed as its result, once it has. */
function running(
  workspace: string,
  flags: Record<string, unknown> = {},
  settings: readonly string[] = ['serve.port=0'],
) {
  const overrides = [`workspace=${workspace}`, ...settings];
  const { config } = loadConfig({ cwd: workspace, overrides });
  const stop = new AbortController();
  const notes: string[] = [];
  let tell: (said: Said) => void = () => {};
  const said = new Promise<Said>((resolve) => {
    tell = resolve;
  });
  const output = {
    ...{ json: false, progress: silent },
    note: (text: string) => void notes.push(text),
    result: (text: string, data: Readonly<Record<string, unknown>>) => tell({ text, data }),
  };
  const ended = serve.run({
    ...{ config, database: undefined, configFile: undefined, overrides, operands: [] },
    ...{ flags, cwd: workspace, output, stop: stop.signal },
  });
  return {
    // A verb that fails says nothing.
    said: () => Promise.race([said, ended.then(() => said)]),
    ...{ ended, notes },
    stop: () => stop.abort(),
  };
}

async function accept(url: string, link: unknown, more: object): Promise<Response> {
  const token = String(link).split('#')[1];
  return await fetch(`${url}/api/invitations/accept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ token, ...more }),
  });
}

test('the first start makes an admin by link; links are made while it runs; a stop ends it', async () => {
  const workspace = await freshWorkspace();
  const store = await openStore(workspace);
  await store.prompts.add([promptRow(0)]);
  await store.close();
  const first = running(workspace);
  const { text, data } = await first.said();
  const url = String(data.url);
  expect(text).toContain(`at ${url} (0 questions open)`);
  expect(text).toContain('Make yourself the first admin');
  expect(data.link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/join#[\w-]{43}$/);
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<script type="module" src="/assets/main-');
  expect((await accept(url, data.link, { name: 'Ada', password })).status).toBe(200);

  const port = [`serve.port=${data.port}`];
  const invited = await running(workspace, { invite: 'annotator', name: 'Bob' }, port).said();
  const bob = await accept(url, invited.data.link, { password });
  expect(await bob.json()).toMatchObject({ user: { name: 'Bob', role: 'annotator' } });
  const again = await running(workspace, { signIn: 'ada' }, port).said();
  expect(await (await accept(url, again.data.link, {})).json()).toMatchObject({
    user: { name: 'Ada', role: 'admin' },
  });
  const wrong = running(workspace, { invite: 'owner' }, port);
  await expect(wrong.ended).rejects.toThrow(/a role: admin, annotator, viewer/);
  const nobody = running(workspace, { signIn: 'Eve' }, port);
  await expect(nobody.ended).rejects.toThrow(/only Ada, Bob/);

  first.stop();
  await first.ended;
  await expect(fetch(url)).rejects.toThrow();
  expect(first.notes).toEqual([]);
});

test('a later start signs the first admin in by link, or prints none; known answers are put up', async () => {
  const workspace = await freshWorkspace();
  const store = await openStore(workspace);
  await store.prompts.add([promptRow(0)]);
  await store.users.add({
    ...{ id: 'a', name: 'Ada', nameKey: 'ada', role: 'admin', kind: 'person' },
    ...{ disabled: false, createdAt: 0, password: null },
  });
  await store.close();
  const second = running(workspace);
  const later = await second.said();
  expect(later.text).toContain('Sign in once as Ada');
  const back = await accept(String(later.data.url), later.data.link, {});
  expect(await back.json()).toMatchObject({ user: { name: 'Ada' } });
  second.stop();
  await second.ended;
  const known = join(workspace, 'known.jsonl');
  writeFileSync(known, '{"id": "p0", "answer": "1"}\n');
  const third = running(workspace, { link: false, gold: known });
  expect((await third.said()).data.link).toBe(null);
  third.stop();
  await third.ended;
  const after = await openStore(workspace);
  expect(await after.desk.gold('main', 'p0')).toBe('1');
  await after.close();
});

test('a teacher has a name of its own', async () => {
  const workspace = await freshWorkspace();
  const settings = ['serve.port=0', 'label.source=teacher', 'teacher.name=oracle'];
  const first = running(workspace, {}, settings);
  const { port } = (await first.said()).data;
  const person = running(workspace, { invite: 'viewer', name: 'Oracle' }, [`serve.port=${port}`]);
  await expect(person.ended).rejects.toThrow(/a user called "Oracle" already/);
  first.stop();
  await first.ended;
  const again = running(workspace, {}, settings);
  await again.said();
  again.stop();
  await again.ended;
});

test('another address than loopback needs a name under which people come', async () => {
  const workspace = await freshWorkspace();
  const open = running(workspace, {}, ['serve.port=0', 'serve.host=0.0.0.0']);
  await expect(open.ended).rejects.toThrow(/serve\.origin/);
  expect(() => running(workspace, {}, ['serve.origin=https://x.org/path'])).toThrow(
    /serve\.origin/,
  );
});
