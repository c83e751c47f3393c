/** The groups of one step: drawn, sampled, voted on, labelled where that pays, rewarded. */
import type { Methods } from '../method/methods.ts';
import type { Group, Lab } from '../method/types.ts';
import type { Prompt } from '../pool/types.ts';
import type { Seen, Target, VerifierOf } from '../reward/types.ts';
import { countVotes } from '../reward/votes.ts';
import type { Response, Sampling } from '../rollout/types.ts';
import { rewardGroup } from './groups.ts';
import type { Policy } from './policy.ts';
import type { Schedule } from './schedule.ts';
import type { TrainPorts, TrainSettings, TrainState } from './types.ts';

/** What sampling and rewarding a batch needs of a training job. */
export interface BatchJob {
  policy: Pick<Policy, 'generate'>;
  settings: TrainSettings;
  schedule: Schedule;
  methods: Methods;
  prompts: ReadonlyMap<string, Prompt>;
  sampling: Sampling;
  verifierOf: VerifierOf;
  ports: TrainPorts;
}

export interface Batch {
  groups: Group[];
  /** Groups that were drawn in place of others. */
  replaced: number;
}

/** Sample numbers of a lab and of second opinions count from here, apart from those of training. */
const LAB_SAMPLE = 2_000_000_000;
const SECOND_SAMPLE = 1_000_000_000;

/** Groups until as many count as the step wants prompts, or the rounds are used up. `labels` grows by what is bought. */
export async function sampleBatch(
  job: BatchJob,
  state: TrainState,
  step: number,
  labels: Map<string, string>,
): Promise<Batch> {
  const { settings, methods } = job;
  const groups: Group[] = [];
  let replaced = 0;
  let wanted = settings.promptsPerStep;
  for (let round = 0; round <= methods.rounds && wanted > 0; round++) {
    const draw = () => drawFresh(job, state, step, wanted, groups);
    let fresh = draw();
    if (fresh.length === 0 && round === 0 && job.ports.left().size > 0) {
      await waitForChange(job, step, labels);
      fresh = draw();
    }
    if (fresh.length === 0) break;
    if (round > 0) replaced += fresh.length;
    const seen = await sampleGroups(job, state, labels, step, fresh);
    await buyLabels(job, step, seen, labels);
    groups.push(...(await rewardAll(job, step, seen, labels)));
    wanted = settings.promptsPerStep - groups.filter((group) => methods.counts(group)).length;
  }
  return { groups, replaced };
}

/** What methods may ask for before the first step; its rollouts are counted in `state`. */
export function labOf(job: BatchJob, state: TrainState, labels: ReadonlyMap<string, string>): Lab {
  return {
    promptIds: job.schedule.promptIds,
    async sample(promptIds, samples) {
      const seen = await sample(job, state, labels, promptIds, LAB_SAMPLE, samples, false);
      return await rewardAll(job, 0, seen, labels);
    },
  };
}

/**
 * Up to `count` prompts that the methods admit and the step has not had yet: a small pool comes round again within a
 * step, and the same group twice would count twice.
 */
function drawFresh(
  { schedule, methods, ports }: BatchJob,
  state: TrainState,
  step: number,
  count: number,
  groups: readonly Group[],
): string[] {
  const had = new Set([...groups.map(({ promptId }) => promptId), ...ports.left()]);
  const fresh = new Set<string>();
  // One pass over the schedule at most: when nobody is admitted any more, the step goes without.
  for (let left = schedule.promptIds.length; fresh.size < count && left > 0; ) {
    const drawn = schedule.draw(step, state.cursor, Math.min(count - fresh.size, left));
    if (drawn.length === 0) break;
    state.cursor += drawn.length;
    left -= drawn.length;
    for (const id of drawn) if (!had.has(id) && methods.admits(id, step)) fresh.add(id);
  }
  return [...fresh];
}

/**
 * G responses to each prompt. With a pilot a group that is of one mind after so many rollouts gets no more: it would most
 * likely have no gradient.
 */
async function sampleGroups(
  job: BatchJob,
  state: TrainState,
  labels: ReadonlyMap<string, string>,
  step: number,
  promptIds: readonly string[],
): Promise<Seen[]> {
  const { groupSize } = job.settings;
  const first = step * groupSize;
  const pilot = Math.min(job.methods.pilot ?? groupSize, groupSize);
  const begun = await sample(job, state, labels, promptIds, first, pilot);
  const open = begun.flatMap(({ promptId, vote }) => (vote.share < 1 ? [promptId] : []));
  if (pilot === groupSize || open.length === 0) return begun;
  const responses = await respond(job, state, open, first + pilot, groupSize - pilot);
  return await Promise.all(
    begun.map(async (seen) => {
      const more = responses.get(seen.promptId);
      return more === undefined
        ? seen
        : await withVote(job, { ...seen, responses: [...seen.responses, ...more] });
    }),
  );
}

