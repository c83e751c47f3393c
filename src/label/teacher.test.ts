/** A teacher that is a server on this machine, with all its moods. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { paceOf } from '../endpoint/pace.ts';
import { PIXEL } from '../pool/testing/images.ts';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { inlineVerifier } from '../verify/testing/inline.ts';
import { openTeacher, type TeacherParts, type TeacherSettings } from './teacher.ts';
import { openTeacherBooks } from './teacher-books.ts';
import { type EndpointSettings, endpoint } from './teacher-client.ts';
import type { LiveSource } from './types.ts';

const KEY = 'sk-very-secret-0123';
const verifier = await inlineVerifier({ kind: 'math' });
const bodySchema = z.object({
  model: z.string(),
  messages: z.array(
    z.object({ role: z.string(), content: z.union([z.string(), z.array(z.unknown())]) }),
  ),
  temperature: z.number(),
  max_tokens: z.number(),
});

interface Call {
  body: z.infer<typeof bodySchema>;
  key: string | undefined;
  path: string | undefined;
}
type Mood = (response: ServerResponse, call: Call, count: number) => void;

let server: Server;
let url: string;
let mood: Mood;
let calls: Call[];
let atOnce: number;
let most: number;

function heard(request: IncomingMessage, response: ServerResponse): void {
  let text = '';
  request.on('data', (part) => {
    text += part;
  });
  request.on('end', () => {
    const call = {
      ...{ body: bodySchema.parse(JSON.parse(text)), path: request.url },
      key: request.headers.authorization,
    };
    calls.push(call);
    most = Math.max(most, ++atOnce);
    response.on('close', () => atOnce--);
    mood(response, call, calls.length);
  });
}

const json = (response: ServerResponse, status: number, value: unknown, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
};
const completion = (content: string | null, more: object = {}) => ({
  choices: [{ message: { role: 'assistant', content, ...more }, finish_reason: 'stop' }],
});
const says =
  (content: string): Mood =>
  (response) =>
    json(response, 200, completion(content));
/** The sum that promptRow asks for. */
const right: Mood = (response, { body }) => {
  const asked = /What is (\d+) \+ 1/.exec(JSON.stringify(body.messages.at(-1)?.content));
  json(response, 200, completion(`It is \\boxed{${Number(asked?.[1]) + 1}}.`));
};
/** These moods in turn, then the right answer. */
const first =
  (...moods: Mood[]): Mood =>
  (response, call, count) =>
    (moods[count - 1] ?? right)(response, call, count);

