/** A store that is open for one job of a test. */
import { openStore } from '../store.ts';
import type { Store } from '../types.ts';

/** Runs `job` with the store of a workspace open, and closes it whatever happens. */
export async function withStore<T>(
  workspace: string,
  job: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(workspace);
  try {
    return await job(store);
  } finally {
    await store.close();
  }
}