/** `samples` responses to each prompt, numbered from `first`, with their votes. */
async function sample(
  job: BatchJob,
  state: TrainState,
  labels: ReadonlyMap<string, string>,
  promptIds: readonly string[],
  first: number,
  samples: number,
  traced = true,
): Promise<Seen[]> {
  const responses = await respond(job, state, promptIds, first, samples, traced);
  const unlabelled = promptIds.filter((id) => !labels.has(id));
  const seconds = await secondOpinions(job, state, unlabelled, first);
  return await Promise.all(
    promptIds.map((promptId) => {
      const second = seconds.get(promptId);
      const own = { promptId, responses: responses.get(promptId) ?? [] };
      return withVote(job, second === undefined ? own : { ...own, second });
    }),
  );
}

async function withVote({ verifierOf }: BatchJob, seen: Omit<Seen, 'vote'>): Promise<Seen> {
  const texts = seen.responses.map(({ text }) => text);
  return { ...seen, vote: await countVotes(texts, verifierOf(seen.promptId)) };
}

/** Responses of the policy by prompt, counted in `state`. */
async function respond(
  job: BatchJob,
  state: TrainState,
  promptIds: readonly string[],
  first: number,
  samples: number,
  traced = true,
): Promise<Map<string, Response[]>> {
  const { schedule, policy, sampling } = job;
  const requests = promptIds.flatMap((promptId) => {
    const { prompt } = promptOf(job, promptId);
    return Array.from({ length: samples }, (_, i) => ({ promptId, sample: first + i, prompt }));
  });
  const responses = await policy.generate(requests, sampling, traced ? schedule.trace : undefined);
  count(state, responses);
  return new Map(promptIds.map((id, i) => [id, responses.slice(i * samples, (i + 1) * samples)]));
}

/** The second responses that the reward wants for prompts without a label, by prompt. */
async function secondOpinions(
  job: BatchJob,
  state: TrainState,
  promptIds: readonly string[],
  first: number,
): Promise<Map<string, Response[]>> {
  const { policy, methods, sampling } = job;
  const prompts = promptIds.map((id) => promptOf(job, id));
  const found = new Map<string, Response[]>();
  for (const by of ['policy', 'teacher'] as const) {
    const requests = prompts.flatMap((prompt) => {
      const second = methods.second(prompt);
      if (second?.by !== by) return [];
      return Array.from({ length: second.samples }, (_, i) => ({
        ...{ promptId: prompt.id, prompt: second.prompt },
        sample: SECOND_SAMPLE + first + i,
      }));
    });
    if (requests.length === 0) continue;
    const responses = await policy.generate(requests, sampling, undefined, undefined, by);
    count(state, responses);
    for (const one of responses) found.set(one.promptId, [...(found.get(one.promptId) ?? []), one]);
  }
  return found;
}

function promptOf({ prompts }: BatchJob, promptId: string): Prompt {
  const prompt = prompts.get(promptId);
  if (prompt === undefined) throw new Error(`prompt ${promptId} was drawn and is not in the pool`);
  return prompt;
}

function count(state: TrainState, responses: readonly Response[]): void {
  state.rollouts += responses.length;
  state.tokens += responses.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** Asks for the labels that schedule and methods want, and puts those that are there into `labels`. */
async function buyLabels(
  { schedule, methods, ports }: BatchJob,
  step: number,
  seen: readonly Seen[],
  labels: Map<string, string>,
): Promise<void> {
  // Neither a label that is there nor one that nobody can give is asked for.
  const settled = new Set([...labels.keys(), ...(await ports.refused(step))]);
  const wanted = new Set([...schedule.wanted(seen), ...methods.wanted(step, seen, settled)]);
  const missing = [...wanted].filter((id) => !settled.has(id));
  if (missing.length === 0) return;
  const asked = seen.filter(({ promptId }) => missing.includes(promptId));
  await ports.moved(schedule.asked(step, asked));
  const wishes = missing.map((promptId) => ({ promptId, utility: schedule.utilityOf(promptId) }));
  const got = await ports.request(wishes, step);
  for (const [id, answer] of got) labels.set(id, answer);
  await ports.moved(schedule.labelled(step, [...got.keys()]));
  await ports.moved(schedule.refused(step, await ports.refused(step)));
}

/** Where every prompt that could be drawn is left until it has its label: a step without groups would teach nothing. */
async function waitForChange(
  { ports, schedule }: BatchJob,
  step: number,
  labels: Map<string, string>,
): Promise<void> {
  for (const [id, answer] of await ports.change(step)) labels.set(id, answer);
  await ports.moved(schedule.labelled(step, [...labels.keys()]));
  await ports.moved(schedule.refused(step, await ports.refused(step)));
}

async function rewardAll(
  job: BatchJob,
  step: number,
  seen: readonly Seen[],
  labels: ReadonlyMap<string, string>,
): Promise<Group[]> {
  const left = job.ports.left();
  return await Promise.all(
    seen.map((one) => {
      const answer = labels.get(one.promptId);
      const target: Target =
        answer === undefined
          ? { kind: left.has(one.promptId) ? 'none' : job.schedule.targetOf(one.promptId) }
          : { kind: 'label', answer };
      return rewardGroup(step, one, target, job);
    }),
  );
}
