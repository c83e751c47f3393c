/**
 * The desk where training buys labels: a budget, a source and the store's account.
 *
 * Several desks work side by side, one per account; what one bought no other sees. Knows nothing of
 * where the source has its answers, and hands out no hint of whether an answer is right.
 */
import { UserError } from '../core/errors.ts';
import type { LabelRecord, OwnedLabel, Store } from '../store/types.ts';
import type { Label, LabelDesk, LabelSource, Moment } from './types.ts';

export interface DeskSettings {
  store: Pick<Store, 'labels'>;
  /** Whose labels these are: an arm, a run or a plan. */
  account: string;
  /** Labels in all, those already owned included; null = no limit. */
  budget: number | null;
  /** Where labels come from; null when only those already in the account are used. */
  source: LabelSource | null;
  /** Training steps from the purchase to the arrival of a label. Default 0. */
  delaySteps?: number;
}

/** Opens a desk. UserError for a budget or a delay that is no whole number from 0. */
export function openDesk(settings: DeskSettings): LabelDesk {
  const { store, account, budget, source, delaySteps = 0 } = settings;
  requireCount('budget', budget ?? 0);
  requireCount('delay_steps', delaySteps);
  // Requests of one desk are served one after the other: two at once could both see the last label free.
  let last: Promise<unknown> = Promise.resolve();
  const refused = new Set<string>();

  const serve = async (promptIds: readonly string[], moment: Moment): Promise<Label[]> => {
    const ids = [...new Set(promptIds)];
    const owned = firstPerPrompt(await store.labels.owned(account, ids));
    const missing = ids.filter((id) => !owned.has(id));
    if (source !== null && missing.length > 0) {
      for (const label of await buy(source, missing, moment)) owned.set(label.promptId, label);
    }
    for (const id of missing) if (!owned.has(id)) refused.add(id);
    return ids
      .map((id) => owned.get(id))
      .filter((label) => label !== undefined)
      .filter((label) => hasArrived(label, moment, delaySteps, true))
      .map(labelOf);
  };

  /** Offers as many prompts as the budget has room for, until the budget or the prompts are used up. */
  const buy = async (
    from: LabelSource,
    missing: readonly string[],
    moment: Moment,
  ): Promise<OwnedLabel[]> => {
    const bought: LabelRecord[] = [];
    let room = budget === null ? missing.length : budget - (await store.labels.count(account));
    for (let at = 0; at < missing.length && room > 0; ) {
      const offer = missing.slice(at, at + room);
      at += offer.length;
      const sold = await from.buy(offer, { account, ...moment });
      const records = sold.map((label) => ({ ...label, ...moment }));
      await store.labels.add(account, records, budget ?? undefined);
      // Not spread: a call takes some hundred thousand arguments at most.
      for (const record of records) bought.push(record);
      room -= records.length;
    }
    return bought;
  };

  return {
    account,
    budget,
    request(promptIds, moment) {
      const served = last.then(() => serve(promptIds, moment));
      last = served.catch(() => undefined);
      return served;
    },
    async arrived(moment) {
      const owned = firstPerPrompt(await store.labels.owned(account));
      return [...owned.values()]
        .filter((label) => hasArrived(label, moment, delaySteps, false))
        .map(labelOf);
    },
    refused: () => [...refused],
    async spent(moment) {
      if (moment === undefined) return await store.labels.count(account);
      const owned = firstPerPrompt(await store.labels.owned(account));
      return [...owned.values()].filter(({ step }) => step === null || step <= (moment.step ?? -1))
        .length;
    },
  };
}

/**
 * Labels bought before training are there from the start. A resumed run may own labels that it bought
 * later than where it stands now: they show up only when it asks for them, as they did the first time.
 */
function hasArrived(
  label: OwnedLabel,
  { step }: Moment,
  delaySteps: number,
  asked: boolean,
): boolean {
  if (label.step === null) return true;
  if (step === null) return asked && delaySteps === 0;
  const bought = asked ? Math.min(label.step, step) : label.step;
  return bought + delaySteps <= step;
}

/** Where several people answered one prompt, the first answer counts. */
export function firstPerPrompt(labels: readonly OwnedLabel[]): Map<string, OwnedLabel> {
  const first = new Map<string, OwnedLabel>();
  for (const label of labels) if (!first.has(label.promptId)) first.set(label.promptId, label);
  return first;
}

/** Field by field: a record carries more than training may see. */
export function labelOf({ promptId, answer, source, cost }: OwnedLabel): Label {
  return { promptId, answer, source, cost };
}

/** UserError unless the setting `label.KEY` is a whole number from 0. */
export function requireCount(key: string, value: number): void {
  if (Number.isInteger(value) && value >= 0) return;
  throw new UserError({
    wanted: `a whole number from 0 as ${key}`,
    found: String(value),
    where: `label.${key}`,
  });
}
