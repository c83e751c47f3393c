/** Generating the pool at a server on this machine: what is asked, kept, paid for and gone on with. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Interrupted } from '../../core/errors.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { answer, chatReply, type Mood, type Stub, startStub } from '../../endpoint/testing/stub.ts';
import type { Prompt } from '../../pool/types.ts';
import { loadConfig } from '../config.ts';
import {
  type EndpointStage,
  type GeneratedPool,
  generatePool,
  spentText,
} from './endpoint-rollouts.ts';

const PROMPTS = 12;
const SAMPLES = 2;
const KEY = 'sk-very-secret-0123';
const prompts = Array.from({ length: PROMPTS }, (_, i): Prompt => {
  return { id: `p${i}`, prompt: `${i} + 1`, source: 's', metadata: {} };
});
/** Three tokens a response. */
const logprobs = [-0.1, -1, -2];
const fine: Mood = (response, { body }) => {
  const one = (i: number) => ({ text: `${body.seed} ${i}`, logprobs });
  answer(response, 200, chatReply(Array.from({ length: body.n ?? 1 }, (_, i) => one(i))));
};
let stub: Stub;
let workspace: string;
let meta: Map<string, unknown>;
let notes: string[];

beforeAll(async () => {
  stub = await startStub(fine);
});
afterAll(() => stub.close());
beforeEach(() => {
  if (workspace !== undefined) rmSync(workspace, { recursive: true, force: true });
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-generate-'));
  [stub.calls, stub.atOnce, stub.mood, notes] = [[], 0, fine, []];
  meta = new Map();
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

function config(...overrides: string[]) {
  const usual = [
    ...['workspace=.', 'rollout.max_tokens=60', `endpoint.url=${stub.url}`],
    ...['endpoint.model=big-model', 'endpoint.retries=0', 'trace.weights=false'],
  ];
  return loadConfig({ cwd: workspace, overrides: [...usual, ...overrides] }).config;
}

function generate(
  overrides: string[] = [],
  more: Partial<EndpointStage> = {},
  samples = SAMPLES,
  of: readonly Prompt[] = prompts,
): Promise<GeneratedPool> {
  const stage: EndpointStage = {
    store: {
      meta: {
        get: async (key) => structuredClone(meta.get(key)),
        put: async (key, value) => void meta.set(key, structuredClone(value)),
      },
    },
    ...{ config: config(...overrides), progress: silent, stop: new AbortController().signal },
    ...{ note: (text: string) => void notes.push(text), backoffMs: 1, ...more },
  };
  return generatePool(stage, of, samples);
}

const path = () => join(workspace, 'rollouts/endpoint.jsonl');
const journal = () => readFileSync(path(), 'utf8');
const lines = () =>
  journal()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a pool', () => {
  test('is asked for in as many calls at once as are allowed, each with a seed of its own', async () => {
    const slow: Mood = (response, call) => void setTimeout(() => fine(response, call), 20);
    stub.mood = slow;
    const { made, spending } = await generate(['endpoint.concurrency=3']);
    expect([made, stub.atOnce]).toEqual([PROMPTS * SAMPLES, 3]);
    expect(new Set(stub.calls.map(({ body }) => body.seed)).size).toBe(PROMPTS);
    expect(spending).toEqual({ calls: 12, promptTokens: 120, completionTokens: 72, spent: 0 });
    const keys = new Set(lines().map(({ id, sample }) => `${id} ${sample}`));
    expect(keys.size).toBe(PROMPTS * SAMPLES);
    expect(lines()[0]).toMatchObject({ finish: 'stop', model: 'big-model', logprobs });
  });

  test('is asked for the same, whatever the order of the calls', async () => {
    await generate(['endpoint.concurrency=1']);
    const seeds = new Map(stub.calls.map(({ body }) => [body.messages?.[0].content, body.seed]));
    rmSync(path());
    stub.calls = [];
    await generate(['endpoint.concurrency=5'], {}, SAMPLES, [...prompts].reverse());
    for (const { body } of stub.calls)
      expect(body.seed).toBe(seeds.get(body.messages?.[0].content));
  });

  test('is gone on with after a stop and after a kill, and nothing is paid for twice', async () => {
    const stopping = new AbortController();
    stub.mood = (response, call) => (call.count === 5 ? stopping.abort() : fine(response, call));
    const few = ['endpoint.concurrency=1'];
    await expect(generate(few, { stop: stopping.signal })).rejects.toThrow(Interrupted);
    expect(lines()).toHaveLength(4 * SAMPLES);
    // A process that is killed leaves half a line at most.
    writeFileSync(path(), `${journal()}{"id":"p9","sam`);
    stub.mood = fine;
    const seen: number[] = [];
    const progress: Progress = { ...silent, update: (done) => void seen.push(done) };
    expect((await generate(few, { progress })).made).toBe((PROMPTS - 4) * SAMPLES);
    expect([seen[0], seen.at(-1)]).toEqual([8, 24]);
    expect(lines()).toHaveLength(PROMPTS * SAMPLES);
    const all = journal();
    expect((await generate(few)).made).toBe(0);
    expect([journal(), stub.calls.length]).toEqual([all, 5 + PROMPTS - 4]);
  });

  test('may want more responses later', async () => {
    await generate();
    expect((await generate([], {}, 5, prompts.slice(0, 2))).made).toBe(6);
    expect(stub.calls.slice(PROMPTS).map(({ body }) => body.n)).toEqual([3, 3]);
    expect(
      lines()
        .filter(({ id }) => id === 'p0')
        .map(({ sample }) => sample),
    ).toEqual([0, 1, 2, 3, 4]);
  });

  test('is not mixed from two endpoints or settings, but begun again with --fresh', async () => {
    await generate();
    const hotter = ['rollout.temperature=0.5'];
    await expect(generate(hotter)).rejects.toThrow(/temperature was 1, now 0.5/);
    await generate(['endpoint.concurrency=1', 'endpoint.price_in=1'], { fresh: true });
    expect(stub.calls).toHaveLength(PROMPTS);
    await generate(hotter, { fresh: true });
    expect([stub.calls.length, lines().length]).toEqual([2 * PROMPTS, PROMPTS * SAMPLES]);
  });
});

