/**
 * Routing while training goes on (METHOD, section 7): at every step draws prompts by what a visit is expected to teach,
 * asks for a label where a group disagrees and its vote is unreliable, and leaves out what is predicted to be
 * mastered or hopeless.
 *
 * A state machine without I/O. Knows nothing of answers, rewards or the database.
 */
import { UserError } from '../core/errors.ts';
import type { RandomStream } from '../core/random.ts';
import { drawPrompts } from './scheduler-draw.ts';
import { believe } from './scheduler-prior.ts';
import type {
  Belief,
  PromptMemory,
  SchedulerPrompt,
  SchedulerReport,
  SchedulerSettings,
  SchedulerState,
  Visit,
} from './scheduler-types.ts';
import type { Evidence, PromptState, Transition } from './types.ts';

export const defaultSchedulerSettings: Omit<SchedulerSettings, 'labels'> = {
  warmupGroups: 32,
  reach: 1,
  noise: 0.2,
  decay: 0.98,
  memory: 512,
  power: 2,
  uniform: 0.05,
  explore: 0.02,
  agreeShare: 1,
  leaveBelow: 0.03,
  returnAbove: 0.06,
};

/** Where its transitions are filed. */
export interface SchedulerOrigin {
  plan: string;
  round: number;
}

export class Scheduler {
  private readonly settings: SchedulerSettings;
  private readonly state: SchedulerState;
  private readonly features: readonly ArrayLike<number>[];
  private readonly places: ReadonlyMap<string, number>;
  private beliefs: readonly Belief[];
  private surprise: number | null = null;

  /**
   * Starts from `prompts`, or goes on from a saved state of the same ones (their features come from `prompts`).
   * UserError where the start owns or waits for more labels than the settings allow, or the state is of other prompts.
   */
  constructor(
    origin: SchedulerOrigin,
    prompts: readonly SchedulerPrompt[],
    partial: Partial<SchedulerSettings> & Pick<SchedulerSettings, 'labels'>,
    saved?: SchedulerState,
  ) {
    this.settings = { ...defaultSchedulerSettings, ...partial };
    checkBounds(this.settings);
    this.state = structuredClone(saved ?? initialState(origin, prompts));
    this.features = prompts.map(({ features }) => features);
    this.places = new Map(this.state.prompts.map(({ promptId }, i) => [promptId, i]));
    checkState(this.state, origin, prompts);
    this.beliefs = this.believe();
    // Later on methods and people may add labels of their own: a run must go on with them.
    if (saved === undefined && this.committed() > this.settings.labels) {
      throw new UserError({
        wanted: `a start within ${this.settings.labels} labels`,
        found: `${this.committed()} labels owned or waited for`,
        fix: 'Raise the label budget or begin with fewer.',
      });
    }
  }

  /** Up to `k` different prompts for a step: those in training by U^power, now and then one that was left out. */
  draw(k: number, random: RandomStream): string[] {
    const { prompts } = this.state;
    return drawPrompts(prompts, this.beliefs, k, this.labelsLeft(), this.settings, random);
  }

  /**
   * Those of `visits` that are worth a label now, the most useful first: the group disagrees, its vote is unreliable,
   * and the budget has room. A unanimous group has no gradient and needs none.
   */
  wanted(visits: readonly Pick<Visit, 'promptId' | 'voteShare'>[]): string[] {
    const room = this.labelsLeft();
    return visits
      .filter(({ promptId, voteShare }) => {
        const { owned, refused, state } = this.memory(promptId);
        const asked = owned || refused || state === 'annotate';
        return !asked && voteShare < this.settings.agreeShare;
      })
      .map(({ promptId }) => promptId)
      .sort((a, b) => this.belief(b).utility - this.belief(a).utility || (a < b ? -1 : 1))
      .slice(0, room);
  }

  /** Records that labels were asked for: their prompts wait in `annotate`. */
  asked(step: number, visits: readonly Pick<Visit, 'promptId' | 'voteShare'>[]): Transition[] {
    return visits.flatMap(({ promptId, voteShare }) => {
      const memory = this.memory(promptId);
      if (memory.owned || memory.refused || memory.state === 'annotate') return [];
      return [this.go(step, memory, 'annotate', 'group_disagrees', { vote_share: voteShare })];
    });
  }

