// What the threads of a pool say to each other, and the memory they share so that the one that waits knows what the one
// that works is doing. Knows nothing of queues or of what an answer means.
import type { Complaint } from '../../core/errors.ts';
import type { Extraction, Reading, Verdict } from '../types.ts';

/** What a judge can be asked, with what it answers. `extract` is the best candidate alone. */
export interface Results {
  candidates: Extraction[];
  extract: Extraction | undefined;
  read: Reading | null;
  compare: Verdict;
  verify: Verdict;
}

export type Method = keyof Results;

/** `first` is the response, the answer or the gold answer; `second` is '' where the method takes one text. */
export interface Request {
  /** Counts from 0 for every worker. */
  seq: number;
  method: Method;
  first: string;
  second: string;
}

/** What a worker is started with. */
export interface Orders {
  /** Address of a module that exports `judgeFor(spec)`. */
  module: string;
  /** Cloneable. */
  spec: unknown;
  deadlineMs: number;
  heartbeat: SharedArrayBuffer;
}

/** To a worker: requests in order, or the wish that it ends. */
export type ToWorker = Request[] | 'close';

/** From a worker. `late`: it was done, but after its deadline. */
export type FromWorker =
  | { kind: 'ready'; closes: boolean }
  | { kind: 'refused'; message: string; complaint?: Complaint }
  | { kind: 'value'; seq: number; value: Results[Method] }
  | { kind: 'failure'; seq: number; verdict: Verdict }
  | { kind: 'late'; seq: number };

// Slots of the counters.
const NEXT = 0;
const CURRENT = 1;
const AWAITING = 2;
const counterBytes = 16;

/** What a worker is at: which request, since when. Both sides see it at all times, a hung worker's too. */
export class Heartbeat {
  readonly buffer: SharedArrayBuffer;
  private readonly counters: Int32Array;
  /** When the current request was begun, in ns of the process's clock; 0 between requests. */
  private readonly begun: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(counterBytes + 8)) {
    this.buffer = buffer;
    this.counters = new Int32Array(buffer, 0, 3);
    this.begun = new BigInt64Array(buffer, counterBytes, 1);
  }

  /** Worker: begins request `seq`; false where it was taken back meanwhile and must be passed over. */
  begin(seq: number): boolean {
    Atomics.store(this.counters, CURRENT, seq);
    Atomics.store(this.begun, 0, process.hrtime.bigint());
    if (Atomics.compareExchange(this.counters, NEXT, seq, seq + 1) === seq) return true;
    Atomics.store(this.begun, 0, 0n);
    return false;
  }

  /** Worker: the current request waits for a promise, so that the thread can still hear. */
  awaits(waiting: boolean): void {
    Atomics.store(this.counters, AWAITING, waiting ? 1 : 0);
  }

  /** Worker: the current request is done. Returns what it took, in milliseconds. */
  end(): number {
    const began = Atomics.exchange(this.begun, 0, 0n);
    return Number(process.hrtime.bigint() - began) / 1e6;
  }

  /** Parent: takes back all requests that were not begun; later ones must count from `next`. Returns the first of them. */
  revoke(next: number): number {
    for (;;) {
      const first = Atomics.load(this.counters, NEXT);
      if (Atomics.compareExchange(this.counters, NEXT, first, next) === first) return first;
    }
  }

  /** Parent: the current request, or undefined between requests. */
  running(): { seq: number; ms: number; awaiting: boolean } | undefined {
    const began = Atomics.load(this.begun, 0);
    const seq = Atomics.load(this.counters, CURRENT);
    const awaiting = Atomics.load(this.counters, AWAITING) === 1;
    // The worker went on while we looked: then it is not stuck.
    if (began === 0n || Atomics.load(this.begun, 0) !== began) return undefined;
    return { seq, ms: Number(process.hrtime.bigint() - began) / 1e6, awaiting };
  }
}
