/**
 * GRPO over a pool in which some prompts have labels and some have none.
 *
 * The loop knows neither the database nor where labels come from: it draws prompts, samples and rewards
 * groups, updates the policy, and tells its ports. All that it does at a step depends on the settings, the
 * state and the labels alone, so that a run goes on from a checkpoint bit for bit.
 */
import { Interrupted } from '../core/errors.ts';
import { type Progress, stopHere } from '../core/progress.ts';
import { stream } from '../core/random.ts';
import type { Group } from '../method/types.ts';
import type { Verifiers } from '../verify/verifiers.ts';
import { type BatchJob, labOf, sampleBatch } from './batch.ts';
import { evaluate } from './evaluate.ts';
import { sequencesOf, weighed } from './groups.ts';
import type { SurrogateSettings } from './loss.ts';
import type { Policy, StepSums } from './policy.ts';
import type {
  EvalItem,
  Evaluation,
  Question,
  StepMetrics,
  TrainEvents,
  TrainState,
} from './types.ts';

export interface TrainJob extends BatchJob {
  policy: Pick<Policy, 'generate' | 'referenceLogprobs' | 'step' | 'teach'>;
  evalItems: readonly EvalItem[];
  /** For the held-out questions, by their source. */
  verifiers: Pick<Verifiers, 'of'>;
  events: TrainEvents;
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
  const way = wayOf(settings);
  progress.start('train', way.total, way.unit);
  progress.update(way.done(state));
  if (state.step === 0) {
    if (settings.evalAtStart) await evaluateNow(job, state);
    await prepare(job, state);
  }
  while (!isDone(settings, state)) {
    if (job.stop.aborted) {
      // Before the first step there is nothing to keep: the run begins again, its first evaluation too.
      if (state.step > 0) await checkpoint(job, state);
      stopHere(job.stop, 'Training');
    }
    const metrics = await unlessStopped(job, state);
    job.events.stepDone(metrics);
    progress.update(way.done(state), { reward: round(metrics.reward), labels: state.labels });
    const last = isDone(settings, state);
    if (last || (settings.evalEvery > 0 && state.step % settings.evalEvery === 0)) {
      await evaluateNow(job, state);
    }
    if (last || state.step % settings.checkpointEvery === 0) await checkpoint(job, state);
  }
  progress.finish(`${state.step} steps, ${state.rollouts} rollouts, ${state.labels} labels`);
  return state;
}

/**
 * One step. One that is stopped while it waits for a label leaves a checkpoint of where it began: nothing has been
 * learned since.
 */
async function unlessStopped(job: TrainJob, state: TrainState): Promise<StepMetrics> {
  if (!job.ports.waits || state.step === 0) return await trainStep(job, state);
  const before = {
    ...state,
    schedule: job.schedule.save(),
    methods: job.methods.save(),
  };
  try {
    return await trainStep(job, state);
  } catch (error) {
    if (error instanceof Interrupted) await job.checkpoint(before);
    throw error;
  }
}

/** What progress is measured in: steps, or rollouts where they are what ends the run. */
function wayOf({ steps, maxRollouts }: TrainJob['settings']) {
  if (maxRollouts === null)
    return { total: steps, unit: 'steps', done: ({ step }: TrainState) => step };
  const done = ({ rollouts }: TrainState) => Math.min(rollouts, maxRollouts);
  return { total: maxRollouts, unit: 'rollouts', done };
}

/** The last step, or the one that used up the rollouts: one step is made in any case. */
function isDone({ steps, maxRollouts }: TrainJob['settings'], { step, rollouts }: TrainState) {
  return step >= steps || (step > 0 && maxRollouts !== null && rollouts >= maxRollouts);
}

/** What schedule and methods remember is put into the state only where it is kept: it may be as large as the pool. */
async function checkpoint(job: TrainJob, state: TrainState): Promise<void> {
  state.schedule = job.schedule.save();
  state.methods = job.methods.save();
  await job.checkpoint(state);
}

