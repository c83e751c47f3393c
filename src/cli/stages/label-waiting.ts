/** What waits for a label: the questions of the queue and of the plan, or the probes where there is no plan yet. */
import { openDesk } from '../../label/desk.ts';
import type { OutgoingTask, PolicyVote } from '../../label/formats/types.ts';
import type { RolloutDigest, Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { savedPlan } from './labels.ts';
import { draftPlan } from './triage.ts';
import { withVerifiers } from './workspace.ts';

type Wanted = Pick<OutgoingTask, 'utility' | 'reason' | 'run' | 'step'> & { promptId: string };

/** Rollouts of this round are those of the policy before training. */
const ROUND = 0;

/**
 * Prompts of the account that have no label and want one, the most wanted first: those in the queue, then those that the
 * plan routes to annotate, then those with images where `label.images` is set. What people closed without a label is left out, and so are questions whose answer is known.
 * UserError where there is neither a queue nor a plan, and no trace to draw probes from.
 */
export async function waitingTasks(
  store: Store,
  config: Config,
  account: string,
  withVotes: boolean,
): Promise<OutgoingTask[]> {
  const tasks = await store.desk.tasks(account);
  const owned = new Set((await store.labels.owned(account)).map(({ promptId }) => promptId));
  const asked = new Set(tasks.map(({ promptId }) => promptId));
  const queued = tasks.filter(
    ({ state, gold }) => !gold && (state === 'open' || state === 'adjudicate'),
  );
  const planned = await plannedPrompts(store, config, account, queued.length > 0);
  const unseen = config.label.images ? await imagePrompts(store) : [];
  const others = [...planned, ...unseen].filter(({ promptId }) => !asked.has(promptId));
  const wanted: Wanted[] = [...queued, ...others];
  const waiting = wanted.filter(({ promptId }) => !owned.has(promptId));
  const votes = withVotes ? votesOf(await store.rollouts.digests(ROUND)) : undefined;
  const prompts = await store.prompts.list(waiting.map(({ promptId }) => promptId));
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  return waiting.flatMap(({ promptId, utility, reason, run, step }) => {
    const prompt = byId.get(promptId);
    if (prompt === undefined) return [];
    const { id, prompt: content, source } = prompt;
    const vote = votes?.get(id) ?? null;
    return [{ id, prompt: content, source, utility, reason, run, step, vote }];
  });
}

/** Prompts with images, which no plan can have. */
async function imagePrompts(store: Store): Promise<Wanted[]> {
  const ids = await store.prompts.withImages();
  return ids.map((promptId) => ({
    ...{ promptId, utility: null, reason: 'image' },
    ...{ run: null, step: null },
  }));
}

async function plannedPrompts(
  store: Store,
  config: Config,
  account: string,
  hasQueue: boolean,
): Promise<Wanted[]> {
  const moment = { run: null, step: null };
  if (!(await store.plans.names()).includes(config.triage.plan)) {
    if (hasQueue) return [];
    const desk = openDesk({ store, account, budget: null, source: null });
    const { probesToBuy } = await withVerifiers(config, (verifiers) =>
      draftPlan({ store, config, desk, verifiers }),
    );
    return probesToBuy.map((promptId) => ({
      ...{ promptId, utility: null, reason: 'probe' },
      ...moment,
    }));
  }
  const { plan } = await savedPlan(store, config.triage.plan);
  const states = await store.transitions.routes(plan.name);
  return plan.decisions
    .filter(({ promptId }) => states.get(promptId) === 'annotate')
    .map(({ promptId, score }) => ({ promptId, utility: score, reason: 'planned', ...moment }))
    .reverse();
}

/** Per prompt the answer that most of its responses give; prompts where two are given equally often have none. */
export function votesOf(
  digests: readonly Pick<RolloutDigest, 'promptId' | 'answer' | 'answerClass'>[],
): Map<string, PolicyVote> {
  const votes = new Map<string, PolicyVote>();
  for (const [promptId, group] of grouped(digests, (one) => one.promptId)) {
    const read = group.filter(({ answerClass }) => answerClass >= 0);
    const classes = grouped(read, (one) => one.answerClass);
    const [first, second] = [...classes.values()].sort((a, b) => b.length - a.length);
    const answer = first?.[0].answer ?? null;
    if (answer === null || first.length === second?.length) continue;
    votes.set(promptId, { answer, votes: first.length, samples: group.length });
  }
  return votes;
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
