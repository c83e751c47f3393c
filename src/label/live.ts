/**
 * The desk of labels that come in their own time: asked for when training wants them, seen when they are there, waited
 * for where that is what the settings say.
 *
 * Knows nothing of who answers: people and teachers are behind one interface. What it saw goes into a history, so that
 * a resumed run sees the same again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted } from '../core/errors.ts';
import type { Store } from '../store/types.ts';
import { firstPerPrompt, requireCount } from './desk.ts';
import type { History, Sighting } from './history.ts';
import type { Label, LiveDesk, LiveSource, Moment, Wish } from './types.ts';

/** What a group does whose label was asked for and is not there. */
export type WhenMissing = 'wait' | 'self' | 'leave';

export interface Waiting {
  /** How long each label is waited for, in minutes; null = for ever. After that its group trains on its vote. */
  minutes: number | null;
  stop: AbortSignal;
  /** How many labels are waited for, again and again; 0 when all are there. `isOver`: the time is over, these are missing. */
  told(count: number, moment: Moment, isOver: boolean): void;
}

export interface LiveSettings {
  store: Pick<Store, 'labels'>;
  account: string;
  /** Labels in all; null = no limit. */
  budget: number | null;
  source: LiveSource;
  whenMissing: WhenMissing;
  history: History;
  /** null: nothing is waited for but what the source does by itself. */
  waiting: Waiting | null;
  /** Milliseconds, from any origin. */
  clock?: () => number;
}

/** A label that comes while training waits is seen within this time, in milliseconds. */
const POLL_MS = 250;
/** What a source could not answer is put before it again after this time, in milliseconds. */
const AGAIN_MS = 30_000;

/** Opens the desk. UserError for a budget that is no whole number from 0. */
export function openLiveDesk(settings: LiveSettings): LiveDesk {
  requireCount('budget', settings.budget ?? 0);
  const desk = new Desk(settings);
  // One call after the other: each changes what the next one finds.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const ask = (wishes: readonly Wish[], moment: Moment) => inTurn(() => desk.ask(wishes, moment));
  return {
    account: settings.account,
    budget: settings.budget,
    waits: settings.waiting !== null && settings.whenMissing !== 'self',
    request: (promptIds, moment) => ask(plannedWishes(promptIds), moment),
    put: (wishes, moment) => inTurn(() => desk.put(wishes, moment)),
    ask,
    arrived: (moment) => inTurn(() => desk.arrived(moment)),
    change: (moment) => inTurn(() => desk.change(moment)),
    refused: () => desk.refusedNow(),
    left: () => desk.left(),
    spent: async (moment) =>
      moment === undefined ? await settings.store.labels.count(settings.account) : desk.seen(),
    close: () => settings.source.close(),
  };
}

/** What a plan wants, the most wanted first, on the scale of utilities. */
export function plannedWishes(promptIds: readonly string[]): Wish[] {
  const n = promptIds.length;
  return promptIds.map((promptId, i) => {
    return { promptId, utility: (0.25 * (n - i)) / n, reason: 'planned' };
  });
}

class Desk {
  private readonly settings: LiveSettings;
  private readonly clock: () => number;
  /** The labels as the run has seen them. */
  private readonly view = new Map<string, Label>();
  private readonly refused = new Set<string>();
  /** What was put up, and what has been waited for. */
  private readonly up = new Map<string, Wish>();
  private readonly waited = new Set<string>();

  constructor(settings: LiveSettings) {
    this.settings = settings;
    this.clock = settings.clock ?? (() => performance.now());
  }

  seen(): number {
    return this.view.size;
  }

  refusedNow(): string[] {
    return [...this.refused].filter((id) => !this.view.has(id));
  }

  left(): Set<string> {
    return new Set(this.settings.whenMissing === 'leave' ? this.pending() : []);
  }

  async put(wishes: readonly Wish[], moment: Moment): Promise<void> {
    if (this.replayed('put', moment, wishes)) return;
    await this.source(wishes, moment);
    await this.look('put', moment, wishes);
  }

  async arrived(moment: Moment): Promise<Label[]> {
    if (!this.replayed('arrived', moment, [])) {
      await this.look('arrived', moment, []);
      await this.source([...this.up.values()], moment);
    }
    return [...this.view.values()];
  }

  async ask(wishes: readonly Wish[], moment: Moment): Promise<Label[]> {
    if (!this.replayed('ask', moment, wishes)) {
      await this.source(wishes, moment);
      const { waiting, whenMissing, source } = this.settings;
      const fresh = wishes.filter(({ promptId }) => !this.waited.has(promptId));
      if (waiting === null) await source.idle();
      else if (whenMissing === 'wait') await this.waitFor(waiting, fresh, fresh.length, moment);
      await this.look('ask', moment, wishes);
    }
    return wishes.flatMap(({ promptId }) => this.view.get(promptId) ?? []);
  }

