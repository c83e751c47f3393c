/**
 * The pass-rate oracle: 1 - mu. It reads the answers of the whole pool, which is what selection is meant to
 * save: a yardstick for benchmarks.
 */
import { UserError } from '../core/errors.ts';
import type { Estimator } from './types.ts';

export const passRateOracle: Estimator = {
  name: 'pass_rate_oracle',
  needs: { samples: 0, passRates: true },
  tieBreakers: [],
  score: (observations, { passRates }) =>
    Float64Array.from(observations, ({ promptId }) => {
      const passRate = passRates?.get(promptId);
      if (passRate !== undefined && passRate >= 0 && passRate <= 1) return 1 - passRate;
      throw new UserError({
        wanted: 'a pass rate from 0 to 1 for every prompt of the pool, as the oracle needs',
        found: String(passRate ?? 'none'),
        where: `prompt ${promptId}`,
        fix: 'Measure it on labelled responses, or choose an estimator that needs no labels.',
      });
    }),
};
