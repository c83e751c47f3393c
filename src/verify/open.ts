// Opens a verifier for the product: a spec becomes threads that are warm. Loads no kind of answers itself.
import { availableParallelism } from 'node:os';
import { Pool } from './pool/pool.ts';
import { PooledVerifier } from './pool/pooled-verifier.ts';
import { boundsOf, type VerifierSpec } from './spec.ts';
import type { Verifier } from './types.ts';

export interface OpenSettings {
  /** Threads at most; they are started on demand. Default 2, or 1 on one core. */
  workers?: number;
  /** Heap of each thread, in MiB; a judge that needs more is ended. Default 512. */
  memoryMb?: number;
}

/**
 * The verifier that `spec` describes, warm. UserError where it cannot be made: an unknown kind, bad settings.
 *
 * The deadline is that of one question (one response, one comparison), and its clock starts when a thread takes it:
 * waiting for others and starting threads do not count. A hung question is `undecided` (rung `deadline`) within some
 * 20 ms of its deadline, whatever it does; its thread is replaced, and those behind it go on in another. One that ends
 * its thread is `undecided` with rung `crash`, or `memory` where it took more than `memoryMb`. Such verdicts say nothing
 * about the answer: do not keep them.
 */
export async function openVerifier(
  spec: VerifierSpec,
  settings: OpenSettings = {},
): Promise<Verifier> {
  const registry = new URL('./registry.ts', import.meta.url).href;
  return await openPooled(registry, spec, settings);
}

/** The same with another module that exports `judgeFor(spec)`, by its address. */
export async function openPooled(
  module: string,
  spec: Pick<VerifierSpec, 'kind' | 'bounds'>,
  { workers = Math.min(2, availableParallelism()), memoryMb = 512 }: OpenSettings = {},
): Promise<Verifier> {
  const bounds = boundsOf(spec);
  const { deadlineMs } = bounds;
  const pool = new Pool({ module, spec, deadlineMs, memoryMb, workers });
  await pool.open();
  return new PooledVerifier(spec.kind, pool, bounds);
}
