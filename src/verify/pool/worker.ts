// The working thread of a pool: builds its judge and answers requests one after the other. Knows no deadlines but to say
// that it was late; whoever waits ends the thread when it hangs.
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../core/errors.ts';
import { failed } from '../judge.ts';
import type { Judge } from '../types.ts';
import { candidatesIn, readingIn, verdictIn } from './checked.ts';
import {
  type FromWorker,
  Heartbeat,
  type Method,
  type Orders,
  type Request,
  type Results,
  type ToWorker,
} from './protocol.ts';

const orders: Orders = workerData;
const port = parentPort;
if (port === null) throw new Error('pool/worker.ts is for worker threads');
const heartbeat = new Heartbeat(orders.heartbeat);
const say = (message: FromWorker) => port.postMessage(message);

// A judge that prints must not print into the program's own output.
process.stdout.write = process.stderr.write.bind(process.stderr);

async function start(): Promise<Judge | undefined> {
  try {
    const { judgeFor } = await import(orders.module);
    const judge: Judge = await judgeFor(orders.spec);
    await judge.warm?.();
    return judge;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const complaint = error instanceof UserError ? error.complaint : undefined;
    say({ kind: 'refused', message, complaint });
    return undefined;
  }
}

function ask(judge: Judge, { method, first, second }: Request): unknown {
  switch (method) {
    case 'candidates':
    case 'extract':
      return judge.candidates(first);
    case 'read':
      return judge.read(first);
    case 'compare':
      return judge.compare(first, second);
    case 'verify':
      return judge.verify(first, second);
  }
}

/** A judge may be a user's own: what it gives is taken only if it is what it should be. */
function checked(method: Method, value: unknown): Results[Method] {
  switch (method) {
    case 'candidates':
      return candidatesIn(value);
    case 'extract':
      return candidatesIn(value)[0];
    case 'read':
      return readingIn(value);
    case 'compare':
    case 'verify':
      return verdictIn(value);
  }
}

async function answer(judge: Judge, request: Request): Promise<void> {
  const { seq, method } = request;
  let reply: FromWorker;
  try {
    let value = ask(judge, request);
    if (value instanceof Promise) {
      heartbeat.awaits(true);
      value = await value;
    }
    reply = { kind: 'value', seq, value: checked(method, value) };
  } catch (error) {
    reply = { kind: 'failure', seq, verdict: failed(error) };
  }
  heartbeat.awaits(false);
  say(heartbeat.end() > orders.deadlineMs ? { kind: 'late', seq } : reply);
}

function serve(judge: Judge): void {
  const waiting: Request[] = [];
  let isBusy = false;
  const work = async (): Promise<void> => {
    isBusy = true;
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
      if (heartbeat.begin(at.seq)) await answer(judge, at);
    }
    isBusy = false;
  };
  const close = async (): Promise<void> => {
    try {
      await judge.close?.();
    } finally {
      process.exit();
    }
  };
  port?.on('message', (message: ToWorker) => {
    if (message === 'close') {
      void close();
      return;
    }
    waiting.push(...message);
    if (!isBusy) void work();
  });
  say({ kind: 'ready', closes: judge.close !== undefined });
}

const judge = await start();
if (judge !== undefined) serve(judge);
