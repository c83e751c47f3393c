/**
 * The HTTP client of one simulated annotator: a cookie, a token, few connections, and the patience to try again while
 * the server is away. Knows nothing of the queue.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { csrfHeader, me, paths, problem } from '../../src/server/wire.ts';

/** The server answered that it will not. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(`${status}: ${message}`);
    this.name = 'Refused';
    this.status = status;
  }
}

export interface Reply {
  value: unknown;
  /** From sending to the last byte of the answer, in milliseconds. */
  ms: number;
  /** Did it take more than one try? */
  retried: boolean;
}

/** Longest wait for one answer, in milliseconds; it is asked for again after that. */
const patienceMs = 30_000;

export class Client {
  readonly base: URL;
  /** Ends the tries: the bench is over. */
  readonly over: AbortSignal;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 4 });
  private cookie: string | undefined;
  private csrf: string | undefined;

  constructor(base: string, over: AbortSignal) {
    this.base = new URL(base);
    this.over = over;
  }

  /** Comes in by a link; the server hashes few passwords at a time and sends the others away for a while. */
  async join(link: { token: string; password?: string }): Promise<void> {
    for (;;) {
      try {
        const { value } = await this.send('POST', paths.accept, link);
        this.csrf = me.parse(value).csrf ?? undefined;
        return;
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 503) throw error;
        await pause(500, undefined, { signal: this.over });
      }
    }
  }

  /** Sends until an answer comes. Refused where it is a refusal. */
  async send(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    for (let tries = 1; ; tries++) {
      this.over.throwIfAborted();
      try {
        return { ...(await this.once(method, path, body)), retried: tries > 1 };
      } catch (error) {
        if (error instanceof Refused) throw error;
        await pause(Math.min(2_000, 100 * 2 ** tries), undefined, { signal: this.over });
      }
    }
  }

  /** Sends once; rejects with another error than Refused where no whole answer came. */
  async once(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<Omit<Reply, 'retried'>> {
    const begun = performance.now();
    const response = await this.exchange(method, path, body);
    const text = await textOf(response);
    const ms = performance.now() - begun;
    const status = response.statusCode ?? 0;
    const value: unknown = text === '' ? undefined : JSON.parse(text);
    if (status >= 200 && status < 300) return { value, ms };
    throw new Refused(status, problem.safeParse(value).data?.message ?? text.slice(0, 200));
  }

  /** Opens the stream of events and calls `heard` for each chunk of it, until it breaks or the bench is over. */
  async listen(heard: (chunk: string) => void): Promise<void> {
    const response = await this.exchange('GET', paths.live, undefined, 0);
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`the stream answers ${response.statusCode}`);
    }
    response.setEncoding('utf8');
    for await (const chunk of response) heard(String(chunk));
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    timeout: number = patienceMs,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, this.base),
        { method, agent: this.agent, headers: this.headers(method, text), signal: this.over },
        (response) => {
          const [set] = response.headers['set-cookie'] ?? [];
          if (set !== undefined) this.cookie = set.split(';')[0];
          resolve(response);
        },
      );
      if (timeout > 0) sent.setTimeout(timeout, () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** What a browser sends from a page of the server. */
  private headers(method: string, text: string | undefined): Record<string, string> {
    return {
      ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
      ...(method === 'GET' ? {} : { origin: this.base.origin, 'sec-fetch-site': 'same-origin' }),
      ...(this.csrf === undefined || method === 'GET' ? {} : { [csrfHeader]: this.csrf }),
      ...(text === undefined
        ? {}
        : {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(text)),
          }),
    };
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(Buffer.from(part));
  if (!response.complete) throw new Error('the answer broke off');
  return Buffer.concat(parts).toString('utf8');
}
