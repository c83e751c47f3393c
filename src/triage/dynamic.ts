/**
 * Routing while training goes on (METHOD, section 7): scores refreshed from training rollouts,
 * thresholds that move with the policy, prompts that leave, come back or get a label.
 *
 * A state machine without I/O: it says which prompts change state and which to visit next. Knows
 * nothing of answers, rewards or the database.
 */
import { quantileSorted } from 'simple-statistics';
import { UserError } from '../core/errors.ts';
import type { RandomStream } from '../core/random.ts';
import { drawPrompts } from './dynamic-draw.ts';
import { initialState } from './dynamic-state.ts';
import type {
  DynamicReport,
  DynamicSettings,
  DynamicState,
  PromptMemory,
  Visit,
} from './dynamic-types.ts';
import type { Evidence, PromptState, Transition, TriagePlan } from './types.ts';

export const defaultDynamicSettings: Omit<DynamicSettings, 'labels'> = {
  warmupSteps: 5,
  scoreDecay: 0.5,
  thresholdDecay: 0.9,
  driftDecay: 0.7,
  margin: 0.1,
  patience: 2,
  masteredVisits: 2,
  agreeShare: 0.85,
  disagreeVisits: 1,
  explore: 0.05,
  power: 5,
  uniform: 0.05,
  priorStrength: 3,
  countDecay: 0.99,
  flatness: 1e-6,
};

export interface DynamicRouter {
  /**
   * Takes in what step `step` saw and returns the transitions that follow, in the order of the
   * visits. Steps must rise; a visit to an unknown prompt is a UserError.
   */
  observe(step: number, visits: readonly Visit[]): Transition[];
  /** Labels that arrived: their prompts become `annotated`. Already annotated ones are left alone. */
  labelled(step: number, promptIds: readonly string[]): Transition[];
  /** Prompts for which the source has no answer: back to `self`, their budget is free again. */
  refused(step: number, promptIds: readonly string[]): Transition[];
  /** Up to `k` different prompts for step `step`, the informative ones more often. */
  draw(step: number, k: number, random: RandomStream): string[];
  states(): Map<string, PromptState>;
  report(): DynamicReport;
  /** A copy to put into a checkpoint. */
  save(): DynamicState;
}

/**
 * A router that starts from `plan`, or goes on from a saved state of it. Labels that the plan buys
 * count against `settings.labels`; UserError where it buys more than that.
 */
export function createDynamicRouter(
  plan: TriagePlan,
  partial: Partial<DynamicSettings> & Pick<DynamicSettings, 'labels'>,
  saved?: DynamicState,
): DynamicRouter {
  const settings = { ...defaultDynamicSettings, ...partial };
  if (saved !== undefined && (saved.plan !== plan.name || saved.round !== plan.round)) {
    throw new UserError({
      wanted: `a routing state of plan "${plan.name}", round ${plan.round}`,
      found: `one of plan "${saved.plan}", round ${saved.round}`,
    });
  }
  const router = new Router(settings, structuredClone(saved ?? initialState(plan)));
  if (router.committed() > settings.labels) {
    throw new UserError({
      wanted: `a plan within ${settings.labels} labels`,
      found: `${router.committed()} labels owned or to be bought`,
      fix: 'Raise the label budget or plan with a smaller one.',
    });
  }
  return router;
}

class Router implements DynamicRouter {
  private readonly settings: DynamicSettings;
  private readonly state: DynamicState;
  private readonly memories: ReadonlyMap<string, PromptMemory>;

  constructor(settings: DynamicSettings, state: DynamicState) {
    this.settings = settings;
    this.state = state;
    this.memories = new Map(state.prompts.map((memory) => [memory.promptId, memory]));
  }

  observe(step: number, visits: readonly Visit[]): Transition[] {
    if (step <= this.state.step) {
      throw new RangeError(`observe: step ${step} after step ${this.state.step}`);
    }
    this.state.step = step;
    const seen = visits.map((visit) => ({ visit, memory: this.memoryOf(visit.promptId) }));
    this.followDrift(seen);
    for (const { visit, memory } of seen) this.refresh(step, visit, memory);
    const spread = this.moveThresholds();
    for (const { visit, memory } of seen) this.countRuns(visit, memory, spread);
    if (step < this.settings.warmupSteps) return [];
    return this.inOrderOfNeed(seen).flatMap(({ visit, memory }) => {
      const move = this.nextState(memory);
      return move === undefined ? [] : [this.go(step, visit.promptId, memory, move, visit)];
    });
  }

  labelled(step: number, promptIds: readonly string[]): Transition[] {
    return promptIds.flatMap((promptId) => {
      const memory = this.memoryOf(promptId);
      if (memory.owned) return [];
      memory.owned = true;
      if (memory.state === 'annotated') return [];
      return [this.go(step, promptId, memory, { to: 'annotated', rule: 'label_arrived' })];
    });
  }

