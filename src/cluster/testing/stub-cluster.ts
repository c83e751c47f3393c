/** The Ray Jobs API as far as we use it, in this process: jobs do what a test says when they are submitted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { JobStatus } from '../jobs.ts';

export interface StubJob {
  id: string;
  entrypoint: string;
  runtimeEnv: Record<string, unknown>;
  /** Of the entrypoint. */
  gpus: number;
  status: JobStatus;
  message: string;
  log: string;
}

/** What becomes of a request instead of an answer. */
export type Mishap = 'silence' | 'hang up' | 'answer lost' | 'error 500' | 'no JSON';

export interface StubCluster {
  address: URL;
  jobs: Map<string, StubJob>;
  packages: Map<string, Buffer>;
  /** `METHOD /path` of all requests. */
  requests: string[];
  /** Header values of the last request. */
  headers: IncomingMessage['headers'];
  /** Taken from the front, one a request; empty: all goes well. */
  mishaps: Mishap[];
  /** Hears of a job when it is submitted. */
  onSubmit: (job: StubJob) => void;
  /** Hears of a job each time before somebody is told how it stands. */
  onLook: (job: StubJob) => void;
  close(): Promise<void>;
}

const orderSchema = z.object({
  entrypoint: z.string(),
  submission_id: z.string(),
  runtime_env: z.record(z.string(), z.unknown()),
  entrypoint_num_gpus: z.number().default(0),
});

/** Listens on loopback; `port` 0 takes any. */
export async function stubCluster(port = 0): Promise<StubCluster> {
  const server = createServer((request, response) => {
    void answer(stub, request, response);
  });
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  const place = server.address();
  const listening = typeof place === 'object' && place !== null ? place.port : 0;
  const stub: StubCluster = {
    address: new URL(`http://127.0.0.1:${listening}/`),
    ...{ jobs: new Map(), packages: new Map(), requests: [], headers: {}, mishaps: [] },
    onSubmit: () => {},
    onLook: () => {},
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return stub;
}

async function answer(
  stub: StubCluster,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  stub.requests.push(`${method} ${url}`);
  stub.headers = request.headers;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  const mishap = stub.mishaps.shift();
  if (mishap === 'silence') return;
  if (mishap === 'hang up') return void request.socket.destroy();
  // As Ray does with what looks like a browser.
  const browser = method !== 'GET' && 'sec-fetch-mode' in request.headers;
  const [status, body] = browser
    ? [405, 'not allowed for browser traffic']
    : act(stub, method, url, Buffer.concat(parts));
  if (mishap === 'answer lost') return void request.socket.destroy();
  if (mishap === 'error 500') return void response.writeHead(500).end('Traceback: out of sorts');
  if (mishap === 'no JSON') return void response.writeHead(200).end('<html>a proxy</html>');
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function act(stub: StubCluster, method: string, url: string, body: Buffer): [number, unknown] {
  const [, , kind, first = '', second] = url.split('/').map(decodeURIComponent);
  if (kind === 'version') return [200, { version: '4', ray_version: '2.60.0' }];
  if (kind === 'packages') {
    const name = second ?? '';
    if (method === 'PUT') stub.packages.set(name, body);
    return stub.packages.has(name) ? [200, ''] : [404, 'no such package'];
  }
  if (method === 'POST' && first === '') return submit(stub, body);
  const there = stub.jobs.get(first);
  if (there !== undefined && method === 'GET' && second === undefined) stub.onLook(there);
  const job = stub.jobs.get(first);
  if (job === undefined) return [404, `Job ${first} does not exist`];
  if (second === 'stop') {
    job.status = 'STOPPED';
    return [200, { stopped: true }];
  }
  if (second === 'logs') return [200, { logs: job.log }];
  return [200, { status: job.status, message: job.message, submission_id: first }];
}

function submit(stub: StubCluster, body: Buffer): [number, unknown] {
  const order = orderSchema.parse(JSON.parse(body.toString()));
  const { submission_id: id, entrypoint, runtime_env: runtimeEnv } = order;
  const { entrypoint_num_gpus: gpus } = order;
  if (entrypoint === '') return [400, 'Traceback\nValueError: the entrypoint is empty'];
  if (stub.jobs.has(id)) return [500, `ValueError: Job with submission_id ${id} already exists`];
  const job: StubJob = {
    ...{ id, entrypoint, runtimeEnv, gpus },
    ...{ status: 'RUNNING', message: '', log: '' },
  };
  stub.jobs.set(id, job);
  stub.onSubmit(job);
  return [200, { submission_id: id }];
}
