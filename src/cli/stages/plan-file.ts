/** The manifest of a triage plan: the plan and every transition made under its name, so that it can be replayed. */
import { join } from 'node:path';
import { WholeFile } from '../../pool/output.ts';
import type { Repositories } from '../../store/types.ts';

/** Where the manifest of a plan lies. */
export function planPath(workspace: string, name: string): string {
  return join(workspace, 'plans', `${name}.json`);
}

/**
 * Writes the manifest of a saved plan, as the store has it, and returns its path. One transition a line: such files are
 * compared and searched. It is written as it is read: that of a million prompts is longer than a string may be.
 */
export async function writePlanFile(
  store: Pick<Repositories, 'plans' | 'transitions' | 'browse'>,
  workspace: string,
  name: string,
): Promise<string> {
  const path = planPath(workspace, name);
  const file = new WholeFile(path);
  try {
    file.text(`{"revision":${(await store.browse.planRevision(name)) ?? 0},\n"plan":`);
    for await (const piece of store.plans.text(name)) file.text(piece);
    file.text(',\n"transitions":[\n');
    let first = true;
    for await (const lines of store.transitions.lines(name)) {
      file.text(`${first ? '' : ',\n'}${lines.join(',\n')}`);
      first = false;
    }
    file.text('\n]}\n');
    file.commit();
  } catch (error) {
    file.abort();
    throw error;
  }
  return path;
}
