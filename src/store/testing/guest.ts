/** A child for the tests of sharing: opens the store, stands still in a transaction, and says so. */
import { openStore } from '../store.ts';
import { promptRow } from './rows.ts';

const [target] = process.argv.slice(2);
const store = await openStore(target);
await store.meta.put('guest', process.pid);
await store.transaction(async ({ prompts }) => {
  await prompts.add([promptRow(1)]);
  console.log('inside');
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
