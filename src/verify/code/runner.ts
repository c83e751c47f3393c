// What runs the programs of one language.
import type { Case, Tests } from './gold.ts';
import type { Outcome } from './outcome.ts';

/** Its methods throw where the machinery fails; what a program does never makes them throw. */
export interface Runner {
  /** Loads what is slow to load. UserError where programs cannot be run safely on this machine. */
  warm(): Promise<void>;
  runCase(program: string, test: Case): Promise<Outcome>;
  /** Runs the assertions or the calls of `tests`, whichever there are. */
  runTests(program: string, tests: Tests): Promise<Outcome>;
  close(): Promise<void>;
}
