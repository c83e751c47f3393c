/**
 * The annotation queue of an account: hands out the most useful question, takes answers, makes labels of them.
 *
 * Every call is one transaction, or a part of one that calls which come together share, but for the judge, which is slow
 * and is asked between two. How servers that share a
 * database keep out of each other's way is told in store/repositories/desk.ts. Knows nothing of HTTP, of sessions or
 * of who may do what: an annotator is an id.
 */
import { Turns } from '../../store/turns.ts';
import type { Store } from '../../store/types.ts';
import { contest, orderChecks } from './checks.ts';
import {
  annotationOf,
  checkedSettings,
  type NameOf,
  type QueueContext,
  taskOf,
} from './context.ts';
import { agreementOf, checksOf, disputesOf, figuresOf, progressOf } from './figures.ts';
import { handOut, release } from './hand-out.ts';
import { remembering } from './judging.ts';
import { order, orderGold, withdraw } from './orders.ts';
import { rule } from './rule.ts';
import { type Considered, submit, takeIn } from './submit.ts';
import { Together } from './together.ts';
import type { Judge, Next, Queue, QueueSettings, Verdict } from './types.ts';
import { undo } from './undo.ts';

export type { NameOf } from './context.ts';

/** What the queue asks others. */
export interface QueuePorts {
  judge: Judge;
  nameOf: NameOf;
  /** Milliseconds since 1970; the clocks of servers that share a queue should agree within a small part of a lease. */
  clock?: () => number;
  /** Told of what people did, within the transaction: it is kept with what it tells of, or neither is. */
  record?: QueueContext['record'];
}

/**
 * Opens the queue of `settings.account`. Several may be open on one database, with the same settings.
 * UserError for settings that make no sense.
 */
export function openQueue(
  store: Store,
  settings: QueueSettings,
  { judge, nameOf, clock = Date.now, record = async () => {} }: QueuePorts,
): Queue {
  const context: QueueContext = {
    store,
    settings: checkedSettings(settings),
    judge: remembering(judge),
    nameOf,
    clock,
    turns: new Turns(),
    record,
  };
  const asking = new Together<string, Next>(context, (tables, items) =>
    handOut(context, tables, items),
  );
  const saying = new Together<Considered, Verdict | undefined>(context, (tables, items) =>
    takeIn(context, tables, items),
  );
  const { account } = settings;
  return {
    settings,
    order: (tasks) => order(context, tasks),
    orderGold: (known) => orderGold(context, known),
    orderChecks: (promptIds, source) => orderChecks(context, promptIds, source),
    contest: (promptIds) => contest(context, promptIds),
    withdraw: (promptIds) => withdraw(context, promptIds),
    next: (annotator) => asking.do(annotator),
    submit: (annotator, submission) => submit(context, saying, annotator, submission),
    undo: (annotator) => undo(context, annotator),
    release: (annotator) => release(context, annotator),
    disputes: (limit) => disputesOf(context, limit),
    rule: (annotator, ruling) => rule(context, annotator, ruling),
    progress: () => progressOf(context),
    figures: () => figuresOf(context),
    checks: () => checksOf(context),
    agreement: () => agreementOf(context),
    annotations: async () => (await store.desk.annotations(account)).map(annotationOf),
    tasks: async (promptIds) => (await store.desk.tasks(account, promptIds)).map(taskOf),
  };
}
