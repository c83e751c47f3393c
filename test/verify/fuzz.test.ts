/** A little of `npm run fuzz:verify`: nothing rejects, nothing hangs. */
import { describe, expect, it } from 'vitest';
import { verifierNames } from '../../src/verify/spec.ts';
import { fuzz, latest } from './fuzzing.ts';
import { fuzzInput } from './hostile-inputs.ts';

const inputs = 500;
const share = Math.ceil(inputs / verifierNames.length);

describe('fuzzed inputs', () => {
  it.each(verifierNames.map((kind, i) => [kind, i] as const))(
    '%s bears them',
    async (kind, index) => {
      const numbers = Array.from({ length: share }, (_, i) => i * verifierNames.length + index);
      const report = await fuzz(kind, numbers, 7);
      if (report === undefined) return;
      expect(report.faults).toEqual([]);
      // Generous: other tests share the machine.
      expect(latest(report)).toBeLessThan(5000);
    },
    300_000,
  );

  it('are the same for the same seed and number', () => {
    expect(fuzzInput(7, 3)).toEqual(fuzzInput(7, 3));
    expect(fuzzInput(7, 3)).not.toEqual(fuzzInput(8, 3));
  });
});
