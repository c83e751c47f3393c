// The compute engine alone, as a judge: what `isEqual` says of two parsed answers. It shows what the math kind adds.
import { ComputeEngine } from '@cortex-js/compute-engine';
import type { Judge } from '../src/verify/types.ts';
import { unwrap } from '../src/verify/unwrap.ts';

/** Compares answers; finds none in a response. */
export function judgeFor(): Judge {
  const engine = new ComputeEngine();
  return {
    name: 'compute engine',
    candidates: () => [],
    read: () => null,
    compare(gold, answer) {
      const same = engine.parse(unwrap(gold)).isEqual(engine.parse(unwrap(answer)));
      if (same === undefined) return { verdict: 'undecided', reason: 'isEqual', rung: 'engine' };
      return { verdict: same ? 'right' : 'wrong', reason: 'isEqual', rung: 'engine' };
    },
    verify: () => ({ verdict: 'undecided', reason: 'compares only', rung: 'engine' }),
  };
}
