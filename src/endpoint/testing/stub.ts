/** An OpenAI-compatible server on this machine that behaves as a test tells it to, with every mood that real ones have. */
import { createServer, type ServerResponse } from 'node:http';
import { z } from 'zod';

const bodySchema = z.looseObject({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).optional(),
  prompt: z.string().optional(),
  n: z.int().optional(),
  seed: z.int().optional(),
});

export interface StubCall {
  body: z.infer<typeof bodySchema>;
  path: string;
  key: string | undefined;
  /** From 1, over all calls. */
  count: number;
}

export type Mood = (response: ServerResponse, call: StubCall) => void;

export interface Stub {
  /** Base address, with `/v1`. */
  url: string;
  calls: StubCall[];
  /** Most calls that were under way at once. */
  atOnce: number;
  mood: Mood;
  close(): void;
}

export async function startStub(mood: Mood): Promise<Stub> {
  let underWay = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const call: StubCall = {
        body: bodySchema.parse(JSON.parse(text)),
        path: request.url ?? '',
        key: request.headers.authorization,
        count: stub.calls.length + 1,
      };
      stub.calls.push(call);
      stub.atOnce = Math.max(stub.atOnce, ++underWay);
      response.on('close', () => underWay--);
      stub.mood(response, call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stub: Stub = {
    url: `http://127.0.0.1:${address.port}/v1`,
    ...{ calls: [], atOnce: 0, mood },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return stub;
}

export function answer(response: ServerResponse, status: number, value: unknown, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
}

/** What the stub's model says: its text, and the log-probabilities of its tokens with those of the likeliest ones. */
export interface Said {
  text: string;
  logprobs?: readonly number[];
  top?: readonly (readonly number[])[];
  finish?: string | null;
}

/** A reply of vLLM's chat completions, of several responses. */
export function chatReply(said: readonly Said[], more: object = {}) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'stub',
    choices: said.map(({ text, logprobs, top, finish = 'stop' }, index) => ({
      index,
      message: { role: 'assistant', content: text, reasoning_content: null, tool_calls: [] },
      logprobs:
        logprobs === undefined
          ? null
          : {
              content: logprobs.map((logprob, t) => ({
                token: `t${t}`,
                logprob,
                bytes: [116],
                top_logprobs: (top?.[t] ?? []).map((one, i) => ({ token: `o${i}`, logprob: one })),
              })),
            },
      finish_reason: finish,
      stop_reason: null,
    })),
    usage: usageOf(said),
    ...more,
  };
}

/** A reply of vLLM's plain completions. */
export function textReply(said: readonly Said[], more: object = {}) {
  return {
    id: 'cmpl-1',
    object: 'text_completion',
    model: 'stub',
    choices: said.map(({ text, logprobs, top, finish = 'stop' }, index) => ({
      ...{ index, text, finish_reason: finish, stop_reason: null },
      logprobs:
        logprobs === undefined
          ? null
          : {
              tokens: logprobs.map((_, t) => `t${t}`),
              token_logprobs: logprobs,
              text_offset: logprobs.map((_, t) => t),
              top_logprobs: logprobs.map((_, t) =>
                Object.fromEntries((top?.[t] ?? []).map((one, i) => [`o${i}`, one])),
              ),
            },
    })),
    usage: usageOf(said),
    ...more,
  };
}

function usageOf(said: readonly Said[]) {
  const generated = said.reduce(
    (sum, { text, logprobs }) => sum + (logprobs?.length ?? text.length),
    0,
  );
  return { prompt_tokens: 10, completion_tokens: generated, total_tokens: 10 + generated };
}
