/**
 * GRPO over a pool in which some prompts have labels and some have none.
 *
 * The loop knows neither the database nor where labels come from: it draws prompts, samples and rewards
 * groups, updates the policy, and tells its ports. All that it does at a step depends on the settings, the
 * state and the labels alone, so that a run goes on from a checkpoint bit for bit.
 */
import { type Progress, stopHere } from '../core/progress.ts';
import { stream } from '../core/random.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { Prompt } from '../pool/types.ts';
import type { VerifierOf } from '../reward/types.ts';
import type { Sampling } from '../rollout/types.ts';
import type { DynamicRouter } from '../triage/dynamic.ts';
import type { Visit } from '../triage/dynamic-types.ts';
import type { Verifiers } from '../verify/verifiers.ts';
import { evaluate } from './evaluate.ts';
import { type Group, rewardGroup, sequencesOf } from './groups.ts';
import type { SurrogateSettings } from './loss.ts';
import type { Policy, Response, StepSums } from './policy.ts';
import type { Schedule } from './schedule.ts';
import type {
  EvalItem,
  Evaluation,
  Question,
  StepMetrics,
  TrainEvents,
  TrainPorts,
  TrainSettings,
  TrainState,
} from './types.ts';

export interface TrainJob {
  policy: Policy;
  settings: TrainSettings;
  schedule: Schedule;
  prompts: ReadonlyMap<string, Prompt>;
  evalItems: readonly EvalItem[];
  sampling: Sampling;
  /** For the held-out questions, by their source. */
  verifiers: Pick<Verifiers, 'of'>;
  /** For the prompts of the pool. */
  verifierOf: VerifierOf;
  ports: TrainPorts;
  events: TrainEvents;
  /** With dynamic routing: what is traced, and the score of a visited prompt from its responses. */
  tracing: {
    request: TraceRequest;
    score(promptId: string, responses: Response[]): Promise<number>;
  } | null;
  progress: Progress;
  stop: AbortSignal;
  /** Writes a checkpoint of the policy and this state. */
  checkpoint(state: TrainState): Promise<void>;
  /** Processor-independent time in seconds. */
  clock(): number;
}

/** Trains from `state` to the last step; changes and returns `state`. Throws Interrupted after a checkpoint. */
export async function train(job: TrainJob, state: TrainState): Promise<TrainState> {
  const { settings, progress } = job;
  progress.start('train', settings.steps, 'steps');
  progress.update(state.step);
  if (state.step === 0) await evaluateNow(job, state);
  while (state.step < settings.steps) {
    if (job.stop.aborted) {
      // Before the first step there is nothing to keep: the run begins again, its first evaluation too.
      if (state.step > 0) await job.checkpoint(state);
      stopHere(job.stop, 'Training');
    }
    const metrics = await trainStep(job, state);
    job.events.stepDone(metrics, job.schedule.router?.report() ?? null);
    progress.update(state.step, { reward: round(metrics.reward), labels: state.labels });
    const last = state.step === settings.steps;
    if (last || (settings.evalEvery > 0 && state.step % settings.evalEvery === 0)) {
      await evaluateNow(job, state);
    }
    if (last || state.step % settings.checkpointEvery === 0) await job.checkpoint(state);
  }
  progress.finish(`${settings.steps} steps, ${state.rollouts} rollouts, ${state.labels} labels`);
  return state;
}

const round = (x: number) => Math.round(x * 1000) / 1000;

async function evaluateNow(job: TrainJob, state: TrainState): Promise<void> {
  const { settings, evalItems, policy, sampling, verifiers } = job;
  if (evalItems.length === 0) return;
  const { average, perPrompt } = await evaluate(
    policy,
    evalItems,
    settings.evalSamples,
    sampling,
    verifiers,
  );
  const { step } = state;
  const edge = step === 0 || step === settings.steps;
  const due = edge || (settings.greedyEvery > 0 && step % settings.greedyEvery === 0);
  const greedy = due ? (await evaluate(policy, evalItems, 0, sampling, verifiers)).average : null;
  const evaluation: Evaluation = {
    step,
    average,
    perPrompt,
    greedy,
    rollouts: state.rollouts,
    tokens: state.tokens,
    labels: state.labels,
    seconds: state.seconds,
  };
  job.events.evaluated(evaluation);
}

