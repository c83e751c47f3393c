/**
 * One simulated annotator: gets a question, thinks, answers it; now and then skips, takes back, sends twice, or leaves.
 *
 * Does what the page does: it uses the question that comes with the answer to a submission, and asks for the progress
 * whenever the server says that something changed. After a lost answer it sends the same submission again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type RandomStream, stream } from '../../src/core/random.ts';
import type { AnnotationKind } from '../../src/label/queue/types.ts';
import {
  next as nextSchema,
  paths,
  progress as progressSchema,
  submitted,
  undone,
  type WireNext,
  type WireQuestion,
} from '../../src/server/wire.ts';
import { type Client, Refused } from './client.ts';
import type { Hold, Ledger, Sent, Timing } from './ledger.ts';

export interface Habits {
  seed: number;
  /** Mean time over a question, in milliseconds. */
  thinkMs: number;
  /** How long a question is kept for who has it, in milliseconds. */
  leaseMs: number;
  /** Does the page listen for changes and ask for the progress? */
  listens: boolean;
  /** Aborted when there is enough: nobody goes on thinking, and what is in hand is finished. */
  evening: AbortSignal;
}

/** What becomes of a question; the rest is answered. */
const shares = { skip: 0.05, no_answer: 0.03, bad_question: 0.02, release: 0.02, late: 0.01 };
/** Of submissions: sent twice at once, and taken back afterwards. */
const twice = 0.04;
const regret = 0.04;
/** Pages ask for the progress this often at most, in milliseconds. */
const apartMs = 400;

export class Person {
  readonly name: string;
  private readonly client: Client;
  private readonly ledger: Ledger;
  private readonly habits: Habits;
  private readonly random: RandomStream;
  private hold: Hold | undefined;

  constructor(name: string, client: Client, ledger: Ledger, habits: Habits) {
    this.name = name;
    this.client = client;
    this.ledger = ledger;
    this.habits = habits;
    this.random = stream(habits.seed, 'annotator', name);
  }

  /** Works until the evening, and finishes what is under way then. */
  async work(): Promise<void> {
    await Promise.all([this.label(), this.habits.listens ? this.listen() : undefined]);
  }

  private async label(): Promise<void> {
    // People do not come all at once.
    await this.rest(this.habits.thinkMs * this.random.uniform());
    let question: WireQuestion | null = null;
    while (!this.habits.evening.aborted) {
      question ??= (await this.ask()).question;
      if (question === null) await this.rest(500 + 1_000 * this.random.uniform());
      else question = await this.answer(question);
    }
  }

  private async ask(): Promise<WireNext> {
    return this.got(nextSchema.parse(await this.timed('next', paths.next, {})));
  }

  private async answer(question: WireQuestion): Promise<WireQuestion | null> {
    await this.think();
    const { promptId } = question;
    const act = this.choose();
    if (act === 'release') {
      this.giveUp();
      await this.client.send('POST', paths.release, {});
      await this.think();
      return null;
    }
    // Somebody whose time runs out over a question: it may be another one's by then.
    if (act === 'late') await this.rest(this.habits.leaseMs);
    const kind = act === 'late' ? 'answer' : act;
    const answer = kind === 'answer' ? `${this.random.below(1_000)}` : null;
    const sent = this.ledger.submission(this.name, { promptId, kind, answer, revealed: false });
    const next = await this.submit(sent);
    if (sent.fate !== 'acknowledged' || this.random.uniform() >= regret) return next;
    await this.rest(this.habits.thinkMs / 4);
    return await this.undo(sent);
  }

  private choose(): AnnotationKind | 'release' | 'late' {
    let at = this.random.uniform();
    for (const act of ['skip', 'no_answer', 'bad_question', 'release', 'late'] as const) {
      at -= shares[act];
      if (at < 0) return act;
    }
    return 'answer';
  }

