/**
 * A server for tests of the browser app: the real bundle under the real content security policy, and canned answers in
 * place of the program behind it. What the browser sent is kept.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { bundleApp } from '../../src/server/bundle.ts';
import { securityHeaders } from '../../src/server/headers.ts';
import type { Assets } from '../../src/server/static.ts';

const WEB = fileURLToPath(new URL('..', import.meta.url));

export interface Sent {
  method: string;
  path: string;
  query: string;
  body: unknown;
  csrf: string | null;
}

/** What to answer: a value (200), or a refusal with its status. */
export type Reply = { status: number; body: unknown } | 'drop' | undefined;
export type Handler = (sent: Sent) => Reply | Promise<Reply>;

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const refuse = (status: number, kind: string, message: string): Reply => ({
  status,
  body: { kind, message },
});

export interface Stub {
  readonly url: string;
  readonly sent: Sent[];
  /** Answers to what the pages ask; may be replaced between tests. */
  handler: Handler;
  /** Tells everybody who listens that something changed. */
  tell(topic: string): void;
  /** Ends the streams. */
  cut(): void;
  /** Ends the streams and refuses everything, as a server that is gone. */
  away: boolean;
  /** A file of the bundle as it is sent, compressed, and as text. */
  file(path: string): { size: number; text: string };
  close(): Promise<void>;
}

export async function startStub(handler: Handler): Promise<Stub> {
  const assets = await bundleApp(WEB);
  const sent: Sent[] = [];
  const streams = new Set<ServerResponse>();
  let gone = false;
  const stub = {
    url: '',
    sent,
    handler,
    get away() {
      return gone;
    },
    set away(now: boolean) {
      gone = now;
      if (now) stub.cut();
    },
    cut() {
      for (const stream of streams) stream.destroy();
    },
    file(path: string) {
      const asset = assets.files.get(path);
      if (asset === undefined) throw new Error(`no file ${path}`);
      return {
        size: (asset.brotli ?? asset.body).byteLength,
        text: new TextDecoder().decode(asset.body),
      };
    },
    tell(topic: string) {
      for (const stream of streams) stream.write(`data: ${JSON.stringify({ topic })}\n\n`);
    },
    async close() {
      stub.cut();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  const server: Server = createServer((request, response) => {
    if (stub.away) {
      request.socket.destroy();
      return;
    }
    void answer(stub, assets, streams, request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  stub.url = `http://127.0.0.1:${address.port}`;
  return stub;
}

async function answer(
  stub: Stub,
  assets: Assets,
  streams: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stub');
  for (const [name, value] of Object.entries(securityHeaders(false)))
    response.setHeader(name, value);
  if (url.pathname === '/api/live') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    streams.add(response);
    request.on('close', () => streams.delete(response));
    return;
  }
  if (url.pathname.startsWith('/api/')) {
    const text = await read(request);
    const sent: Sent = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.search,
      body: text === '' ? null : JSON.parse(text),
      csrf: request.headers['x-csrf-token']?.toString() ?? null,
    };
    stub.sent.push(sent);
    const reply = (await stub.handler(sent)) ?? refuse(404, 'gone', `No ${url.pathname} here.`);
    if (reply === 'drop' || reply === undefined) {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
    return;
  }
  const asset = assets.files.get(url.pathname) ?? assets.page;
  response.writeHead(200, { 'content-type': asset.type });
  response.end(asset.body);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
