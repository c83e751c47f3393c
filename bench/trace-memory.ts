/**
 * Peak memory, MB, of tracing one given text of argv[2] tokens, above what the process holds with the
 * model loaded. A process of its own per length: bench/engine.ts starts it. Prints the number.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { PrefillTracer } from '../src/trace/prefill.ts';
import { allHeads, traceRequest } from '../src/trace/request.ts';
import { defaultTraceSettings, signalNames } from '../src/trace/types.ts';
import { randomTokens, randomWeights } from '../test/reference/models.ts';
import { BENCH_MODEL } from './bench-model.ts';

/** A line of /proc/self/status in MB; the resident peak of Node where there is no /proc. */
function memory(key: 'VmRSS' | 'VmHWM'): number {
  try {
    const found = new RegExp(`${key}:\\s+(\\d+) kB`).exec(
      readFileSync('/proc/self/status', 'utf8'),
    );
    return Number(found?.[1]) / 1024;
  } catch {
    return key === 'VmRSS'
      ? process.memoryUsage().rss / 2 ** 20
      : process.resourceUsage().maxRSS / 1024;
  }
}

/** Starts the peak anew (Linux): start-up is not part of the figure. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak includes start-up: an upper bound.
  }
}

const length = Number(process.argv[2]);
const { layers, heads } = BENCH_MODEL;
const weights = randomWeights(BENCH_MODEL, 1);
const tokens = randomTokens(BENCH_MODEL, length, 1);
const engine = { provider: 'cpu', threads: 2 } as const;
// All heads and all signals: the most that can be asked for.
const request = traceRequest(allHeads(layers, heads), signalNames, defaultTraceSettings);
// A short trace first loads the runtime.
await (await PrefillTracer.create(BENCH_MODEL, weights, request, 128, engine)).trace(
  tokens.subarray(0, 128),
  64,
);
globalThis.gc?.();
resetPeak();
const before = memory('VmRSS');
const tracer = await PrefillTracer.create(BENCH_MODEL, weights, request, length, engine);
await tracer.trace(tokens, 64);
console.log((memory('VmHWM') - before).toFixed(1));
process.exit(0);
