/** One load test from an empty workspace to the last check: people come, work, the server dies under them, and all is counted. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stream } from '../../src/core/random.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { Person } from './annotator.ts';
import { check, type Findings, readBooks, unaudited } from './check.ts';
import { Client } from './client.ts';
import { Ledger } from './ledger.ts';
import { Site } from './site.ts';

export interface LoadSettings {
  engine: 'postgres' | 'pglite';
  /** postgres://...; undefined for PGlite. */
  database: string | undefined;
  annotators: number;
  questions: number;
  budget: number;
  kills: number;
  /** Mean time of a person over a question. */
  thinkSeconds: number;
  leaseSeconds: number;
  /** Time of work at most. */
  seconds: number;
  /** Do the pages listen for changes, as real ones do? */
  listen: boolean;
  seed: number;
}

export interface LoadResult {
  ledger: Ledger;
  findings: Findings;
  labels: number;
  /** Seconds of work, and of these without a server. */
  seconds: number;
  downSeconds: number;
  kills: number;
  budgetReached: boolean;
  /** Seconds until all were signed in, and until a server that was started had said that it listens. */
  signInSeconds: number;
  startSeconds: number[];
  /** Answers that stand and are not on the audit log. */
  unaudited: number;
  /** What the servers said on standard error. */
  faults: string;
}

/** Work goes on for so long after the budget was reached: that is where people race for the last labels. */
const edgeMs = 8_000;
const joinsAtOnce = 8;
/** So many are invited and choose a password; the others are let in by links. */
const fresh = 20;
const password = 'correct horse battery';
const account = 'main';

export async function load(settings: LoadSettings): Promise<LoadResult> {
  const workspace = mkdtempSync(join(tmpdir(), 'pt-load-'));
  const { database, questions, budget, leaseSeconds } = settings;
  const site = await Site.make({ workspace, database, questions, budget, leaseSeconds });
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  try {
    const ledger = new Ledger();
    const day = new Day(settings, site, ledger, over);
    const names = Array.from({ length: settings.annotators }, (_, i) => `annotator ${i}`);
    const tokens = await site.links(names, fresh);
    const startSeconds = [(await site.start()) / 1000];
    const clients = names.map(() => new Client(site.url, over.signal));
    const begunJoins = performance.now();
    await joinAll(clients, tokens);
    const signInSeconds = (performance.now() - begunJoins) / 1000;
    const people = names.map(
      (name, i) =>
        new Person(name, clients[i], ledger, {
          seed: settings.seed,
          thinkMs: 1000 * settings.thinkSeconds,
          leaseMs: 1000 * leaseSeconds,
          listens: settings.listen,
          evening: day.evening.signal,
        }),
    );
    await day.run(people);
    startSeconds.push(...day.startSeconds);
    over.abort();
    for (const client of clients) client.close();
    await site.stop();
    const books = await readBooks(site.target, account);
    const findings = check(ledger, books, budget);
    findings.leased_twice.push(...day.leasedTwice);
    findings.over_budget.push(...day.overBudget);
    return {
      ...{ ledger, findings, signInSeconds, startSeconds, kills: day.kills },
      labels: new Set(books.labels.map(({ promptId }) => promptId)).size,
      seconds: day.seconds,
      downSeconds: day.downSeconds,
      budgetReached: ledger.mostLabels >= budget,
      unaudited: unaudited(books),
      faults: site.log,
    };
  } finally {
    over.abort();
    site.remove();
  }
}

async function joinAll(clients: readonly Client[], tokens: readonly string[]): Promise<void> {
  const turns = clients
    .map((client, i) => ({ client, token: tokens[i], isNew: i < fresh }))
    .values();
  const lanes = Array.from({ length: joinsAtOnce }, async () => {
    for (const { client, token, isNew } of turns) {
      await client.join(isNew ? { token, password } : { token });
    }
  });
  await Promise.all(lanes);
}

