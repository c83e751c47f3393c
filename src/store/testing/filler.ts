/** A child for the disk tests: writes until it fails and prints why, then whether later calls fail as clearly. */
import { UserError } from '../../core/errors.ts';
import { openStore } from '../store.ts';
import { promptRow, rolloutRow } from './rows.ts';

const [workspace, batches] = process.argv.slice(2);

const described = (error: unknown) =>
  error instanceof UserError ? `UserError: ${error.message}` : `fault: ${error}`;

try {
  const store = await openStore(workspace);
  console.log('open');
  let written = 0;
  try {
    for (; written < Number(batches); written++) {
      const indices = Array.from({ length: 200 }, (_, i) => written * 200 + i);
      await store.transaction(async ({ prompts, rollouts }) => {
        await prompts.add(indices.map(promptRow));
        await rollouts.put(
          0,
          indices.map((i) => ({ ...rolloutRow(i, 0, 500), tokens: noise(i) })),
        );
      });
    }
  } catch (error) {
    console.log(described(error));
  }
  console.log(`written ${written}`);
  await store.close();
  const again = await openStore(workspace);
  console.log(`found ${(await again.rollouts.counts(0)).size / 200}`);
  await again.close();
} catch (error) {
  console.log(described(error));
}

/** Numbers that do not compress. */
function noise(index: number): Int32Array {
  return Int32Array.from({ length: 2000 }, (_, t) => Math.imul(index * 2000 + t, 0x9e3779b1));
}