  async change(moment: Moment): Promise<Label[]> {
    if (!this.replayed('change', moment, [])) {
      const { waiting } = this.settings;
      const pending = this.pending().flatMap((id) => this.up.get(id) ?? []);
      if (waiting !== null) await this.waitFor(waiting, pending, 1, moment);
      await this.look('change', moment, []);
    }
    return [...this.view.values()];
  }

  /** Put up, with neither a label nor a refusal. */
  private pending(): string[] {
    return [...this.up.keys()].filter((id) => !this.isSettled(id));
  }

  private isSettled(id: string): boolean {
    return this.view.has(id) || this.refused.has(id);
  }

  /** Tells the source of what is wanted and has no label. */
  private async source(wishes: readonly Wish[], moment: Moment): Promise<void> {
    const { source, account } = this.settings;
    const open = wishes.filter(({ promptId }) => !this.isSettled(promptId));
    if (open.length > 0) await source.put(open, { account, ...moment });
  }

  /** Until `enough` of these have a label or get none, or the time is over. Throws Interrupted. */
  private async waitFor(
    waiting: Waiting,
    wishes: readonly Wish[],
    enough: number,
    moment: Moment,
  ): Promise<void> {
    const { minutes, stop, told } = waiting;
    const begun = this.clock();
    const until = minutes === null ? Number.POSITIVE_INFINITY : begun + 60_000 * minutes;
    for (let again = begun + AGAIN_MS; ; ) {
      const missing = await this.missing(wishes);
      const isOver = this.clock() >= until;
      if (wishes.length - missing.length >= enough) return told(0, moment, false);
      if (isOver) return told(missing.length, moment, true);
      told(missing.length, moment, false);
      await pause(POLL_MS, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) throw new Interrupted('Training');
      if (this.clock() < again) continue;
      again = this.clock() + AGAIN_MS;
      await this.source(missing, moment);
    }
  }

  /** Those of `wishes` that have no label yet and may still get one. */
  private async missing(wishes: readonly Wish[]): Promise<Wish[]> {
    const ids = wishes.map(({ promptId }) => promptId).filter((id) => !this.isSettled(id));
    if (ids.length === 0) return [];
    const { store, account } = this.settings;
    const settled = new Set((await store.labels.owned(account, ids)).map((one) => one.promptId));
    const open = ids.filter((id) => !settled.has(id));
    for (const id of await this.hopeless(open)) settled.add(id);
    return wishes.filter(({ promptId }) => ids.includes(promptId) && !settled.has(promptId));
  }

  /** Those that get no label: none is to be had, or the account holds as many as it may. */
  private async hopeless(promptIds: readonly string[]): Promise<string[]> {
    if (promptIds.length === 0) return [];
    const { store, account, budget, source } = this.settings;
    if (budget !== null && (await store.labels.count(account)) >= budget) return [...promptIds];
    return await source.refused(promptIds);
  }

  /** Takes in how things stand, and records what is new. */
  private async look(
    call: Sighting['call'],
    { step }: Moment,
    wishes: readonly Wish[],
  ): Promise<void> {
    const { store, account, history } = this.settings;
    const owned = firstPerPrompt(await store.labels.owned(account));
    const gained = [...owned.values()].filter(
      ({ promptId, answer }) => this.view.get(promptId)?.answer !== answer,
    );
    const open = [...this.up.keys(), ...wishes.map(({ promptId }) => promptId)];
    const sighting: Sighting = {
      ...{ call, step, asked: wishes.map(({ promptId: id, ...rest }) => ({ id, ...rest })) },
      gained: gained.map(({ promptId: id, answer, source, cost }) => ({
        id,
        answer,
        source,
        cost,
      })),
      lost: [...this.view.keys()].filter((id) => !owned.has(id)),
      refused: await this.hopeless(
        [...new Set(open)].filter((id) => !owned.has(id) && !this.refused.has(id)),
      ),
    };
    history.add(sighting);
    this.take(sighting);
  }

  /** Whether the call was made before; then what was seen at it, and since the last one, is seen again. */
  private replayed(call: Sighting['call'], { step }: Moment, wishes: readonly Wish[]): boolean {
    const ids = wishes.map(({ promptId }) => promptId);
    const { sightings, made } = this.settings.history.known(call, step, ids);
    for (const sighting of sightings) this.take(sighting);
    return made;
  }

  private take({ call, asked, gained, lost, refused }: Sighting): void {
    for (const { id: promptId, ...rest } of asked) {
      this.up.set(promptId, { promptId, ...rest });
      if (call === 'ask') this.waited.add(promptId);
    }
    for (const { id: promptId, ...rest } of gained) this.view.set(promptId, { promptId, ...rest });
    for (const id of lost) this.view.delete(id);
    for (const id of refused) this.refused.add(id);
  }
}
