/** Server-sent events through real HTTP. */
import { expect, test, vi } from 'vitest';
import { Live } from './live.ts';
import { type Browser, openTestDesk } from './testing/desk.ts';
import { liveEvent, paths } from './wire.ts';

vi.setConfig({ testTimeout: 300_000 });

/** What a page hears: topics in order; `ended` once the server has ended the stream. */
async function listener(browser: Browser) {
  const response = await browser.send('GET', paths.live);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const heard: string[] = [];
  const waiting = new Set<() => void>();
  let ended = false;
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    let text = '';
    for (;;) {
      const chunk = await reader?.read().catch(() => undefined);
      if (chunk?.value === undefined) break;
      text += chunk.value;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        if (event.startsWith('data: ')) {
          heard.push(liveEvent.parse(JSON.parse(event.slice('data: '.length))).topic);
        }
      }
      for (const wake of waiting) wake();
    }
    ended = true;
    for (const wake of waiting) wake();
  };
  void read();
  const until = (met: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!met()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    heard,
    hears: (topic: string) => until(() => heard.includes(topic)),
    ends: () => until(() => ended),
    close: () => reader?.cancel(),
  };
}

test('a page hears that somebody labelled, and of what other processes write', async () => {
  const desk = await openTestDesk({ prompts: 2 });
  const viewer = await desk.signedIn('viewer');
  const page = await listener(viewer);
  const ann = await desk.signedIn('annotator');
  await page.hears('users');
  await ann.ask('POST', paths.next, {});
  const answer = { promptId: 'p0', kind: 'answer', answer: '1', note: '', revealed: false };
  await ann.ask('POST', paths.submit, answer);
  await Promise.all([page.hears('queue'), page.hears('labels')]);
  expect(page.heard).not.toContain('runs');
  await desk.store.runs.put({
    ...{ name: 'a', kind: 'train', status: 'running', plan: null, account: null },
    ...{ config: {}, summary: null },
  });
  await page.hears('runs');
  await page.close();
  expect(desk.faults).toEqual([]);
});

test('a stream ends with its session, and when the server stops', async () => {
  const desk = await openTestDesk();
  const [first, second] = [await desk.signedIn('viewer', 'A'), await desk.signedIn('viewer', 'B')];
  const [one, other] = [await listener(first), await listener(second)];
  await first.ask('DELETE', paths.session);
  await one.ends();
  const a = (await desk.store.users.list()).find(({ name }) => name === 'B');
  // By another process: the database alone says so.
  await desk.store.users.change(a?.id ?? '', { disabled: true });
  await other.ends();
  const third = await listener(await desk.signedIn('viewer', 'C'));
  await desk.server.close();
  await third.ends();
});

test('a session has a few streams at most, and one that went away makes room', async () => {
  const desk = await openTestDesk();
  const viewer = await desk.signedIn('viewer');
  const pages = [];
  for (let i = 0; i < 6; i++) pages.push(await listener(viewer));
  expect((await viewer.send('GET', paths.live)).status).toBe(429);
  await pages[0].close();
  await vi.waitFor(
    async () => {
      const response = await viewer.send('GET', paths.live);
      expect(response.status).toBe(200);
      await response.body?.cancel();
    },
    { timeout: 60_000 },
  );
});

test('a reader that does not read is cut off, and costs no memory', async () => {
  let turn = 0;
  const live = new Live({
    fingerprints: async () => ({ queue: String(turn++), labels: '', runs: '', users: '' }),
    alive: async (sessions) => new Set(sessions),
    onFault: (error) => expect.unreachable(String(error)),
    pollMs: 1,
  });
  live.open('deaf');
  await vi.waitFor(() => expect(live.size).toBe(0), { timeout: 60_000 });
  expect(turn).toBeGreaterThan(30);
  await live.close();
});
