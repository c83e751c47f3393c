/** What most verbs begin with: the store of the workspace and the verifier of the configuration. */
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import { verifierFor } from '../../verify/registry.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Config } from '../config.ts';

/** Runs `job` with the store open, and closes it whatever happens. */
export async function withStore<T>(config: Config, job: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(config.workspace);
  try {
    return await job(store);
  } finally {
    await store.close();
  }
}

export function verifierOf({ verify }: Config): Verifier {
  return verifierFor(verify.kind, {
    caseMatters: verify.case_matters,
    lastResort: verify.last_resort,
    deadlineMs: verify.deadline_ms,
  });
}