describe('an endpoint', () => {
  test('that gives one response a call is asked as often as it takes', async () => {
    stub.mood = (response, call) => fine(response, { ...call, body: { ...call.body, n: 1 } });
    expect((await generate()).made).toBe(PROMPTS * SAMPLES);
    expect(stub.calls.map(({ body }) => body.n)).toEqual(
      Array(PROMPTS).fill([2, 1]).flat().sort().reverse(),
    );
  });

  test('is asked for one at a time where responses are greedy, or where that is set', async () => {
    await generate(['rollout.temperature=0']);
    expect(new Set(stub.calls.map(({ body }) => body.n))).toEqual(new Set([1]));
    rmSync(join(workspace, 'rollouts'), { recursive: true });
    stub.calls = [];
    await generate(['endpoint.samples_per_call=3'], {}, 5);
    expect(stub.calls.map(({ body }) => body.n).filter((n) => n === 3)).toHaveLength(PROMPTS);
  });

  test('is never paid more than its budget', async () => {
    // A call may cost 2 x 60 tokens, and costs 6.
    const priced = ['endpoint.price_out=1000000', 'endpoint.concurrency=4'];
    const all = await generate([...priced, 'endpoint.budget=500']);
    expect([all.spending.spent, all.unpaid]).toEqual([6 * PROMPTS, 0]);
    expect(spentText(all.spending, config(...priced, 'endpoint.budget=500'))).toMatch(
      /, 72 of 500$/,
    );
    rmSync(path());
    // With 120 set aside for each call, 220 allows for calls until more than 100 is spent.
    const some = await generate([...priced, 'endpoint.budget=220']);
    expect([some.spending.spent, some.unpaid, some.made]).toEqual([102, 14, 10]);
    rmSync(path());
    await expect(generate([...priced, 'endpoint.budget=200'])).rejects.toThrow(/budget allows for/);
    expect(stub.calls).toHaveLength(PROMPTS + 5);
  });

  test('that does not answer is not paid; one that was cut off is', async () => {
    const priced = ['endpoint.price_out=1000000', 'endpoint.concurrency=1'];
    stub.mood = (response) => answer(response, 500, {});
    await expect(generate(priced)).rejects.toThrow(/HTTP 500/);
    expect(meta.get('endpoint_spending')).toMatchObject({ spent: 0, calls: 0 });
    const stopping = new AbortController();
    stub.mood = () => stopping.abort();
    await expect(generate(priced, { stop: stopping.signal })).rejects.toThrow(Interrupted);
    expect(meta.get('endpoint_spending')).toMatchObject({ spent: 120, calls: 0 });
  });

  test('that is down is told after a few prompts, and what came is kept', async () => {
    stub.mood = (response, call) =>
      call.count <= 2 ? fine(response, call) : answer(response, 502, {});
    await expect(generate(['endpoint.concurrency=1'])).rejects.toThrow(/HTTP 502/);
    expect([stub.calls.length, lines().length]).toEqual([5, 2 * SAMPLES]);
    stub.mood = fine;
    expect((await generate()).made).toBe((PROMPTS - 2) * SAMPLES);
  });

  test('is called again after trouble, and left alone for as long as it asks', async () => {
    stub.mood = (response, call) => {
      if (call.count === 1) answer(response, 503, {});
      else if (call.count === 2) answer(response, 429, {}, { 'retry-after': '0.05' });
      else fine(response, call);
    };
    expect((await generate(['endpoint.retries=2'])).made).toBe(PROMPTS * SAMPLES);
    expect(stub.calls).toHaveLength(PROMPTS + 2);
  });

  test('may refuse a prompt or a response, which the others do not suffer from', async () => {
    stub.mood = (response, call) => {
      const asked = call.body.messages?.[0].content;
      if (asked === '3 + 1') answer(response, 400, { error: { code: 'content_filter' } });
      else if (asked === '4 + 1') {
        const cut = { text: 'x', logprobs, finish: 'content_filter' };
        answer(response, 200, chatReply([{ text: 'fine', logprobs }, cut]));
      } else fine(response, call);
    };
    const { made, refused } = await generate();
    expect([made, refused.count]).toEqual([PROMPTS * SAMPLES - 3, 2]);
    expect(refused.reasons.join()).toMatch(/HTTP 400/);
    stub.mood = (response) => answer(response, 400, { error: { code: 'content_filter' } });
    rmSync(path());
    await expect(generate()).rejects.toThrow(/none \(HTTP 400/);
  });

  test('that gives no log-probabilities is of no use without weights', async () => {
    stub.mood = (response) => answer(response, 200, chatReply([{ text: 'a' }, { text: 'b' }]));
    await expect(generate(['endpoint.concurrency=1'])).rejects.toThrow(/log-probabilities/);
    expect(stub.calls).toHaveLength(1);
    expect((await generate(['trace.weights=true'], { fresh: true })).made).toBe(24);
  });

  test('ends the command where no call can succeed', async () => {
    stub.mood = (response) => answer(response, 401, { error: 'who are you' });
    await expect(generate(['endpoint.concurrency=2'])).rejects.toThrow(/HTTP 401.*who are you/);
    expect(stub.calls.length).toBeLessThanOrEqual(2);
  });

  test('gets a key from the environment, which is found nowhere else', async () => {
    const named = ['endpoint.key_env=PIVOTTRACE_TEST_ENDPOINT_KEY'];
    await expect(generate(named)).rejects.toThrow(/PIVOTTRACE_TEST_ENDPOINT_KEY/);
    expect(stub.calls).toEqual([]);
    process.env.PIVOTTRACE_TEST_ENDPOINT_KEY = KEY;
    try {
      const done = await generate(named);
      const asked = readFileSync(`${path()}.asked.json`, 'utf8');
      const kept = `${JSON.stringify([...meta])}${journal()}${asked}${JSON.stringify(done)}`;
      expect(kept).not.toContain(KEY);
    } finally {
      delete process.env.PIVOTTRACE_TEST_ENDPOINT_KEY;
    }
    expect(stub.calls[0].key).toBe(`Bearer ${KEY}`);
  });

  test('that is not set, or would be sent other prompts than are traced, is not called', async () => {
    await expect(generate(['endpoint.url=null'])).rejects.toThrow(/endpoint\.url/);
    await expect(generate(['endpoint.model=null'])).rejects.toThrow(/endpoint\.model/);
    const traced = 'trace.weights=true';
    await expect(generate(['endpoint.api=completions', traced])).rejects.toThrow(/chat=never/);
    await expect(generate(['rollout.chat=never', traced])).rejects.toThrow(/chat=auto/);
    const messages: Prompt = { ...prompts[0], prompt: [{ role: 'user', content: 'x' }] };
    const text = ['endpoint.api=completions'];
    await expect(generate(text, {}, 1, [messages])).rejects.toThrow(/plain text/);
    expect([stub.calls.length, existsSync(path())]).toEqual([0, false]);
  });
});
