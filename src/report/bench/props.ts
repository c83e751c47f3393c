/** What every part of a pool's section is given. */
import type { ArmStyle } from '../arms.ts';
import type { BenchData, PoolResult } from './data.ts';

export interface PoolProps {
  data: BenchData;
  pool: PoolResult;
  styles: ReadonlyMap<string, ArmStyle>;
}
