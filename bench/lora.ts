/**
 * What training an adapter saves: one step of GRPO on a model of SmolLM2-135M's shape, with all weights trained and
 * with adapters, in turns. Linux only (memory is read from /proc).
 *
 *   npm run bench:lora [-- --rounds=3 --tokens=512 --steps=2 --rank=16]
 *
 * The last line is JSON: medians over the rounds and the ratios adapter over all weights, of which time is measured in
 * the same round.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { median } from './bench-model.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '512' },
    steps: { type: 'string', default: '2' },
    rank: { type: 'string', default: '16' },
  },
});

/** Seconds of a step, and of the processor; MB above the loaded model, of it gradients and moments; MB of the process with the model. */
const schema = z.object({
  ...{
    seconds: z.number(),
    cpu: z.number(),
    peak: z.number(),
    arrays: z.number(),
    loaded: z.number(),
  },
  trained: z.number(),
});
type Measured = z.infer<typeof schema>;

function measure(rank: string): Measured {
  const script = fileURLToPath(new URL('lora-step.ts', import.meta.url));
  const flags = ['--expose-gc', '--import', 'tsx', script, rank, values.tokens, values.steps];
  return schema.parse(JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' })));
}

const rounds = Array.from({ length: Number(values.rounds) }, () => {
  const [whole, adapter] = [measure('0'), measure(values.rank)];
  return { whole, adapter };
});
const of = (side: 'whole' | 'adapter', key: keyof Measured) =>
  median(rounds.map((round) => round[side][key]));

console.log(`One step of ${values.tokens} tokens, 134.5 M parameters in float32, two threads.`);
console.log(
  'what is trained      parameters  seconds  cpu seconds  MB above the model  of it gradients, moments',
);
for (const [side, name] of [
  ['whole', 'all weights'],
  ['adapter', `adapters, rank ${values.rank}`],
] as const) {
  const cells = [
    name.padEnd(20),
    `${(of(side, 'trained') / 1e6).toFixed(1)} M`.padStart(11),
    of(side, 'seconds').toFixed(2).padStart(8),
    of(side, 'cpu').toFixed(2).padStart(12),
    of(side, 'peak').toFixed(0).padStart(19),
    of(side, 'arrays').toFixed(0).padStart(25),
  ];
  console.log(cells.join(' '));
}
const ratio = (of: (one: Measured) => number) =>
  Number(median(rounds.map(({ whole, adapter }) => of(adapter) / of(whole))).toFixed(3));
console.log(
  JSON.stringify({
    time_ratio: ratio(({ seconds }) => seconds),
    cpu_ratio: ratio(({ cpu }) => cpu),
    memory_ratio: ratio(({ peak }) => peak),
    process_memory_ratio: ratio(({ peak, loaded }) => peak + loaded),
    whole: { seconds: of('whole', 'seconds'), cpu: of('whole', 'cpu'), mb: of('whole', 'peak') },
    adapter: {
      seconds: of('adapter', 'seconds'),
      cpu: of('adapter', 'cpu'),
      mb: of('adapter', 'peak'),
    },
  }),
);