/** What methods learn before the first step. */
async function prepare(job: TrainJob, state: TrainState): Promise<void> {
  const started = job.clock();
  const labels = await job.ports.arrived(0);
  await job.methods.prepare(labOf(job, state, labels));
  state.seconds += job.clock() - started;
}

const round = (x: number) => Math.round(x * 1000) / 1000;

async function evaluateNow(job: TrainJob, state: TrainState): Promise<void> {
  const { settings, evalItems, policy, sampling, verifiers } = job;
  if (evalItems.length === 0) return;
  const by = settings.average > 0 ? 'teacher' : 'policy';
  const score = (samples: number) =>
    evaluate(policy, evalItems, samples, sampling, verifiers, undefined, by);
  const { average, perPrompt } = await score(settings.evalSamples);
  const { step } = state;
  const edge = step === 0 || isDone(settings, state);
  const due = edge || (settings.greedyEvery > 0 && step % settings.greedyEvery === 0);
  const greedy = due ? (await score(0)).average : null;
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
  const { ports, schedule, methods, settings } = job;
  const started = job.clock();
  const step = state.step + 1;
  const labels = new Map(await ports.arrived(state.step));
  await ports.moved(schedule.labelled(step, [...labels.keys()]));
  await ports.moved(schedule.refused(step, await ports.refused(state.step)));
  const { groups, replaced } = await sampleBatch(job, state, step, labels);
  if (settings.undecided === 'ask') job.events.asked(questionsOf(groups, step));
  const kept = methods.keep(step, groups);
  const trained = weighed(kept, await methods.weigh(step, kept));
  const sums = await updatePolicy(job, trained, step);
  await methods.observe(step, groups);
  await ports.moved(await schedule.observe(step, groups));
  state.step = step;
  state.labels = await ports.spent(step);
  const spent = job.clock() - started;
  state.seconds += spent;
  const rejected = groups.length - kept.length;
  return metricsOf(
    groups,
    { replaced, rejected, surprise: schedule.surprise() },
    sums,
    state,
    spent,
  );
}

/** What the step's groups leave for a person to judge. */
function questionsOf(groups: readonly Group[], step: number): Question[] {
  return groups.flatMap(({ promptId, responses, reward, target }) =>
    reward.undecided.map(({ rollout, reason, rung }) => {
      const gold = target.kind === 'label' ? target.answer : '';
      return { step, promptId, gold, response: responses[rollout].text, reason, rung };
    }),
  );
}

/** Epochs over the groups that move the policy, each cut into updates. */
async function updatePolicy(
  job: TrainJob,
  groups: readonly Group[],
  step: number,
): Promise<StepSums> {
  const { settings, policy, sampling, methods } = job;
  const active = groups.filter((group) => group.active);
  const clip = methods.clip({ low: settings.clipLow, high: settings.clipHigh });
  const surrogate: SurrogateSettings = {
    clipLow: clip.low,
    clipHigh: clip.high,
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
      const decay = methods.teacherDecay ?? (settings.average > 0 ? settings.average : null);
      if (decay !== null) await policy.teach(decay);
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

function metricsOf(
  groups: readonly Group[],
  { replaced, rejected, surprise }: { replaced: number; rejected: number; surprise: number | null },
  sums: StepSums,
  state: TrainState,
  seconds: number,
): StepMetrics {
  const scored = groups.filter(({ reward }) => reward.rewards !== null);
  const responses = groups.flatMap((group) => group.responses);
  const tokens = responses.reduce((sum, one) => sum + one.tokens.length, 0);
  const entropy = responses.reduce((sum, one) => sum + one.entropies.reduce((a, b) => a + b, 0), 0);
  const kinds = (kind: Group['reward']['kind']) =>
    groups.filter(({ reward }) => reward.kind === kind).length;
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
    groups_rejected: rejected,
    groups_verified: kinds('verified'),
    groups_majority: kinds('majority'),
    groups_intrinsic: kinds('intrinsic'),
    groups_without_reward: groups.length - scored.length,
    surprise,
    seconds,
  };
}
