/** Which prompts a step visits and which may have a label: a shuffled pass over fixed targets, or the scheduler. */
import { stream } from '../core/random.ts';
import type { Group } from '../method/types.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { Seen } from '../reward/types.ts';
import type { Response } from '../rollout/types.ts';
import { schedulerStateToJson } from '../triage/disk.ts';
import type { Scheduler } from '../triage/scheduler.ts';
import type { Visit } from '../triage/scheduler-types.ts';
import type { Transition } from '../triage/types.ts';
import type { Targets } from './types.ts';

export interface Schedule {
  /** Every prompt that may be drawn. */
  readonly promptIds: readonly string[];
  /** What is traced while rollouts are made; undefined = nothing. */
  readonly trace?: TraceRequest;
  /** `count` prompts; `drawn` prompts were drawn before in this run. */
  draw(step: number, drawn: number, count: number): string[];
  /** What stands in for a label that is not there. */
  targetOf(promptId: string): 'vote' | 'none';
  /** Prompts of the step that are worth a label, the most wanted first. */
  wanted(seen: readonly Seen[]): string[];
  /** Labels were asked for. */
  asked(step: number, seen: readonly Seen[]): Transition[];
  /** What a label for the prompt is expected to teach, 0..0.25. */
  utilityOf(promptId: string): number;
  /** Labels are there; those that were known before are passed over. */
  labelled(step: number, promptIds: readonly string[]): Transition[];
  /** Prompts that will get no label; likewise. */
  refused(step: number, promptIds: readonly string[]): Transition[];
  /** Takes in what the step saw. */
  observe(step: number, groups: readonly Group[]): Promise<Transition[]>;
  /** Mean absolute error of what was expected of the last step's groups; null where nothing is expected. */
  surprise(): number | null;
  /** JSON; what the schedule of a resumed run is made with. */
  save(): unknown;
}

/** Of a prompt of which nothing is known: fixed targets expect nothing. */
const UNKNOWN_UTILITY = 0.25;

/**
 * Every target once per pass, in an order that depends on seed and pass alone. `asking`: labels of the targets that want
 * one may come while training goes on; they are asked for when their prompts are drawn.
 */
export function shuffledSchedule(targets: Targets, seed: number, asking = false): Schedule {
  const ids = [...targets.keys()];
  let pass = -1;
  let order: string[] = [];
  return {
    promptIds: ids,
    targetOf: (promptId) => (targets.has(promptId) ? 'vote' : 'none'),
    draw(_step, drawn, count) {
      return Array.from({ length: Math.min(count, ids.length) }, (_, i) => {
        const at = drawn + i;
        const wanted = Math.floor(at / ids.length);
        if (wanted !== pass) {
          pass = wanted;
          order = stream(seed, 'pass', pass).shuffled(ids);
        }
        return order[at % ids.length];
      });
    },
    wanted: (seen) =>
      asking
        ? seen.flatMap(({ promptId }) => (targets.get(promptId) === 'label' ? [promptId] : []))
        : [],
    asked: () => [],
    utilityOf: () => UNKNOWN_UTILITY,
    labelled: () => [],
    refused: () => [],
    observe: async () => [],
    surprise: () => null,
    save: () => null,
  };
}

/** How training rollouts are traced and what the scheduler reads off the traces of one group. */
export interface GroupTracing {
  request: TraceRequest;
  read(promptId: string, responses: readonly Response[]): Promise<number[]>;
}

/** Draws by expected utility, asks for labels where groups disagree. */
export function scheduled(
  scheduler: Scheduler,
  promptIds: readonly string[],
  seed: number,
  tracing: GroupTracing | null,
): Schedule {
  const votes = (seen: readonly Seen[]) =>
    seen.map(({ promptId, vote }) => ({ promptId, voteShare: vote.share }));
  const visitOf = async (group: Group): Promise<Visit> => {
    const { promptId, responses, reward, mean, vote } = group;
    const visit: Visit = { promptId, voteShare: vote.share, samples: responses.length };
    if (reward.kind === 'verified' && Number.isFinite(mean)) visit.passRate = mean;
    if (tracing !== null) visit.traced = await tracing.read(promptId, responses);
    return visit;
  };
  return {
    promptIds,
    trace: tracing?.request,
    draw: (step, drawn, count) => scheduler.draw(count, stream(seed, 'draw', step, drawn)),
    targetOf: () => 'vote',
    wanted: (seen) => scheduler.wanted(votes(seen)),
    asked: (step, seen) => scheduler.asked(step, votes(seen)),
    utilityOf: (promptId) => scheduler.belief(promptId).utility,
    labelled: (step, ids) => scheduler.labelled(step, ids),
    refused: (step, ids) => scheduler.refused(step, ids),
    observe: async (step, groups) =>
      scheduler.observe(step, await Promise.all(groups.map(visitOf))),
    surprise: () => scheduler.report().surprise,
    save: () => schedulerStateToJson(scheduler.save()),
  };
}
