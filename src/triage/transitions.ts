/**
 * State changes of prompts: from a plan, from labels, and back to states by replay.
 *
 * Knows nothing of where transitions are kept.
 */
import { UserError } from '../core/errors.ts';
import type { Decision, PromptState, Transition, TriagePlan } from './types.ts';

/** Where a prompt may go from each state; null = not in the pool yet. */
const allowed: Record<PromptState | 'none', readonly PromptState[]> = {
  none: ['new'],
  new: ['discard', 'self', 'annotate', 'annotated'],
  discard: ['self', 'annotate', 'annotated'],
  self: ['discard', 'annotate', 'annotated'],
  annotate: ['discard', 'self', 'annotated'],
  annotated: ['discard', 'annotate'],
};

/** Where and when a change happens. */
export type Occasion = Pick<Transition, 'plan' | 'round' | 'step'>;

/** Entries of prompts into the pool. */
export function entryTransitions(promptIds: readonly string[], occasion: Occasion): Transition[] {
  return promptIds.map((promptId) => change(promptId, null, 'new', 'entered', occasion));
}

/** Probes that are not annotated yet go to `annotate`. */
export function probeTransitions(
  promptIds: readonly string[],
  previous: ReadonlyMap<string, PromptState>,
  occasion: Occasion,
): Transition[] {
  return promptIds.flatMap((promptId) => {
    const from = previous.get(promptId) ?? 'new';
    if (from === 'annotate' || from === 'annotated') return [];
    return [change(promptId, from, 'annotate', 'probe', occasion)];
  });
}

/** Prompts whose label arrived become `annotated`. */
export function labelTransitions(
  promptIds: readonly string[],
  previous: ReadonlyMap<string, PromptState>,
  occasion: Occasion,
): Transition[] {
  return promptIds.flatMap((promptId) => {
    const from = previous.get(promptId) ?? 'new';
    if (from === 'annotated') return [];
    return [change(promptId, from, 'annotated', 'label_arrived', occasion)];
  });
}

/** Annotated prompts whose label was taken back wait for one again. */
export function withdrawalTransitions(
  promptIds: readonly string[],
  previous: ReadonlyMap<string, PromptState>,
  occasion: Occasion,
): Transition[] {
  return promptIds.flatMap((promptId) =>
    previous.get(promptId) === 'annotated'
      ? [change(promptId, 'annotated', 'annotate', 'label_withdrawn', occasion)]
      : [],
  );
}

/** Prompts that wait for a label and get none go to `self`. */
export function refusalTransitions(
  promptIds: readonly string[],
  previous: ReadonlyMap<string, PromptState>,
  occasion: Occasion,
): Transition[] {
  return promptIds.flatMap((promptId) =>
    previous.get(promptId) === 'annotate'
      ? [change(promptId, 'annotate', 'self', 'no_label_to_be_had', occasion)]
      : [],
  );
}

/**
 * The changes that carry `plan` out, in the plan's order; a prompt that is where the plan wants it has
 * none. A prompt without a previous state counts as `new`. A label once bought is never unbought: an
 * annotated prompt stays `annotated`, whatever the plan says of it.
 */
export function transitionsOf(
  plan: TriagePlan,
  previous: ReadonlyMap<string, PromptState>,
): Transition[] {
  return [...eachTransition(plan, plan.decisions, previous)];
}

/** The same one after the other, for plans of millions. */
export function* eachTransition(
  plan: Pick<TriagePlan, 'name' | 'round'>,
  decisions: Iterable<Decision>,
  previous: ReadonlyMap<string, PromptState>,
): Generator<Transition> {
  const occasion = { plan: plan.name, round: plan.round, step: null };
  for (const { promptId, route, rule, evidence } of decisions) {
    const from = previous.get(promptId) ?? 'new';
    const owned = rule === 'probe' || rule === 'labelled';
    const to = owned ? 'annotated' : route;
    if (from !== to && from !== 'annotated') {
      yield { promptId, from, to, rule, evidence, ...occasion };
    }
  }
}

/**
 * States after `transitions`, in their order. UserError when one starts from another state than the
 * prompt is in, or makes a move that does not exist: then the manifest is not whole.
 */
export function replay(transitions: Iterable<Transition>): Map<string, PromptState> {
  const states = new Map<string, PromptState>();
  for (const { promptId, from, to, rule } of transitions) {
    // A manifest may start after the pool was filled: the first change tells the state before it.
    const current = states.get(promptId) ?? from;
    if (current !== from || !allowed[from ?? 'none'].includes(to)) {
      throw new UserError({
        wanted: `a transition from "${current}"`,
        found: `"${from}" to "${to}" (${rule})`,
        where: `prompt ${promptId}`,
        fix: 'The manifest of transitions lacks a part or is out of order.',
      });
    }
    states.set(promptId, to);
  }
  return states;
}

function change(
  promptId: string,
  from: PromptState | null,
  to: PromptState,
  rule: string,
  occasion: Occasion,
): Transition {
  return { promptId, from, to, rule, evidence: {}, ...occasion };
}