async function trainStep(job: TrainJob, state: TrainState): Promise<StepMetrics> {
  const { ports, schedule } = job;
  const started = job.clock();
  const step = state.step + 1;
  const labels = await ports.arrived(state.step);
  await takeLabels(job, step, labels);
  const { groups, replaced } = await sampleGroups(job, state, step, labels);
  if (job.settings.undecided === 'ask') job.events.asked(questionsOf(groups, step, labels));
  const sums = await updatePolicy(job, groups, step);
  if (schedule.router !== null) await moveRoutes(job, step, groups);
  state.step = step;
  state.labels = await ports.spent(step);
  state.router = schedule.router?.save() ?? null;
  const spent = job.clock() - started;
  state.seconds += spent;
  return metricsOf(groups, replaced, sums, state, spent);
}

/** Groups until the step has as many that move the policy as it wants prompts, or the rounds are used up. */
async function sampleGroups(
  job: TrainJob,
  state: TrainState,
  step: number,
  labels: ReadonlyMap<string, string>,
): Promise<{ groups: Group[]; replaced: number }> {
  const { settings, schedule } = job;
  const groups: Group[] = [];
  let replaced = 0;
  let wanted = settings.promptsPerStep;
  for (let attempt = 0; attempt <= settings.resampleRounds && wanted > 0; attempt++) {
    const drawn = schedule.draw(step, state.cursor, wanted);
    state.cursor += drawn.length;
    // A small pool comes round again within a step; the same group twice would count twice.
    const fresh = [...new Set(drawn)].filter((id) =>
      groups.every((group) => group.promptId !== id),
    );
    if (fresh.length === 0) break;
    if (attempt > 0) replaced += fresh.length;
    const made = await sampleAndReward(job, state, step, fresh, labels);
    groups.push(...made);
    wanted = settings.promptsPerStep - groups.filter(({ active }) => active).length;
  }
  return { groups, replaced };
}

async function sampleAndReward(
  job: TrainJob,
  state: TrainState,
  step: number,
  promptIds: readonly string[],
  labels: ReadonlyMap<string, string>,
): Promise<Group[]> {
  const { settings, schedule, verifierOf } = job;
  const size = settings.groupSize;
  const requests = promptIds.flatMap((promptId) => {
    const prompt = job.prompts.get(promptId);
    if (prompt === undefined)
      throw new Error(`prompt ${promptId} was drawn and is not in the pool`);
    return Array.from({ length: size }, (_, i) => ({
      promptId,
      sample: step * size + i,
      prompt: prompt.prompt,
    }));
  });
  const responses = await job.policy.generate(requests, job.sampling, job.tracing?.request);
  state.rollouts += responses.length;
  state.tokens += responses.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const rules = { labels, targetOf: schedule.targetOf, verifierOf, settings };
  return await Promise.all(
    promptIds.map((promptId, i) =>
      rewardGroup(promptId, responses.slice(i * size, (i + 1) * size), rules),
    ),
  );
}

/** What the step's groups leave for a person to judge. */
function questionsOf(
  groups: readonly Group[],
  step: number,
  labels: ReadonlyMap<string, string>,
): Question[] {
  return groups.flatMap(({ promptId, responses, reward }) =>
    reward.undecided.map(({ rollout, reason, rung }) => {
      const { text: response } = responses[rollout];
      return { step, promptId, gold: labels.get(promptId) ?? '', response, reason, rung };
    }),
  );
}

