/** Which prompts a step visits: a shuffled pass over fixed targets, or the draw of a dynamic router. */
import { stream } from '../core/random.ts';
import { createDynamicRouter, type DynamicRouter } from '../triage/dynamic.ts';
import type { DynamicState } from '../triage/dynamic-types.ts';
import type { TriagePlan } from '../triage/types.ts';
import type { Arm } from './types.ts';

export interface Schedule {
  /** `count` prompts; `drawn` prompts were drawn before in this run. */
  draw(step: number, drawn: number, count: number): string[];
  /** How a prompt is rewarded now. */
  targetOf(promptId: string): 'label' | 'vote' | 'none';
  /** The router, where routes move. */
  readonly router: DynamicRouter | null;
}

/** Every target once per pass, in an order that depends on seed and pass alone. */
export function shuffledSchedule(targets: Arm['targets'], seed: number): Schedule {
  const ids = [...targets.keys()];
  let pass = -1;
  let order: string[] = [];
  return {
    router: null,
    targetOf: (promptId) => targets.get(promptId) ?? 'none',
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
  };
}

/** Draws by expected information, routes by what the groups show. */
export function routedSchedule(
  plan: TriagePlan,
  dynamic: NonNullable<Arm['dynamic']>,
  seed: number,
  saved: DynamicState | null,
): Schedule & { router: DynamicRouter } {
  const router = createDynamicRouter(plan, dynamic, saved ?? undefined);
  return {
    router,
    draw: (step, drawn, count) => router.draw(step, count, stream(seed, 'draw', step, drawn)),
    targetOf(promptId) {
      const state = router.states().get(promptId);
      if (state === 'annotated') return 'label';
      return state === 'self' || state === 'discard' || state === 'annotate' ? 'vote' : 'none';
    },
  };
}
