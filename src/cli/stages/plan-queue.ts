/**
 * Keeps the annotation queue of a plan and the plan itself in step, while a desk is open: prompts that the plan wants
 * annotated are put up, labels that have come are recorded as arrived, and those that were taken back as gone.
 *
 * What a running training run does with the plan is its own matter: while one goes on, nothing is recorded here.
 */
import { plannedWishes } from '../../label/live.ts';
import type { Queue } from '../../label/queue/types.ts';
import type { Store } from '../../store/types.ts';
import type { TriagePlan } from '../../triage/types.ts';
import type { Config } from '../config.ts';
import { recordArrival, recordWithdrawal, savedPlan } from './labels.ts';

export interface PlanQueueNeeds {
  store: Store;
  config: Config;
  account: string;
  queue: Pick<Queue, 'order' | 'tasks' | 'withdraw'>;
  onFault: (error: unknown) => void;
}

/** What one look came to. */
export interface Synced {
  /** Prompts that are new in the queue. */
  ordered: number;
  /** Labels that were recorded as arrived. */
  arrived: number;
  /** Prompts that the plan does not want any more. */
  withdrawn: number;
}

/** Time between two looks whether anything changed, in milliseconds, and after news. */
const everyMs = 2_000;
const soonMs = 250;
/** A look may take this part of the time at most: it reads the whole plan. */
const share = 0.1;

export class PlanQueue {
  private readonly needs: PlanQueueNeeds;
  private known = '';
  private revision: number | undefined;
  /** What was put up for this revision: it stays up, and to look at all of it again would keep everybody else waiting. */
  private readonly putUp = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<unknown> = Promise.resolve();
  private restUntil = 0;
  private closed = false;

  constructor(needs: PlanQueueNeeds) {
    this.needs = needs;
  }

  /** Puts up what waits, and looks again from then on. */
  async open(): Promise<Synced> {
    const synced = await this.sync();
    this.schedule(everyMs);
    return synced;
  }

  /** Labels have come or gone: looks soon. */
  poke(): void {
    this.schedule(soonMs);
  }

  /** Records what has come, and stops looking. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.looking;
    await this.sync();
  }

  /** Brings both in step where anything changed since the last time. */
  async sync(): Promise<Synced> {
    const { store, account, config } = this.needs;
    const nothing = { ordered: 0, arrived: 0, withdrawn: 0 };
    const { runs, labels } = await store.watch.topics(account, 0);
    const now = `${runs} ${labels}`;
    if (now === this.known) return nothing;
    const { labelled, lost } = await this.labels();
    const unseen = await this.orderImages(labelled);
    if (!(await store.plans.names()).includes(config.triage.plan)) {
      this.known = now;
      return { ...nothing, ordered: unseen };
    }
    const { plan, revision } = await savedPlan(store, config.triage.plan);
    const arrived = await this.record(plan, labelled, lost);
    const waiting = await this.waiting(plan, labelled);
    if (revision !== this.revision) this.putUp.clear();
    const ordered = await this.order(waiting);
    const withdrawn = revision === this.revision ? 0 : await this.withdraw(plan);
    this.known = now;
    this.revision = revision;
    return { ordered: ordered + unseen, arrived, withdrawn };
  }

  /** Prompts with images, which no plan can have: they come after all that training wants. */
  private async orderImages(labelled: ReadonlySet<string>): Promise<number> {
    const { store, config, queue } = this.needs;
    if (!config.label.images) return 0;
    const open = (await store.prompts.withImages()).filter(
      (id) => !labelled.has(id) && !this.putUp.has(id),
    );
    const why = { reason: 'image', run: null, step: null };
    const ordered = await queue.order(
      open.map((promptId, i) => ({ promptId, utility: -i / open.length, ...why })),
    );
    for (const id of open) this.putUp.add(id);
    return ordered;
  }

  /** Prompts that wait for a label, the most uncertain first. */
  private async waiting(plan: TriagePlan, labelled: ReadonlySet<string>): Promise<string[]> {
    const states = await this.needs.store.transitions.routes(plan.name);
    return plan.decisions
      .map(({ promptId }) => promptId)
      .filter((id) => states.get(id) === 'annotate' && !labelled.has(id))
      .reverse();
  }

  private async order(promptIds: readonly string[]): Promise<number> {
    const wishes = plannedWishes(promptIds).filter(({ promptId }) => !this.putUp.has(promptId));
    if (wishes.length === 0) return 0;
    const orders = wishes.map((one) => ({ ...one, run: null, step: null }));
    const ordered = await this.needs.queue.order(orders);
    for (const { promptId } of wishes) this.putUp.add(promptId);
    return ordered;
  }

  private async record(
    plan: TriagePlan,
    labelled: ReadonlySet<string>,
    lost: ReadonlySet<string>,
  ): Promise<number> {
    const { store, config } = this.needs;
    const runs = await store.runs.list();
    // A run keeps the routes of its plan in memory: two that record one arrival would contradict each other.
    if (runs.some((run) => run.status === 'running' && run.plan === plan.name)) return 0;
    const states = await store.transitions.routes(plan.name);
    const arrived = [...states].flatMap(([id, state]) =>
      state === 'annotate' && labelled.has(id) ? [id] : [],
    );
    if (arrived.length > 0) await recordArrival(store, config, plan, arrived);
    const gone = [...states].flatMap(([id, state]) =>
      state === 'annotated' && lost.has(id) ? [id] : [],
    );
    if (gone.length > 0) await recordWithdrawal(store, config, plan, gone);
    return arrived.length;
  }

  /** Prompts with a label, and those whose labels were all taken back. */
  private async labels(): Promise<Record<'labelled' | 'lost', Set<string>>> {
    const { store, account } = this.needs;
    const known = await store.labels.audit(account);
    const labelled = new Set(
      known.flatMap(({ promptId, withdrawnAt }) => (withdrawnAt === null ? [promptId] : [])),
    );
    const lost = known.map(({ promptId }) => promptId).filter((id) => !labelled.has(id));
    return { labelled, lost: new Set(lost) };
  }

  /** The plan was made anew: what only its older revision wanted is taken down. */
  private async withdraw(plan: TriagePlan): Promise<number> {
    const wanted = new Set(
      plan.decisions.flatMap(({ promptId, route }) => (route === 'annotate' ? [promptId] : [])),
    );
    const stale = (await this.needs.queue.tasks())
      .filter(({ state, gold }) => !gold && (state === 'open' || state === 'adjudicate'))
      .filter(({ run, reason }) => run === null && reason === 'planned')
      .map(({ promptId }) => promptId)
      .filter((id) => !wanted.has(id));
    return await this.needs.queue.withdraw(stale);
  }

  private schedule(delay: number): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    const rest = Math.max(delay, this.restUntil - performance.now());
    this.timer = setTimeout(() => this.look(), rest);
  }

  private look(): void {
    this.looking = this.looking.then(async () => {
      const begun = performance.now();
      await this.sync().catch((error) => this.needs.onFault(error));
      const took = performance.now() - begun;
      this.restUntil = performance.now() + took / share;
      this.schedule(everyMs);
    });
  }
}