  /** Labels that are there: their prompts become `annotated`, unless they were left out meanwhile. */
  labelled(step: number, promptIds: readonly string[]): Transition[] {
    return promptIds.flatMap((promptId) => {
      const memory = this.memory(promptId);
      if (memory.owned) return [];
      memory.owned = true;
      if (memory.state === 'annotated' || memory.state === 'discard') return [];
      return [this.go(step, memory, 'annotated', 'label_arrived', {})];
    });
  }

  /**
   * Prompts that will get no label: back to `self`, their budget is free again, and they are never asked about again.
   * Those that were told of before, or have a label after all, are passed over.
   */
  refused(step: number, promptIds: readonly string[]): Transition[] {
    return promptIds.flatMap((promptId) => {
      const memory = this.memory(promptId);
      if (memory.owned) return [];
      memory.refused = true;
      if (memory.state !== 'annotate') return [];
      return [this.go(step, memory, 'self', 'no_label_to_be_had', {})];
    });
  }

  /** Takes in what a step saw and refits; returns the changes that follow. Steps must rise. */
  observe(step: number, visits: readonly Visit[]): Transition[] {
    if (step <= this.state.step) {
      throw new RangeError(`observe: step ${step} after step ${this.state.step}`);
    }
    this.state.step = step;
    const entered = visits.flatMap((visit) => this.enter(step, visit));
    this.surprise = this.surpriseOf(visits);
    for (const visit of visits) this.remember(step, visit);
    this.state.groups += visits.length;
    this.beliefs = this.believe();
    return [...entered, ...this.leaveAndReturn(step)];
  }

  stateOf(promptId: string): PromptState {
    return this.memory(promptId).state;
  }

  /** Prompts that wait for their label. */
  waiting(): string[] {
    return this.state.prompts.filter((one) => one.state === 'annotate').map((one) => one.promptId);
  }

  owns(promptId: string): boolean {
    return this.memory(promptId).owned;
  }

  belief(promptId: string): Belief {
    return this.beliefs[this.place(promptId)];
  }

  report(): SchedulerReport {
    const counts = { new: 0, discard: 0, self: 0, annotate: 0, annotated: 0 };
    for (const { state } of this.state.prompts) counts[state]++;
    const owned = this.state.prompts.filter((one) => one.owned).length;
    const committed = this.committed();
    const missing = this.settings.warmupGroups - this.state.groups;
    return {
      step: this.state.step,
      counts,
      labels: {
        owned,
        waiting: committed - owned,
        left: this.labelsLeft(),
      },
      surprise: this.surprise,
      coldStart:
        missing > 0 ? `nothing is predicted before ${missing} more groups were seen` : null,
    };
  }

  /** A copy to put into a checkpoint. */
  save(): SchedulerState {
    return structuredClone(this.state);
  }

  /** Labels owned or waited for. */
  private committed(): number {
    return this.state.prompts.filter((one) => one.owned || one.state === 'annotate').length;
  }

  private labelsLeft(): number {
    return Math.max(0, Math.floor(this.settings.labels) - this.committed());
  }

  private place(promptId: string): number {
    const place = this.places.get(promptId);
    if (place !== undefined) return place;
    throw new UserError({ wanted: 'a prompt that is scheduled', found: `prompt ${promptId}` });
  }

  private memory(promptId: string): PromptMemory {
    return this.state.prompts[this.place(promptId)];
  }

  private believe(): readonly Belief[] {
    const { prompts, step, groups } = this.state;
    if (groups >= this.settings.warmupGroups)
      return believe(prompts, this.features, step, this.settings);
    return prompts.map(() => ({ mu: 0.5, utility: 0.25 }));
  }

  /** A prompt's first visit puts it into training. */
  private enter(step: number, { promptId }: Visit): Transition[] {
    const memory = this.memory(promptId);
    return memory.state === 'new' ? [this.go(step, memory, 'self', 'drawn', {})] : [];
  }

