/** A child for the durability test: writes batches for ever and prints each one when it is acknowledged. */
import { openStore } from '../store.ts';
import { promptRow, rolloutRow, traceRow } from './rows.ts';

const [workspace, first] = process.argv.slice(2);
const store = await openStore(workspace);
console.log('open');
for (let batch = Number(first); ; batch++) {
  const indices = Array.from({ length: 20 }, (_, i) => batch * 20 + i);
  await store.prompts.add(indices.map(promptRow));
  await store.rollouts.put(
    0,
    indices.map((i) => rolloutRow(i, 0, 200)),
  );
  await store.traces.put(
    0,
    indices.map((i) => traceRow(i, 0, 200)),
  );
  console.log(batch);
}