/** The time of work: people, kills, and a look at the database now and then where somebody else may look. */
class Day {
  readonly evening = new AbortController();
  kills = 0;
  seconds = 0;
  downSeconds = 0;
  readonly startSeconds: number[] = [];
  readonly leasedTwice: string[] = [];
  readonly overBudget: string[] = [];
  private readonly settings: LoadSettings;
  private readonly site: Site;
  private readonly ledger: Ledger;
  private begun = 0;
  private reachedAt: number | undefined;
  private readonly over: AbortController;
  private fault: { cause: unknown } | undefined;

  constructor(settings: LoadSettings, site: Site, ledger: Ledger, over: AbortController) {
    this.settings = settings;
    this.site = site;
    this.ledger = ledger;
    this.over = over;
  }

  async run(people: readonly Person[]): Promise<void> {
    setMaxListeners(0, this.evening.signal);
    this.begun = performance.now();
    const all = [
      ...people.map((one) => one.work()),
      ...[this.untilEvening(), this.killAll(), this.watch()],
    ];
    await Promise.allSettled(all.map((work) => this.orStop(work)));
    if (this.fault !== undefined) {
      throw new Error(`somebody could not go on; the server said: ${this.site.log}`, this.fault);
    }
  }

  /** Where one cannot go on, all stop: the others would wait for ever. */
  private async orStop(work: Promise<unknown>): Promise<void> {
    await work.catch((cause: unknown) => {
      this.fault ??= { cause };
      this.evening.abort();
      this.over.abort();
    });
  }

  private async untilEvening(): Promise<void> {
    while (!this.isOver()) await pause(100);
    this.seconds = (performance.now() - this.begun) / 1000;
    this.evening.abort();
  }

  private isOver(): boolean {
    const now = performance.now();
    if (this.reachedAt === undefined && this.ledger.mostLabels >= this.settings.budget) {
      this.reachedAt = now;
    }
    const isPast = now - this.begun > 1000 * this.settings.seconds;
    const isReached = this.reachedAt !== undefined && now - this.reachedAt > edgeMs;
    return this.fault !== undefined || ((isPast || isReached) && this.kills >= this.settings.kills);
  }

  /** Evenly over the labels, or over the time where they come more slowly; each at some moment within a second. */
  private async killAll(): Promise<void> {
    const { kills, budget, seconds, seed } = this.settings;
    const random = stream(seed, 'kills');
    while (this.kills < kills && this.fault === undefined) {
      const share = (this.kills + 1) / (kills + 1);
      const isDue =
        this.ledger.mostLabels >= share * budget ||
        performance.now() - this.begun >= 1000 * share * seconds;
      await pause(isDue ? 1_000 * random.uniform() : 50);
      if (!isDue) continue;
      const down = performance.now();
      await this.site.kill();
      this.startSeconds.push((await this.site.start()) / 1000);
      this.downSeconds += (performance.now() - down) / 1000;
      this.kills += 1;
    }
  }

  /** A workspace's own database is the server's alone. */
  private async watch(): Promise<void> {
    const { database } = this.settings;
    if (database === undefined) return;
    const store = await openStore(database);
    try {
      while (!this.evening.signal.aborted) {
        await this.look(store);
        await pause(500);
      }
    } finally {
      await store.close();
    }
  }

  private async look({ desk }: Store): Promise<void> {
    const now = Date.now();
    const held = (await desk.leases(account))
      .filter(({ expiresAt }) => expiresAt > now)
      .map(({ promptId }) => promptId);
    const twice = held.filter((id, i) => held.indexOf(id) !== i);
    this.leasedTwice.push(...twice.map((id) => `two leases of ${id} at ${now}`));
    const spoken = await desk.spoken(account, Date.now());
    if (spoken > this.settings.budget) {
      this.overBudget.push(`${spoken} prompts had a part of the budget of ${this.settings.budget}`);
    }
  }
}
