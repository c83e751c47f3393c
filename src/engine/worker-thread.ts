/**
 * Worker threads that run our TypeScript sources as they are.
 *
 * Works from any current directory, from the command line and under vitest. Knows nothing of what the
 * thread does.
 */
import './no-telemetry.ts';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread that runs the module at `moduleUrl` (`new URL('./x.ts', import.meta.url)`), which
 * finds `workerData` in node:worker_threads as usual. Takes about 0.1 s until the module runs.
 * A module that cannot be loaded or that throws at its top level gives an `error` event.
 */
export function startWorker(
  moduleUrl: URL,
  workerData: unknown,
  options: Omit<WorkerOptions, 'workerData' | 'argv' | 'execArgv' | 'eval'> = {},
): Worker {
  return new Worker(new URL('./worker-entry.mjs', import.meta.url), {
    ...options,
    workerData,
    argv: [moduleUrl.href],
    // Flags of the main thread (a test runner's loaders, an inspector) do not belong in the thread.
    execArgv: [],
  });
}
