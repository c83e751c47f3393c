/** The methods of one run as the loop sees them: their hooks called in the order in which they were named. */
import { UserError } from '../core/errors.ts';
import type { Prompt } from '../pool/types.ts';
import { majorityReward } from '../reward/majority.ts';
import type { GroupReward, Seen, Target } from '../reward/types.ts';
import { methodByName } from './registry.ts';
import type { Clip, Group, Lab, Method, MethodContext, SecondOpinion } from './types.ts';

/** Settings by method name; a method that is not named gets its defaults. */
export type MethodSettings = Readonly<Record<string, unknown>>;

export class Methods {
  private readonly named: readonly (readonly [string, Method])[];
  private readonly hooks: readonly Method[];
  private readonly minVoteShare: number;

  private constructor(named: readonly (readonly [string, Method])[], minVoteShare: number) {
    this.named = named;
    this.hooks = named.map(([, method]) => method);
    this.minVoteShare = minVoteShare;
  }

  /**
   * The methods `use`, in this order. `saved` is what `save` gave. UserError for an unknown name, one that is
   * named twice, or two that both reward prompts without labels.
   */
  static open(
    use: readonly string[],
    settings: MethodSettings,
    context: MethodContext,
    saved: Readonly<Record<string, unknown>> = {},
  ): Methods {
    const definitions = use.map(methodByName);
    checkTogether(definitions.map(({ name, surface }) => ({ name, surface })));
    return new Methods(
      definitions.map((one) => [
        one.name,
        one.create(settings[one.name] ?? {}, context, saved[one.name]),
      ]),
      context.minVoteShare,
    );
  }

  /** Before the first step. */
  async prepare(lab: Lab): Promise<void> {
    for (const one of this.hooks) await one.prepare?.(lab);
  }

  admits(promptId: string, step: number): boolean {
    return this.hooks.every((one) => one.admits?.(promptId, step) ?? true);
  }

  /** Prompts that any method wants a label for, in the order of the methods. */
  wanted(step: number, seen: readonly Seen[], labelled: ReadonlySet<string>): string[] {
    return this.hooks.flatMap((one) => one.wanted?.(step, seen, labelled) ?? []);
  }

  async retarget(step: number, seen: Seen, given: Target): Promise<Target> {
    let target = given;
    for (const one of this.hooks) target = (await one.retarget?.(step, seen, target)) ?? target;
    return target;
  }

  /** The reward of a group without a label: the method's that rewards, else its majority (TTRL). */
  async reward(step: number, seen: Seen): Promise<GroupReward> {
    const own = this.hooks.find((one) => one.reward !== undefined);
    const given = await own?.reward?.(step, seen);
    return given ?? majorityReward(seen, { minShare: this.minVoteShare });
  }

  second(prompt: Prompt): SecondOpinion | null {
    return this.hooks.find((one) => one.second !== undefined)?.second?.(prompt) ?? null;
  }

  /** Decay of the teacher that a method wants; null where none does. */
  get teacherDecay(): number | null {
    return this.hooks.find((one) => one.teacherDecay !== undefined)?.teacherDecay ?? null;
  }

  /** Rounds in which groups that do not count are replaced. */
  get rounds(): number {
    return Math.max(0, ...this.hooks.map((one) => one.rounds ?? 0));
  }

  /** Rollouts after which a group of one mind gets no more; null = every group is made whole. */
  get pilot(): number | null {
    const pilots = this.hooks.flatMap(({ pilot }) => pilot ?? []);
    return pilots.length === 0 ? null : Math.max(...pilots);
  }

  counts(group: Group): boolean {
    return this.hooks.every((one) => one.counts?.(group) ?? true);
  }

  keep(step: number, groups: readonly Group[]): readonly Group[] {
    return this.hooks.reduce((kept, one) => one.keep?.(step, kept) ?? kept, groups);
  }

  /** The product of the methods' factors per group. */
  async weigh(step: number, groups: readonly Group[]): Promise<Float64Array> {
    const factors = new Float64Array(groups.length).fill(1);
    for (const one of this.hooks) {
      const own = await one.weigh?.(step, groups);
      if (own !== undefined) for (const i of factors.keys()) factors[i] *= own[i];
    }
    return factors;
  }

  clip(given: Clip): Clip {
    return this.hooks.reduce((clip, one) => one.clip?.(clip) ?? clip, given);
  }

  async observe(step: number, groups: readonly Group[]): Promise<void> {
    for (const one of this.hooks) await one.observe?.(step, groups);
  }

  save(): Record<string, unknown> {
    return Object.fromEntries(
      this.named.flatMap(([name, one]) => (one.save === undefined ? [] : [[name, one.save()]])),
    );
  }
}

function checkTogether(use: readonly { name: string; surface: string }[]): void {
  const twice = use.find(({ name }, i) => use.findIndex((one) => one.name === name) < i);
  if (twice !== undefined) {
    throw new UserError({ wanted: 'every method once', found: `${twice.name} twice` });
  }
  const rewards = use.filter(({ surface }) => surface === 'reward').map(({ name }) => name);
  if (rewards.length > 1) {
    throw new UserError({
      wanted: 'one reward for prompts without labels',
      found: rewards.join(' and '),
      where: 'train.methods',
      fix: 'Name one of them.',
    });
  }
}
