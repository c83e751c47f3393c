/** The manifest of a triage plan: the plan and every transition made under its name, so that it can be replayed. */
import { join } from 'node:path';
import { writeWhole } from '../../core/files.ts';
import { planToJson, transitionToLine } from '../../triage/disk.ts';
import type { Transition, TriagePlan } from '../../triage/types.ts';

/** Where the manifest of a plan lies. */
export function planPath(workspace: string, name: string): string {
  return join(workspace, 'plans', `${name}.json`);
}

/** Writes the manifest and returns its path. One transition a line: such files are compared and searched. */
export function writePlanFile(
  workspace: string,
  plan: TriagePlan,
  revision: number,
  transitions: readonly Transition[],
): string {
  const path = planPath(workspace, plan.name);
  const lines = transitions.map(transitionToLine).join(',\n');
  writeWhole(
    path,
    `{"revision":${revision},\n"plan":${JSON.stringify(planToJson(plan))},\n"transitions":[\n${lines}\n]}\n`,
  );
  return path;
}
