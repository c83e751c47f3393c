/**
 * Tells pages that something changed: server-sent events, one stream per page that listens.
 *
 * Fingerprints of the database are compared twice a second while somebody listens, so that changes of other processes
 * are heard too, and at once after a change of our own. Knows nothing of what changed: the page asks for that itself.
 */

import { Refusal } from './types.ts';
import { type LiveEvent, liveTopics } from './wire.ts';

type Topic = LiveEvent['topic'];

export interface LiveNeeds {
  /** A text per topic that differs whenever something of the topic changed. */
  fingerprints(): Promise<Record<Topic, string>>;
  /** Those of the sessions that have not ended. */
  alive(sessions: readonly string[]): Promise<ReadonlySet<string>>;
  /** Something failed in the background; the stream goes on. */
  onFault(error: unknown): void;
  /** Milliseconds; any origin. */
  clock?: () => number;
  pollMs?: number;
  heartbeatMs?: number;
}

/** Streams of one session and of all: browsers open few, and each holds memory. */
const perSession = 6;
const inAll = 1_000;
/** Chunks that may wait for a slow reader before it is cut off. */
const maxWaiting = 64;
/** Changes within this time are looked at together, in milliseconds. */
const SOON_MS = 50;
/** A topic is told at most this often per listener, in milliseconds: each tells its page to ask for more. */
const msPerListener = 10;

interface Listener {
  session: string;
  controller: ReadableStreamDefaultController<Uint8Array>;
  wroteAt: number;
}

export class Live {
  private readonly needs: Required<LiveNeeds>;
  private readonly listeners = new Set<Listener>();
  private known: Record<Topic, string> | undefined;
  private readonly toldAt = new Map<Topic, number>();
  private readonly owed = new Set<Topic>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private due = Number.POSITIVE_INFINITY;
  private closed = false;

  constructor(needs: LiveNeeds) {
    this.needs = { clock: () => performance.now(), pollMs: 500, heartbeatMs: 15_000, ...needs };
  }

  /** A stream of events for `session`. Refusal (429) where it has too many, (503) where all have. */
  open(session: string): Response {
    if (this.closed || this.listeners.size >= inAll) {
      throw new Refusal(503, 'Too many pages listen.', { headers: { 'retry-after': '30' } });
    }
    if ([...this.listeners].filter((one) => one.session === session).length >= perSession) {
      throw new Refusal(429, 'Too many pages of this sign-in listen. Close some of them.', {
        headers: { 'retry-after': '10' },
      });
    }
    let listener: Listener | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          listener = { session, controller, wroteAt: 0 };
          this.listeners.add(listener);
          this.write(listener, ': open\n\n');
          this.schedule(0);
        },
        cancel: () => {
          if (listener !== undefined) this.listeners.delete(listener);
        },
      },
      { highWaterMark: maxWaiting },
    );
    return new Response(body, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx holds responses back otherwise.
        'x-accel-buffering': 'no',
      },
    });
  }

  /** Something may have changed: looks soon. */
  poke(): void {
    if (this.listeners.size > 0) this.schedule(SOON_MS);
  }

  /** Ends the streams of sessions that are over, at once. */
  async endStale(): Promise<void> {
    const sessions = [...new Set([...this.listeners].map((one) => one.session))];
    if (sessions.length === 0) return;
    const alive = await this.needs.alive(sessions);
    for (const listener of this.listeners) if (!alive.has(listener.session)) this.end(listener);
  }

  /** How many listen. */
  get size(): number {
    return this.listeners.size;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    for (const listener of this.listeners) this.end(listener);
    await this.looking;
  }

  /** Looks within `delay`, unless that was to happen sooner anyway. */
  private schedule(delay: number): void {
    const due = this.needs.clock() + delay;
    if (this.closed || this.listeners.size === 0 || due >= this.due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.look(), delay);
  }

  private look(): void {
    // A change while it looks is looked at afterwards.
    this.due = Number.POSITIVE_INFINITY;
    if (this.looking !== undefined) {
      this.schedule(SOON_MS);
      return;
    }
    this.looking = this.lookOnce()
      .catch((error) => this.needs.onFault(error))
      .finally(() => {
        this.looking = undefined;
        this.schedule(this.needs.pollMs);
      });
  }

  private async lookOnce(): Promise<void> {
    await this.endStale();
    const now = await this.needs.fingerprints();
    const before = this.known;
    this.known = now;
    // The first look has nothing to compare with; pages ask for everything when their stream opens.
    if (before !== undefined) {
      for (const topic of liveTopics) if (before[topic] !== now[topic]) this.owed.add(topic);
    }
    this.tell();
    if (this.listeners.size === 0) this.known = undefined;
  }

  private tell(): void {
    const now = this.needs.clock();
    const gap = this.listeners.size * msPerListener;
    for (const topic of this.owed) {
      if (now - (this.toldAt.get(topic) ?? Number.NEGATIVE_INFINITY) < gap) continue;
      this.owed.delete(topic);
      this.toldAt.set(topic, now);
      const text = `data: ${JSON.stringify({ topic } satisfies LiveEvent)}\n\n`;
      for (const listener of this.listeners) this.write(listener, text);
    }
    for (const listener of this.listeners) {
      if (now - listener.wroteAt >= this.needs.heartbeatMs)
        this.write(listener, ': still here\n\n');
    }
  }

  private write(listener: Listener, text: string): void {
    const { controller } = listener;
    if ((controller.desiredSize ?? 0) <= 0) {
      this.end(listener);
      return;
    }
    controller.enqueue(new TextEncoder().encode(text));
    listener.wroteAt = this.needs.clock();
  }

  private end(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
    try {
      listener.controller.close();
    } catch {
      // Its reader went away first.
    }
  }
}
