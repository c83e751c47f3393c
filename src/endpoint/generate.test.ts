/** Generating at a server that behaves like vLLM, and like everything else that a network has in store. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { type GenerateSettings, generator } from './generate.ts';
import { Passing } from './http.ts';
import { answer, chatReply, type Mood, type Stub, startStub, textReply } from './testing/stub.ts';

const KEY = 'sk-very-secret-0123';
const never = new AbortController().signal;
const fine: Mood = (response) => answer(response, 200, chatReply([{ text: 'yes' }]));
let stub: Stub;

beforeAll(async () => {
  stub = await startStub(fine);
});
afterAll(() => stub.close());
beforeEach(() => {
  stub.calls = [];
  stub.mood = fine;
});

function ask(more: Partial<GenerateSettings> = {}, count = 1, stop = never) {
  const generate = generator({
    ...{ url: stub.url, model: 'm', key: KEY, timeoutMs: 5000, api: 'chat', extra: {} },
    ...{ temperature: 0.7, topP: 1, topK: 0, minP: 0, maxTokens: 64, stop: [], topLogprobs: null },
    ...more,
  });
  return generate({ prompt: 'What is 1 + 1?', count, seed: 3 }, stop);
}

const thrown = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('a request', () => {
  test('is what chat completions take, and nothing that was not asked for', async () => {
    await ask({}, 4);
    expect(stub.calls[0]).toMatchObject({ path: '/v1/chat/completions', key: `Bearer ${KEY}` });
    expect(stub.calls[0].body).toEqual({
      ...{ model: 'm', messages: [{ role: 'user', content: 'What is 1 + 1?' }], n: 4, seed: 3 },
      ...{ temperature: 0.7, top_p: 1, max_tokens: 64 },
    });
  });

  test('has what was set, and extra keys over all of it', async () => {
    const extra = { seed: null, chat_template_kwargs: { enable_thinking: false } };
    await ask({ topLogprobs: 5, topK: 20, minP: 0.1, stop: ['\n\n'], extra, key: null });
    expect(stub.calls[0].key).toBeUndefined();
    expect(stub.calls[0].body).toMatchObject({
      ...{ logprobs: true, top_logprobs: 5, top_k: 20, min_p: 0.1, stop: ['\n\n'] },
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(stub.calls[0].body).not.toHaveProperty('seed');
  });

  test('of plain completions has the text as it is', async () => {
    stub.mood = (response) => answer(response, 200, textReply([{ text: ' 2' }]));
    const { responses } = await ask({ api: 'completions', topLogprobs: 2 });
    expect(responses).toMatchObject([{ text: ' 2' }]);
    expect(stub.calls[0].path).toBe('/v1/completions');
    expect(stub.calls[0].body).toMatchObject({ prompt: 'What is 1 + 1?', logprobs: 2 });
    expect(stub.calls[0].body).not.toHaveProperty('messages');
  });
});

describe('a reply', () => {
  const said = [
    {
      text: 'two',
      logprobs: [-0.1, -2],
      top: [
        [-0.1, -3],
        [-0.2, -2],
      ],
    },
    { text: 'three is', logprobs: [-1], finish: 'length' },
  ];
  test.each([
    ['chat', chatReply(said)],
    ['completions', textReply(said)],
  ] as const)(
    'of %s: texts, log-probabilities, how they ended, what they cost',
    async (api, body) => {
      stub.mood = (response) => answer(response, 200, body);
      expect(await ask({ api, topLogprobs: 2 }, 2)).toEqual({
        responses: [
          { ...said[0], tokens: null, finish: 'stop' },
          { text: 'three is', logprobs: [-1], top: null, tokens: null, finish: 'length' },
        ],
        refused: [],
        usage: { promptTokens: 10, completionTokens: 3 },
      });
    },
  );

  test('may have token ids, no usage, and fewer or more responses than were asked for', async () => {
    const [choice] = chatReply([{ text: 'a' }]).choices;
    const choices = [1, 2, 3].map((id) => ({ ...choice, token_ids: [id, 7] }));
    stub.mood = (response) => answer(response, 200, { choices, usage: { prompt_tokens: 'x' } });
    const few = await ask({}, 2);
    expect(few.responses.map(({ tokens }) => tokens)).toEqual([
      [1, 7],
      [2, 7],
    ]);
    expect(few.usage).toBeNull();
    expect((await ask({}, 5)).responses).toHaveLength(3);
  });

  test('tells which responses are none', async () => {
    const whole = chatReply([
      { text: 'fine' },
      { text: '' },
      { text: 'x', finish: 'content_filter' },
    ]);
    const message = { role: 'assistant', content: null, refusal: 'no\u001b[2J' };
    const thought = { role: 'assistant', content: '4', reasoning_content: 'well' };
    const [choice] = whole.choices;
    const choices = [...whole.choices, { ...choice, message }, { ...choice, message: thought }];
    stub.mood = (response) => answer(response, 200, { ...whole, choices });
    const { responses, refused } = await ask({}, 5);
    expect(responses.map(({ text }) => text)).toEqual(['fine']);
    expect(refused).toHaveLength(4);
    expect(refused.join('; ')).toMatch(/empty.*content_filter.*refuses: no \[2J.*reasoning parser/);
  });

  test('is text, whatever it says', async () => {
    const text = '\u0000\u202e</script>"; drop table rollouts; --\ud800';
    stub.mood = (response) => answer(response, 200, chatReply([{ text }]));
    expect((await ask()).responses[0].text).toBe(text);
  });
});

describe('trouble that passes is told as such:', () => {
  test.each<[string, Mood, RegExp]>([
    ['HTTP 500', (response) => answer(response, 500, {}), /HTTP 500/],
    ['a full queue', (response) => answer(response, 503, 'busy'), /HTTP 503/],
    ['no JSON', (response) => answer(response, 200, '<html>\u001b[2J</html>'), /html> \[2J/],
    [
      'JSON of another shape',
      (response) => answer(response, 200, { choices: [] }),
      /no completion/,
    ],
    [
      'JSON that ends too early',
      (response) => answer(response, 200, '{"choices": [{"mes'),
      /no comp/,
    ],
    [
      'numbers that are none',
      (response) => {
        const text = JSON.stringify(chatReply([{ text: 'a', logprobs: [-1] }]));
        answer(response, 200, text.replace('"logprob":-1', '"logprob":-Infinity'));
      },
      /no completion/,
    ],
    ['a dropped connection', (response) => void response.socket?.destroy(), /no connection/],
    [
      'a body that is cut off',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"choices"', () => response.socket?.destroy());
      },
      /no connection/,
    ],
    [
      'a redirect, which would take the key elsewhere',
      (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      /HTTP 307/,
    ],
  ])('%s', async (_, mood, said) => {
    stub.mood = mood;
    const error = await thrown(ask());
    expect(error).toBeInstanceOf(Passing);
    expect(String(error)).toMatch(said);
    expect(stub.calls).toHaveLength(1);
  });

  test('a slow answer, and how long to leave it alone', async () => {
    stub.mood = () => {};
    expect(String(await thrown(ask({ timeoutMs: 50 })))).toContain('no answer within 0.05 s');
    stub.mood = (response) => answer(response, 429, {}, { 'retry-after': '2.5' });
    expect(await thrown(ask())).toMatchObject({ waitMs: 2500 });
  });
});

test('a question that is too long for the model is refused, and so is an endless answer', async () => {
  const message = "This model's maximum context length is 4096 tokens.";
  stub.mood = (response) => answer(response, 400, { object: 'error', message, code: 400 });
  expect(await ask()).toMatchObject({ responses: [], refused: [expect.stringContaining('4096')] });
  stub.mood = (response) => response.end('x'.repeat(6 * 2 ** 20));
  expect((await ask()).refused).toEqual(['the response is too long']);
});

test.each([400, 401, 404])('HTTP %i is for a person, without the key', async (status) => {
  stub.mood = (response) => answer(response, status, { error: `the key ${KEY} is none` });
  const error = await thrown(ask());
  expect(error).toBeInstanceOf(UserError);
  expect(String(error)).toMatch(/endpoint\.key_env/);
  expect(String(error)).not.toContain(KEY);
});

test('an address has to be one', () => {
  return expect(thrown(ask({ url: 'file:///etc/passwd' }))).resolves.toBeInstanceOf(UserError);
});

test('stops in the middle of a call', async () => {
  const stop = new AbortController();
  stub.mood = () => stop.abort(new Error('enough'));
  expect(String(await thrown(ask({}, 1, stop.signal)))).toContain('enough');
});