/** Epochs over the groups that move the policy, each cut into updates. */
async function updatePolicy(
  job: TrainJob,
  groups: readonly Group[],
  step: number,
): Promise<StepSums> {
  const { settings, policy, sampling } = job;
  const active = groups.filter((group) => group.active);
  const surrogate: SurrogateSettings = {
    clipLow: settings.clipLow,
    clipHigh: settings.clipHigh,
    kl: settings.kl,
    temperature: sampling.temperature > 0 ? sampling.temperature : 1,
  };
  const total: StepSums = { loss: 0, clipped: 0, kl: 0, gradNorm: 0, lr: 0 };
  let updates = 0;
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = stream(settings.seed, 'epoch', step, epoch).shuffled(active);
    const size = Math.ceil(order.length / settings.updatesPerEpoch);
    for (let at = 0; at < order.length; at += size) {
      const sequences = sequencesOf(order.slice(at, at + size), settings.loss);
      if (settings.kl > 0) {
        const reference = await policy.referenceLogprobs(sequences, surrogate.temperature);
        for (const [i, sequence] of sequences.entries()) sequence.reference = reference[i];
      }
      const sums = await policy.step(sequences, surrogate);
      for (const key of ['loss', 'clipped', 'kl', 'gradNorm', 'lr'] as const)
        total[key] += sums[key];
      updates += 1;
    }
  }
  const n = Math.max(1, updates);
  return {
    loss: total.loss / n,
    clipped: total.clipped / n,
    kl: total.kl / n,
    gradNorm: total.gradNorm / n,
    lr: total.lr / n,
  };
}

/** Tells the router which prompts that wait have their label: they are verified from this step on. */
async function takeLabels(
  { schedule: { router }, ports }: TrainJob,
  step: number,
  labels: ReadonlyMap<string, string>,
): Promise<void> {
  if (router === null) return;
  const came = waitingIn(router).filter((id) => labels.has(id));
  if (came.length > 0) await ports.moved(router.labelled(step, came));
}

function waitingIn(router: DynamicRouter): string[] {
  return [...router.states()].filter(([, state]) => state === 'annotate').map(([id]) => id);
}

/** Refreshes the routes with what the step saw, and buys the labels that this calls for. */
async function moveRoutes(job: TrainJob, step: number, groups: readonly Group[]): Promise<void> {
  const { router } = job.schedule;
  if (router === null) return;
  const visits = await Promise.all(
    groups.map(async ({ promptId, responses, reward, mean }): Promise<Visit> => {
      const visit: Visit = { promptId, voteShare: reward.voteShare, samples: responses.length };
      if (job.tracing !== null) visit.score = await job.tracing.score(promptId, responses);
      if (reward.kind === 'verified' && Number.isFinite(mean)) visit.passRate = mean;
      return visit;
    }),
  );
  await job.ports.moved(router.observe(step, visits));
  const waiting = waitingIn(router);
  if (waiting.length === 0) return;
  const got = await job.ports.request(waiting, step);
  await job.ports.moved(router.labelled(step, [...got.keys()]));
}

function metricsOf(
  groups: readonly Group[],
  replaced: number,
  sums: StepSums,
  state: TrainState,
  seconds: number,
): StepMetrics {
  const scored = groups.filter(({ reward }) => reward.rewards !== null);
  const responses = groups.flatMap((group) => group.responses);
  const tokens = responses.reduce((sum, one) => sum + one.tokens.length, 0);
  const entropy = responses.reduce((sum, one) => sum + one.entropies.reduce((a, b) => a + b, 0), 0);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  return {
    step: state.step,
    reward: mean(scored.map((group) => group.mean).filter(Number.isFinite)),
    reward_std: mean(scored.map((group) => group.std)),
    frac_reward_zero_std:
      groups.filter(({ active }) => !active).length / Math.max(1, groups.length),
    entropy: entropy / Math.max(1, tokens),
    kl: sums.kl,
    'clip_ratio/region_mean': sums.clipped,
    'completions/mean_length': tokens / Math.max(1, responses.length),
    num_tokens: state.tokens,
    loss: sums.loss,
    grad_norm: sums.gradNorm,
    learning_rate: sums.lr,
    labels_used: state.labels,
    rollouts: state.rollouts,
    groups: groups.length,
    groups_replaced: replaced,
    groups_verified: groups.filter(({ reward }) => reward.kind === 'verified').length,
    groups_majority: groups.filter(({ reward }) => reward.kind === 'majority').length,
    groups_without_reward: groups.length - scored.length,
    seconds,
  };
}