  /** Returns the next question, which comes with the acknowledgement. */
  private async submit(sent: Sent): Promise<WireQuestion | null> {
    const { promptId, kind, answer, note, revealed } = sent;
    const body = { promptId, kind, answer, note, revealed };
    this.giveUp();
    const posts = this.random.uniform() < twice ? 2 : 1;
    const replies = await Promise.allSettled(
      Array.from({ length: posts }, () => this.client.send('POST', paths.submit, body)),
    );
    let next: WireQuestion | null = null;
    for (const reply of replies) {
      if (reply.status === 'fulfilled') {
        const { verdict, next: after } = submitted.parse(reply.value.value);
        this.ledger.acknowledge(sent, verdict);
        if (reply.value.retried) this.ledger.repeats += 1;
        else if (posts === 1) this.took('submit', reply.value.ms);
        next = this.got(after).question;
      } else if (reply.reason instanceof Refused && reply.reason.status === 409) {
        this.ledger.refuse(sent, reply.reason.message);
      } else throw reply.reason;
    }
    if (posts > 1) this.ledger.repeats += 1;
    return next;
  }

  /** Taking back is not sent twice: it would take back one more. Where the answer got lost, the next question tells. */
  private async undo(last: Sent): Promise<WireQuestion | null> {
    this.giveUp();
    const begun = performance.now();
    try {
      const { value } = await this.client.once('POST', paths.undo, {});
      this.took('undo', performance.now() - begun);
      const back = undone.parse(value);
      if (back.undone?.note === last.serial) last.undone = 'yes';
      else this.ledger.surprises.push(`${this.name} took back another one than the last`);
      return this.got(back.next).question;
    } catch (error) {
      if (error instanceof Refused && error.status === 409) {
        this.ledger.refused(error.message);
        return null;
      }
      if (error instanceof Refused) throw error;
    }
    last.undone = 'unknown';
    const { question } = await this.ask();
    if (question?.promptId === last.promptId) last.undone = 'yes';
    return question;
  }

  private got(next: WireNext): WireNext {
    const { question, progress } = next;
    this.ledger.mostLabels = Math.max(this.ledger.mostLabels, progress.labels);
    this.giveUp();
    if (question !== null) {
      const { promptId, expiresAt: until } = question;
      this.hold = { promptId, person: this.name, from: Date.now(), until };
    }
    return next;
  }

  /** What was held is so no longer, from before the request that gives it up. */
  private giveUp(): void {
    const { hold } = this;
    if (hold === undefined) return;
    this.ledger.holds.push({ ...hold, until: Math.min(hold.until, Date.now()) });
    this.hold = undefined;
  }

  private async timed(what: Timing['what'], path: string, body: unknown): Promise<unknown> {
    const { value, ms, retried } = await this.client.send(
      body === undefined ? 'GET' : 'POST',
      path,
      body,
    );
    if (!retried) this.took(what, ms);
    return value;
  }

  /** In the evening all finish at once, which says nothing of the day. */
  private took(what: Timing['what'], ms: number): void {
    if (!this.habits.evening.aborted) this.ledger.timings.push({ what, ms, at: Date.now() });
  }

  /** As the page: one request for the progress after news, and not too often. */
  private async listen(): Promise<void> {
    let news = false;
    let wait = 1_000;
    const follow = async () => {
      while (!this.habits.evening.aborted) {
        if (news) {
          news = false;
          const value = await this.timed('progress', paths.progress, undefined);
          const { labels } = progressSchema.parse(value);
          this.ledger.mostLabels = Math.max(this.ledger.mostLabels, labels);
        }
        await this.rest(apartMs);
      }
    };
    const hear = async () => {
      while (!this.habits.evening.aborted) {
        await this.client
          .listen((chunk) => {
            wait = 1_000;
            if (/"(?:queue|labels)"/.test(chunk)) news = true;
          })
          .catch(() => undefined);
        await this.rest(wait);
        wait = Math.min(20_000, 2 * wait);
      }
    };
    void hear();
    await follow();
  }

  private think(): Promise<void> {
    // Most take less than the mean, some take much longer.
    return this.rest(-this.habits.thinkMs * Math.log(1 - this.random.uniform()));
  }

  /** Less where the evening comes. */
  private async rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.habits.evening }).catch(() => undefined);
  }
}