  private surpriseOf(visits: readonly Visit[]): number | null {
    if (visits.length === 0) return null;
    const gaps = visits.map((visit) =>
      Math.abs(this.belief(visit.promptId).mu - (visit.passRate ?? visit.voteShare)),
    );
    return gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  }

  private remember(step: number, visit: Visit): void {
    const memory = this.memory(visit.promptId);
    const share = visit.passRate ?? visit.voteShare;
    const kept = memory.seen < 0 ? 0 : this.settings.decay ** Math.max(0, step - memory.seen);
    memory.hits = kept * memory.hits + share * visit.samples;
    memory.misses = kept * memory.misses + (1 - share) * visit.samples;
    memory.seen = step;
    memory.verified = visit.passRate !== undefined;
    memory.visits++;
    if (visit.traced !== undefined) memory.traced = [...visit.traced];
  }

  private leaveAndReturn(step: number): Transition[] {
    if (this.state.groups < this.settings.warmupGroups) return [];
    const { leaveBelow, returnAbove } = this.settings;
    return this.state.prompts.flatMap((memory, i) => {
      const { mu, utility } = this.beliefs[i];
      if (memory.state === 'discard') {
        if (utility <= returnAbove) return [];
        return [this.go(step, memory, memory.owned ? 'annotated' : 'self', 'drifted_back', {})];
      }
      if (memory.state === 'annotate' || utility >= leaveBelow) return [];
      const rule = mu >= 0.5 ? 'predicted_mastered' : 'predicted_hopeless';
      return [this.go(step, memory, 'discard', rule, {})];
    });
  }

  private go(
    step: number,
    memory: PromptMemory,
    to: PromptState,
    rule: string,
    extra: Evidence,
  ): Transition {
    const { promptId, state: from, visits, hits, misses } = memory;
    const { mu, utility } = this.belief(promptId);
    memory.state = to;
    const { plan, round } = this.state;
    const evidence = { mu, utility, visits, hits, misses, ...extra };
    return { promptId, from, to, rule: `dynamic:${rule}`, evidence, plan, round, step };
  }
}

/** Else a prompt between the two would leave and come back at every step. */
function checkBounds({ leaveBelow, returnAbove }: SchedulerSettings): void {
  if (leaveBelow <= returnAbove) return;
  throw new UserError({
    wanted: 'train.dynamic.leave_below at or below train.dynamic.return_above',
    found: `${leaveBelow} and ${returnAbove}`,
  });
}

function initialState(
  { plan, round }: SchedulerOrigin,
  prompts: readonly SchedulerPrompt[],
): SchedulerState {
  return {
    ...{ version: 2, plan, round, step: -1 },
    groups: prompts.filter(({ probe }) => probe !== undefined).length,
    prompts: prompts.map(({ promptId, state, probe, traced }) => ({
      ...{ promptId, state, visits: 0 },
      hits: probe === undefined ? 0 : probe.passRate * probe.samples,
      misses: probe === undefined ? 0 : (1 - probe.passRate) * probe.samples,
      seen: probe === undefined ? -1 : 0,
      verified: probe !== undefined,
      owned: state === 'annotated',
      refused: false,
      traced: traced === undefined ? null : [...traced],
    })),
  };
}

function checkState(
  state: SchedulerState,
  origin: SchedulerOrigin,
  prompts: readonly SchedulerPrompt[],
): void {
  const same =
    state.plan === origin.plan &&
    state.round === origin.round &&
    state.prompts.length === prompts.length &&
    prompts.every(({ promptId }, i) => state.prompts[i].promptId === promptId);
  if (same) return;
  throw new UserError({
    wanted: `a state of the scheduler of "${origin.plan}", round ${origin.round}, with ${prompts.length} prompts`,
    found: `one of "${state.plan}", round ${state.round}, with ${state.prompts.length}, or of other prompts`,
    fix: 'Start a new run: the pool or the plan has changed.',
  });
}
