/**
 * Where labels come from: the desk that the configuration describes, and labels for a plan.
 *
 * The answers stay inside the source; what leaves it was bought.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { openAnswerFile } from '../../label/answer-file.ts';
import { openDesk } from '../../label/desk.ts';
import type { LabelDesk, LabelSource } from '../../label/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import { decisionsFromJson, planFromJson } from '../../triage/disk.ts';
import { labelTransitions, withdrawalTransitions } from '../../triage/transitions.ts';
import type { TriagePlan } from '../../triage/types.ts';
import type { Config } from '../config.ts';
import { liveDesk } from './live-labels.ts';
import { writePlanFile } from './plan-file.ts';

export function labelAccount({ label, triage }: Config): string {
  return label.account ?? triage.plan;
}

/**
 * The desk of `account`. Labels of a file cost one each, wrong and late ones as the configuration says; where people or
 * a teacher give them, questions are put up, and nobody is waited for but the teacher.
 */
export async function labelDesk(
  store: Store,
  config: Config,
  account: string = labelAccount(config),
): Promise<LabelDesk> {
  if (config.label.source !== 'file') return await liveDesk({ store, config, account });
  const { budget, delay_steps: delaySteps } = config.label;
  return openDesk({ store, account, budget, delaySteps, source: await labelSource(config) });
}

/** All answer files as one source; null where there is none. */
async function labelSource({ label, workspace, seed }: Config): Promise<LabelSource | null> {
  const paths = label.answers === null ? sealedFiles(workspace) : [label.answers];
  const mistakes = { rate: label.error_rate, seed };
  // Beside the folder of answers, not in it: a pool may be called "ledger".
  const ledger = join(workspace, 'ledger.jsonl');
  const files = await Promise.all(paths.map((path) => openAnswerFile({ path, ledger, mistakes })));
  const [first, ...others] = files;
  if (first === undefined) return null;
  return others.length === 0 ? first : inTurn(files);
}

/** The answers that `pool` has sealed, one file per pool. */
export function sealedFiles(workspace: string): string[] {
  const folder = join(workspace, 'answers');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(folder, name));
}

/** Asks each source for what those before it did not have. */
function inTurn(sources: readonly LabelSource[]): LabelSource {
  return {
    name: sources[0].name,
    async buy(promptIds, buyer) {
      const sold = [];
      let missing = [...promptIds];
      for (const source of sources) {
        if (missing.length === 0) break;
        const labels = await source.buy(missing, buyer);
        const found = new Set(labels.map((label) => label.promptId));
        missing = missing.filter((id) => !found.has(id));
        for (const label of labels) sold.push(label);
      }
      return sold;
    },
  };
}

/** The plan saved under `name`. UserError where there is none. */
export async function savedPlan(
  store: Repositories,
  name: string,
): Promise<{ plan: TriagePlan; revision: number }> {
  const saved = await store.browse.planWithoutDecisions(name);
  if (saved !== undefined) {
    const plan = planFromJson(saved.body);
    // A page at a time: all of a large plan in two forms would not fit.
    for await (const page of store.plans.decisions(name)) {
      plan.decisions.push(...decisionsFromJson(page));
    }
    return { plan, revision: saved.revision };
  }
  const names = await store.plans.names();
  throw new UserError({
    wanted: `a triage plan called "${name}"`,
    found: names.length === 0 ? 'no plan' : `only ${names.join(', ')}`,
    fix: '`pivottrace triage` makes one.',
  });
}

export interface LabelsBought {
  /** Prompts of the plan that wait for a label or have got one now. */
  wanted: number;
  labelled: number;
  /** Still without: the source has no answer, or the budget is used up. */
  missing: number;
  /** Labels in the account. */
  spent: number;
}

/**
 * Buys labels for what the plan routes to annotate, the most uncertain first, and records their arrival; then, where
 * `label.images` is set, for prompts with images, which no plan can have.
 */
export async function buyPlanned(
  store: Store,
  config: Config,
  desk: LabelDesk,
): Promise<LabelsBought> {
  const { plan } = await savedPlan(store, config.triage.plan);
  const states = await store.transitions.routes(plan.name);
  const planned = plan.decisions
    .filter(({ promptId }) => states.get(promptId) === 'annotate')
    .map(({ promptId }) => promptId)
    .reverse();
  const unseen = config.label.images ? await store.prompts.withImages() : [];
  const wanted = [...planned, ...unseen];
  const labels = await desk.request(wanted, { run: null, step: null });
  const inPlan = new Set(planned);
  const arrived = labels.map(({ promptId }) => promptId).filter((id) => inPlan.has(id));
  await recordArrival(store, config, plan, arrived);
  return {
    wanted: wanted.length,
    labelled: labels.length,
    missing: wanted.length - labels.length,
    spent: await desk.spent(),
  };
}

/** Prompts of the plan whose label was taken back wait for one again; the manifest follows. */
export async function recordWithdrawal(
  store: Store,
  config: Config,
  plan: Pick<TriagePlan, 'name' | 'round'>,
  promptIds: readonly string[],
): Promise<void> {
  await record(withdrawalTransitions, store, config, plan, promptIds);
}

/** Prompts of the plan whose label is there become `annotated`; the manifest follows. */
export async function recordArrival(
  store: Store,
  config: Config,
  plan: Pick<TriagePlan, 'name' | 'round'>,
  promptIds: readonly string[],
): Promise<void> {
  await record(labelTransitions, store, config, plan, promptIds);
}

async function record(
  transitionsOf: typeof labelTransitions,
  store: Store,
  config: Config,
  plan: Pick<TriagePlan, 'name' | 'round'>,
  promptIds: readonly string[],
): Promise<void> {
  const occasion = { plan: plan.name, round: plan.round, step: null };
  const states = await store.transitions.routes(plan.name);
  await store.transitions.move(transitionsOf(promptIds, states, occasion));
  await writePlanFile(store, config.workspace, plan.name);
}