  refused(step: number, promptIds: readonly string[]): Transition[] {
    return promptIds.flatMap((promptId) => {
      const memory = this.memoryOf(promptId);
      memory.refused = true;
      if (memory.state !== 'annotate') return [];
      return [this.go(step, promptId, memory, { to: 'self', rule: 'no_label_to_be_had' })];
    });
  }

  draw(step: number, k: number, random: RandomStream): string[] {
    return drawPrompts(this.state.prompts, step, k, this.settings, random);
  }

  states(): Map<string, PromptState> {
    return new Map(this.state.prompts.map(({ promptId, state }) => [promptId, state]));
  }

  report(): DynamicReport {
    const memories = this.state.prompts;
    const counts = { new: 0, discard: 0, self: 0, annotate: 0, annotated: 0 };
    for (const { state } of memories) counts[state]++;
    const warmingUp = this.state.step < this.settings.warmupSteps;
    const flat = this.interquartileRange() === undefined;
    const owned = memories.filter((one) => one.owned).length;
    return {
      step: this.state.step,
      counts,
      thresholds: this.absoluteThresholds(),
      labels: {
        owned,
        waiting: this.committed() - owned,
        left: Math.max(0, this.settings.labels - this.committed()),
      },
      queued: this.state.queued,
      coldStart: {
        warmingUp,
        flat,
        flatSteps: this.state.flatSteps,
        message: this.coldStartMessage(warmingUp, flat),
      },
    };
  }

  save(): DynamicState {
    return structuredClone(this.state);
  }

  /** Labels owned or waited for. */
  committed(): number {
    return this.state.prompts.filter((one) => one.owned || one.state === 'annotate').length;
  }

  private memoryOf(promptId: string): PromptMemory {
    const memory = this.memories.get(promptId);
    if (memory !== undefined) return memory;
    throw new UserError({
      wanted: `a prompt of plan "${this.state.plan}"`,
      found: `prompt ${promptId}`,
    });
  }

  /**
   * Moves the origin of all scores by the mean surprise of this step. Training sharpens the policy, so
   * scores fall together; without this, visited prompts would sink below those that merely were not
   * looked at again, and leave for that reason alone.
   */
  private followDrift(seen: readonly { visit: Visit; memory: PromptMemory }[]): void {
    let sum = 0;
    let count = 0;
    for (const { visit, memory } of seen) {
      if (visit.score === undefined || !Number.isFinite(visit.score)) continue;
      sum += visit.score - this.state.shift - memory.score;
      count++;
    }
    if (count > 0) this.state.shift += ((1 - this.settings.driftDecay) * sum) / count;
  }

  private refresh(step: number, visit: Visit, memory: PromptMemory): void {
    const { scoreDecay, countDecay } = this.settings;
    if (visit.score !== undefined && Number.isFinite(visit.score)) {
      const relative = visit.score - this.state.shift;
      memory.score = scoreDecay * memory.score + (1 - scoreDecay) * relative;
    }
    const share = visit.passRate ?? visit.voteShare;
    if (share !== undefined) {
      const kept = countDecay ** Math.max(0, step - memory.seen);
      const samples = visit.samples ?? 8;
      memory.hits = kept * memory.hits + share * samples;
      memory.misses = kept * memory.misses + (1 - share) * samples;
      memory.seen = step;
    }
    memory.visits++;
  }

  /** Moves the thresholds towards the quantiles of the refreshed scores; returns the spread, undefined when flat. */
  private moveThresholds(): number | undefined {
    const { thresholds, quantiles } = this.state;
    const spread = this.interquartileRange();
    if (spread === undefined) {
      this.state.flatSteps++;
      return undefined;
    }
    const sorted = this.sortedScores();
    const keep = this.settings.thresholdDecay;
    for (const side of ['low', 'high'] as const) {
      const quantile = quantiles[side];
      if (quantile === null) continue;
      thresholds[side] = keep * thresholds[side] + (1 - keep) * quantileSorted(sorted, quantile);
    }
    return spread;
  }

  /** Visits in a row that speak for a move; one that does not ends the run. */
  private countRuns(visit: Visit, memory: PromptMemory, spread: number | undefined): void {
    const { thresholds, uninformed, quantiles } = this.state;
    if (visit.score !== undefined && spread !== undefined && !uninformed) {
      const margin = this.settings.margin * spread;
      const below = quantiles.low !== null && memory.score < thresholds.low - margin;
      const aboveLow = quantiles.low !== null && memory.score > thresholds.low + margin;
      const aboveHigh = quantiles.high !== null && memory.score > thresholds.high + margin;
      // A discarded prompt comes back over the lower cut, one in training moves up over the upper.
      const above = memory.state === 'discard' ? aboveLow : aboveHigh;
      memory.below = below ? memory.below + 1 : 0;
      memory.above = above ? memory.above + 1 : 0;
    }
    const share = visit.passRate ?? visit.voteShare;
    if (share === undefined) return;
    // A labelled group that is all wrong is unanimous too, but nothing is mastered.
    memory.unanimous = share >= 1 ? memory.unanimous + 1 : 0;
    const vote = visit.voteShare ?? share;
    const disagrees = vote < this.settings.agreeShare;
    memory.disagreeing = disagrees ? memory.disagreeing + 1 : 0;
  }

