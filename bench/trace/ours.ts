/**
 * Our side of bench:trace: loads the model, warms up on a short text and says so; then traces a text per line of
 * standard input.
 */
import { createInterface } from 'node:readline';
import { loadWeights } from '../../src/model/directory.ts';
import { PrefillTracer } from '../../src/trace/prefill.ts';
import { traceRequest } from '../../src/trace/request.ts';
import { defaultTraceSettings, pivotSignals } from '../../src/trace/types.ts';
import { type Answer, jobSchema, setupSchema, WARM_UP } from './job.ts';
import { resident } from './memory.ts';

const setup = setupSchema.parse(JSON.parse(process.argv[2]));
const { config, weights } = loadWeights(setup.directory);
const { delta, window, sinks } = setup;
const settings = { ...defaultTraceSettings, delta, window, sinks };
const request = traceRequest(setup.heads, pivotSignals, settings);
const engine = { provider: 'cpu', threads: setup.threads } as const;
const make = (tokens: number) => PrefillTracer.create(config, weights, request, tokens, engine);

// The warm-up has a tracer of its own, so that the figures hold everything that a trace takes: graphs and caches.
const warm = await make(WARM_UP);
await warm.trace(new Int32Array(WARM_UP).fill(1), 1);
globalThis.gc?.();
const loaded = resident('VmRSS');
console.log(JSON.stringify({ loaded }));

let tracer: PrefillTracer | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const { tokens, prompt } = jobSchema.parse(JSON.parse(line));
  const started = performance.now();
  tracer ??= await make(setup.max_tokens);
  const { signals } = await tracer.trace(tokens, prompt);
  const seconds = (performance.now() - started) / 1000;
  const peak = resident('VmHWM');
  const answer: Answer = {
    ...{ seconds, peak, above: peak - loaded },
    distance: [...(signals.distance ?? [])],
    far_mass: [...(signals.far_mass ?? [])],
  };
  console.log(JSON.stringify(answer));
}
process.exit(0);
