/** How the parity check computes. */
import { availableParallelism } from 'node:os';
import type { EngineSettings } from '../../src/engine/program.ts';

export const ENGINE: EngineSettings = { provider: 'cpu', threads: availableParallelism() };