let store: Store;
let account: string;
let accounts = 0;
let notes: string[];
let open: LiveSource[];
beforeAll(async () => {
  store = await openStore(await freshWorkspace());
  await store.prompts.add(Array.from({ length: 20 }, (_, i) => promptRow(i)));
  server = createServer(heard);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}/v1`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
});
beforeEach(() => {
  account = `arm ${accounts++}`;
  [calls, notes, open, atOnce, most] = [[], [], [], 0, 0];
  mood = right;
});
afterEach(async () => {
  for (const one of open) await one.close();
});

interface More {
  endpoint?: Partial<EndpointSettings>;
  teacher?: Partial<TeacherSettings>;
  parts?: Partial<TeacherParts>;
  budget?: number | null;
}

function teacherOf({ budget = null, ...more }: More = {}): LiveSource {
  const usual = { url, model: 'oracle', key: KEY, temperature: 0, maxTokens: 100 };
  const teacher = openTeacher(
    {
      ...{ name: 'oracle-7b', price: 0.5, samples: 1, concurrency: 2, retries: 3 },
      ...{ instruction: 'Box it.', images: false, labelBudget: null, backoffMs: 1 },
      ...more.teacher,
    },
    {
      ...{ store, pace: paceOf(0), note: (text) => notes.push(text) },
      ask: endpoint({ ...usual, timeoutMs: 10_000, ...more.endpoint }),
      books: openTeacherBooks(store, account, 'oracle-7b', budget),
      verifierOf: async () => verifier,
      ...more.parts,
    },
  );
  open.push(teacher);
  return teacher;
}

const wishes = (...ids: string[]) =>
  ids.map((promptId) => ({ promptId, utility: 0.2, reason: 'group_disagrees' }));
const buyer = () => ({ account, run: 'r', step: 3 });
const owned = () => store.labels.owned(account);

/** Asks and waits until all calls are over. */
async function ask(teacher: LiveSource, ...ids: string[]): Promise<void> {
  await teacher.put(wishes(...ids), buyer());
  await teacher.idle();
}

describe('a teacher', () => {
  test('labels under its name, at its price, with the answer that we read', async () => {
    await ask(teacherOf(), 'p1', 'p2');
    const base = { source: 'oracle-7b', cost: 0.5, run: 'r', step: 3 };
    expect((await owned()).sort((a, b) => (a.promptId < b.promptId ? -1 : 1))).toEqual([
      { promptId: 'p1', answer: '2', ...base },
      { promptId: 'p2', answer: '3', ...base },
    ]);
    expect(calls[0]).toMatchObject({ path: '/v1/chat/completions', key: `Bearer ${KEY}` });
    expect(calls[0].body).toEqual({
      ...{ model: 'oracle', temperature: 0, max_tokens: 100 },
      messages: [{ role: 'user', content: 'What is 1 + 1?\n\nBox it.' }],
    });
  });

  test('is asked about no prompt twice, nor about one that has a label', async () => {
    const teacher = teacherOf();
    await ask(teacher, 'p1');
    await ask(teacher, 'p1');
    await ask(teacherOf(), 'p1');
    expect(calls).toHaveLength(1);
  });

  test('is shown images where it can see, and is not asked otherwise', async () => {
    const content = [
      { type: 'text', text: 'What is 1 + 1 dots?' } as const,
      { type: 'image_url', image_url: { url: PIXEL } } as const,
    ];
    const prompt = [{ role: 'user' as const, content }];
    await store.prompts.add([{ id: 'seen', prompt, source: 'test', metadata: {} }]);
    const blind = teacherOf();
    await ask(blind, 'seen');
    expect(calls).toEqual([]);
    expect(await blind.refused(['seen'])).toEqual(['seen']);
    await ask(teacherOf({ teacher: { images: true } }), 'seen');
    expect(calls[0].body).toMatchObject({
      messages: [{ role: 'user', content: [...content, { type: 'text', text: 'Box it.' }] }],
    });
  });

  test('may say nothing but the answer', async () => {
    mood = says(' 2 ');
    await ask(teacherOf(), 'p1');
    expect(await owned()).toMatchObject([{ answer: '2' }]);
  });

  test('needs no key, and takes the address of the completions too', async () => {
    await ask(teacherOf({ endpoint: { key: null, url: `${url}/chat/completions/` } }), 'p1');
    expect(calls[0]).toMatchObject({ path: '/v1/chat/completions', key: undefined });
    for (const wrong of ['host/v1', 'ftp://host/v1', ''])
      expect(() => teacherOf({ endpoint: { url: wrong } })).toThrow(/teacher\.url/);
  });

  test('gives the answer that more than half of its samples agree on', async () => {
    mood = first(says('\\boxed{1/2}'), says('\\boxed{7}'), says('\\boxed{0.5}'));
    await ask(teacherOf({ teacher: { samples: 3 } }), 'p1');
    expect(await owned()).toMatchObject([{ answer: '1/2', cost: 1.5 }]);
    mood = first(...calls.map(() => right), says('\\boxed{1}'), says('\\boxed{2}'));
    const torn = teacherOf({ teacher: { samples: 2 } });
    await ask(torn, 'p2');
    expect(await torn.refused(['p1', 'p2'])).toEqual(['p2']);
  });

  test('gets no more calls at once than it may', async () => {
    mood = (response, call, count) => void pause(20).then(() => right(response, call, count));
    const ids = Array.from({ length: 8 }, (_, i) => `p${i}`);
    await ask(teacherOf({ teacher: { concurrency: 3 } }), ...ids);
    expect([most, (await owned()).length]).toEqual([3, 8]);
  });

  test('stops when it is closed, in the middle of a call', async () => {
    mood = () => {};
    const teacher = teacherOf();
    await teacher.put(wishes('p1', 'p2', 'p3'), buyer());
    while (calls.length < 2) await pause(5);
    await teacher.close();
    expect(await owned()).toEqual([]);
    expect(calls).toHaveLength(2);
  });
});

describe('no label comes of', () => {
  test.each<[string, Mood]>([
    ['an answer that is none', says('I would rather not say.')],
    ['a guess without a mark', says('Let me see. There are 4 apples and 5 pears here, maybe.')],
    ['an empty answer', says('  ')],
    ['no answer', (response) => json(response, 200, completion(null))],
    [
      'a refusal',
      (response) => json(response, 200, completion(null, { refusal: 'I cannot help with that' })),
    ],
    [
      'an answer that was cut off',
      (response) =>
        json(response, 200, {
          choices: [{ message: { content: 'so \\boxed{3} and' }, finish_reason: 'length' }],
        }),
    ],
    ['an endless answer', (response) => response.end('x'.repeat(5 * 2 ** 20))],
    [
      'a question that is too long for the model',
      (response) => json(response, 400, { error: { code: 'context_length_exceeded' } }),
    ],
  ])('%s, and it is not asked again', async (_, sulk) => {
    mood = sulk;
    const teacher = teacherOf();
    await ask(teacher, 'p1');
    expect(await owned()).toEqual([]);
    expect(await teacher.refused(['p1', 'p2'])).toEqual(['p1']);
    const later = teacherOf();
    await ask(later, 'p1');
    expect(await later.refused(['p1'])).toEqual(['p1']);
    expect(calls).toHaveLength(1);
  });
});

describe('a call is made again after', () => {
  test.each<[string, Mood]>([
    ['HTTP 500', (response) => json(response, 500, { error: 'oh' })],
    ['HTTP 503 without a word', (response) => response.writeHead(503).end()],
    ['a dropped connection', (response) => void response.socket?.destroy()],
    [
      'a connection dropped in the middle of an answer',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"choices"', () => response.socket?.destroy());
      },
    ],
    ['garbage', (response) => response.end('<html>\u001b[2J</html>')],
    ['JSON of another shape', (response) => json(response, 200, { choices: [] })],
  ])('%s', async (_, trouble) => {
    mood = first(trouble, trouble);
    await ask(teacherOf(), 'p1');
    expect(await owned()).toMatchObject([{ answer: '2' }]);
    expect(calls).toHaveLength(3);
    expect(notes).toEqual([]);
  });

  test('an answer that takes too long', async () => {
    mood = first(() => {});
    await ask(teacherOf({ endpoint: { timeoutMs: 100 } }), 'p1');
    expect(await owned()).toHaveLength(1);
    expect(calls.length).toBeGreaterThan(1);
  });

  test('as long as the endpoint asks for, and nobody else asks meanwhile', async () => {
    const rests: number[] = [];
    const busy: Mood = (response) => json(response, 429, {}, { 'retry-after': '17' });
    mood = first(busy);
    const pace = { turn: async () => {}, rest: (ms: number) => void rests.push(ms) };
    await ask(teacherOf({ parts: { pace } }), 'p1');
    expect(rests).toEqual([17_000]);
    expect(notes).toEqual(['The teacher oracle-7b asks to be left alone for 17 s.']);
    expect(await owned()).toHaveLength(1);
  });

  test('a date that is over already', async () => {
    const date = new Date(0).toUTCString();
    mood = first((response) => json(response, 429, {}, { 'retry-after': date }));
    await ask(teacherOf(), 'p1');
    expect(await owned()).toHaveLength(1);
  });
});

describe('an endpoint that is down', () => {
  test('is given up after its retries, which is told once, and costs nothing', async () => {
    mood = (response) => json(response, 502, {});
    const teacher = teacherOf({ teacher: { concurrency: 1, retries: 1 }, budget: 1 });
    const ids = ['p1', 'p2', 'p3', 'p4', 'p5'];
    await ask(teacher, ...ids);
    // Three questions in a row: then the others are spared.
    expect(calls).toHaveLength(6);
    expect(notes).toEqual(['The teacher oracle-7b does not answer: HTTP 502.']);
    expect(await teacher.refused(ids)).toEqual([]);
    expect(await openTeacherBooks(store, account, 'oracle-7b', 1).spent()).toBe(0);
    mood = right;
    await ask(teacher, ...ids.slice(0, 2));
    expect(await owned()).toHaveLength(2);
  });

  test.each([401, 403, 404, 422])(
    'for good (HTTP %i) stops all, and does not tell the key',
    async (status) => {
      mood = (response) => json(response, status, { error: `no such key ${KEY}\u202e` });
      const teacher = teacherOf();
      const failed = await ask(teacher, 'p1', 'p2').catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(UserError);
      expect(String(failed)).toContain(`HTTP ${status}`);
      expect(String(failed)).toContain('***');
      expect(String(failed)).not.toContain(KEY);
      expect(String(failed)).not.toContain('\u202e');
      await expect(teacher.refused(['p1'])).rejects.toThrow(UserError);
      expect(calls.length).toBeLessThanOrEqual(2);
      expect(await owned()).toEqual([]);
    },
  );

  test('a redirect is not followed: the key stays here', async () => {
    mood = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    await ask(teacherOf({ teacher: { retries: 0 } }), 'p1');
    expect(calls).toHaveLength(1);
    expect(notes).toHaveLength(1);
  });
});

describe('money', () => {
  test('is never spent beyond the budget, by several processes either', async () => {
    const teachers = [1, 2, 3].map(() => teacherOf({ budget: 2 }));
    const ids = Array.from({ length: 15 }, (_, i) => `p${i}`);
    await Promise.all(teachers.map((one, i) => ask(one, ...ids.slice(5 * i, 5 * i + 5))));
    expect(calls).toHaveLength(4);
    expect(await owned()).toHaveLength(4);
    const refused = (await Promise.all(teachers.map((one) => one.refused(ids)))).flat();
    expect(refused).toHaveLength(11);
    expect(await openTeacherBooks(store, account, 'oracle-7b', 2).spent()).toBe(2);
    expect(notes.length).toBeGreaterThan(0);
  });

  test('is spent on questions without an answer too', async () => {
    mood = says('no idea');
    await ask(teacherOf({ budget: 1 }), 'p1', 'p2', 'p3');
    expect(calls).toHaveLength(2);
  });

  test('buys no more labels than the account may hold', async () => {
    const teacher = teacherOf({ teacher: { labelBudget: 2, concurrency: 4 } });
    await ask(teacher, 'p1', 'p2', 'p3', 'p4');
    expect(await owned()).toHaveLength(2);
    expect(await teacher.refused(['p1', 'p2', 'p3', 'p4'])).toHaveLength(2);
  });
});

test('calls are spread over a minute, and none starts while the endpoint rests', async () => {
  let now = 0;
  const pace = paceOf(600, () => now);
  const never = new AbortController().signal;
  await pace.turn(never);
  let turns = 0;
  const second = pace.turn(never).then(() => turns++);
  await pause(5);
  expect(turns).toBe(0);
  now = 100;
  await second;
  pace.rest(60_000);
  const stop = new AbortController();
  const third = pace.turn(stop.signal);
  stop.abort();
  await expect(third).rejects.toThrow();
});
