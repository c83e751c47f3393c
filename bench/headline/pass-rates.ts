/**
 * Measures the base policy's pass rate on every prompt of the bundled pool: `npx tsx bench/headline/pass-rates.ts`.
 * Writes `pass-rates.jsonl`, from which pools of a given redundancy are drawn (pools.ts) and on which the oracle rests.
 */
import { join } from 'node:path';
import { writeWhole } from '../../src/core/files.ts';
import { Policy } from '../../src/train/policy.ts';
import { openVerifier } from '../../src/verify/open.ts';
import { readRows, root } from '../rows.ts';

const SAMPLES = 16;
const CHUNK = 128;
/** No run of the benchmark samples with it. */
const SEED = 7_000_000;

const answers = new Map(readRows('data/answers.jsonl').map(({ id, answer }) => [id, answer]));
const prompts = readRows('data/pool.jsonl');
const verifier = await openVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
const policy = new Policy({
  model: join(root, 'models/reasoner'),
  engine: { provider: 'cpu', threads: 0 },
  batchSize: 128,
  chat: 'auto',
  optimizer: null,
  tokensPerMicroBatch: 2048,
});
const lines: string[] = [];
for (let at = 0; at < prompts.length; at += CHUNK) {
  const chunk = prompts.slice(at, at + CHUNK);
  const responses = await policy.generate(
    chunk.flatMap(({ id, prompt }) =>
      Array.from({ length: SAMPLES }, (_, sample) => ({ promptId: id, sample, prompt })),
    ),
    {
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 140, stop: [], seed: SEED },
      longPrompts: 'refuse',
    },
  );
  for (const [i, { id }] of chunk.entries()) {
    const own = responses.slice(i * SAMPLES, (i + 1) * SAMPLES).map(({ text }) => text);
    const verdicts = await verifier.verify(answers.get(id) ?? '', own);
    const right = verdicts.filter(({ verdict }) => verdict === 'right').length;
    lines.push(JSON.stringify({ id, right, samples: SAMPLES }));
  }
  console.error(`${Math.min(prompts.length, at + CHUNK)} of ${prompts.length} prompts`);
}
writeWhole(join(import.meta.dirname, 'pass-rates.jsonl'), `${lines.join('\n')}\n`);
await policy.close();
await verifier.close();
