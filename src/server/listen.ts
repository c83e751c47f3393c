/** The HTTP server around the app: where it listens, how long it waits for slow callers, how it stops. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';
import type { Bindings } from './app.ts';
import { securityHeaders } from './headers.ts';

export interface Listening {
  port: number;
  /** Takes no more requests, finishes those that are under way, and cuts off what takes longer than `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

// A caller that sends slowly holds a connection and nothing else, and not for ever.
const timeouts = { headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 10_000 };
const mostConnections = 2_000;

/** Listens on `host` and `port` (0 = any free one). UserError where that is not possible. */
export async function listen(
  app: Hono<Bindings>,
  { host, port, secure }: { host: string; port: number; secure: boolean },
): Promise<Listening> {
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    // The process has other uses for Request and Response.
    overrideGlobalObjects: false,
    errorHandler: () =>
      Response.json(
        { message: 'The request is none that this server understands.', kind: 'invalid' },
        { status: 400, headers: securityHeaders(secure) },
      ),
  });
  const server = createServer({ ...timeouts, maxHeaderSize: 16 * 1024 }, (request, response) => {
    void listener(request, response);
  });
  server.maxConnections = mostConnections;
  await started(server, host, port);
  return {
    // A server that listens on a port has an address of this form.
    port: (server.address() as AddressInfo).port,
    close: (graceMs = 5_000) => stopped(server, graceMs),
  };
}

async function started(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function refusal(error: Error, host: string, port: number): UserError {
  const found: Record<string, string> = {
    EADDRINUSE: 'that something listens there already',
    EACCES: 'that this is not allowed',
    EADDRNOTAVAIL: 'that this machine has no such address',
    ENOTFOUND: 'no such name',
  };
  return new UserError(
    {
      wanted: `to listen on port ${port} of ${host}`,
      found: found[errorCode(error)] ?? error.message,
      fix: 'Choose others with serve.host and serve.port.',
    },
    { cause: error },
  );
}

async function stopped(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