  /** The most uncertain first, so that scarce labels go to them; equal ones by id. */
  private inOrderOfNeed<T extends { visit: Visit; memory: PromptMemory }>(seen: readonly T[]): T[] {
    return [...seen].sort(
      (a, b) => b.memory.score - a.memory.score || (a.visit.promptId < b.visit.promptId ? -1 : 1),
    );
  }

  private nextState(memory: PromptMemory): Move | undefined {
    const { patience, masteredVisits, disagreeVisits } = this.settings;
    const disagrees = memory.disagreeing >= disagreeVisits;
    const canBuy =
      !memory.owned && !memory.refused && Math.floor(this.settings.labels) > this.committed();
    switch (memory.state) {
      case 'self':
      case 'annotated': {
        if (memory.unanimous >= masteredVisits) return { to: 'discard', rule: 'mastered' };
        if (memory.state === 'annotated') return undefined;
        if (disagrees && canBuy) return { to: 'annotate', rule: 'group_disagrees' };
        if (memory.above >= patience && memory.unanimous === 0 && canBuy) {
          return { to: 'annotate', rule: 'score_above' };
        }
        if (memory.below >= patience && memory.disagreeing === 0) {
          return { to: 'discard', rule: 'score_below' };
        }
        return undefined;
      }
      case 'discard': {
        if (memory.unanimous > 0) return undefined;
        const drifted = memory.disagreeing >= patience || memory.above >= patience;
        if (!drifted) return undefined;
        if (memory.owned) return { to: 'annotated', rule: 'drifted_back' };
        // Without a label a group that disagrees would be trained on a doubtful vote: it stays out.
        if (memory.disagreeing > 0) {
          return canBuy ? { to: 'annotate', rule: 'drifted_and_disagrees' } : undefined;
        }
        return { to: 'self', rule: 'drifted_back' };
      }
      default:
        return undefined;
    }
  }

  private go(
    step: number,
    promptId: string,
    memory: PromptMemory,
    { to, rule }: Move,
    visit?: Visit,
  ): Transition {
    const from = memory.state;
    const evidence: Evidence = { score: memory.score + this.state.shift, visits: memory.visits };
    if (visit !== undefined) {
      Object.assign(evidence, this.absoluteThresholds(), {
        unanimous: memory.unanimous,
        disagreeing: memory.disagreeing,
      });
      if (visit.passRate !== undefined) evidence.pass_rate = visit.passRate;
      if (visit.voteShare !== undefined) evidence.vote_share = visit.voteShare;
    }
    memory.state = to;
    if (to === 'annotate') this.state.queued++;
    // A new state starts counting afresh, or the run that led here would lead straight back.
    Object.assign(memory, { below: 0, above: 0, unanimous: 0, disagreeing: 0 });
    const { plan, round } = this.state;
    return { promptId, from, to, rule: `dynamic:${rule}`, evidence, plan, round, step };
  }

  private absoluteThresholds(): { low: number; high: number } {
    const { thresholds, shift } = this.state;
    return { low: thresholds.low + shift, high: thresholds.high + shift };
  }

  private sortedScores(): number[] {
    return this.state.prompts.map((one) => one.score).sort((a, b) => a - b);
  }

  /** Of the scores; undefined when it is next to nothing: then no cut means anything. */
  private interquartileRange(): number | undefined {
    const sorted = this.sortedScores();
    if (sorted.length === 0) return undefined;
    const range = quantileSorted(sorted, 0.75) - quantileSorted(sorted, 0.25);
    const scale = Math.max(Math.abs(sorted[0]), Math.abs(sorted[sorted.length - 1]));
    return range > this.settings.flatness * scale ? range : undefined;
  }

  private coldStartMessage(warmingUp: boolean, flat: boolean): string | null {
    if (warmingUp) {
      return `warming up: no prompt changes its route before step ${this.settings.warmupSteps}`;
    }
    if (flat) return 'the scores are flat: only the agreement of groups moves prompts';
    if (this.state.uninformed) {
      return 'the plan is random: only the agreement of groups moves prompts';
    }
    return null;
  }
}

interface Move {
  to: PromptState;
  rule: string;
}
