/**
 * Spot checks: a share of a teacher's labels is put before people as questions whose answer is known, and what they
 * answer tells how often the teacher errs.
 */
import { stream } from '../core/random.ts';
import type { Annotation, Judge, Queue } from './queue/types.ts';
import type { Label } from './types.ts';

/** Whether the label of this prompt is checked: `share` of all, the same ones for the same seed. */
export function isChecked(promptId: string, share: number, seed: number): boolean {
  return stream(seed, 'spot check', promptId).uniform() < share;
}

/** Puts the label before people if it is its turn; they are not told that it is a check. */
export async function spotCheck(
  queue: Pick<Queue, 'orderGold'>,
  { promptId, answer }: Label,
  { share, seed }: { share: number; seed: number },
): Promise<void> {
  if (isChecked(promptId, share, seed)) await queue.orderGold([{ promptId, answer }]);
}

export interface TeacherCheck {
  promptId: string;
  teacher: string;
  /** The first answer of a person that says otherwise; null where all agree. */
  person: string | null;
}

/** Labels of a teacher that people have answered too, in the order of `labels`. Shown answers and undone ones are left out. */
export async function teacherChecks(
  labels: readonly Label[],
  annotations: readonly Annotation[],
  judge: Judge,
): Promise<TeacherCheck[]> {
  const checks: TeacherCheck[] = [];
  for (const { promptId, answer, source } of labels) {
    const given = annotations.flatMap((one) =>
      one.promptId === promptId && one.annotator !== source && isOwnAnswer(one) ? one : [],
    );
    if (given.length === 0) continue;
    let person: string | null = null;
    for (const one of given) {
      if (person !== null || one.answer === null) continue;
      if (!(await judge.equivalent(promptId, answer, one.answer))) person = one.answer;
    }
    checks.push({ promptId, teacher: answer, person });
  }
  return checks;
}

function isOwnAnswer({ kind, undone, revealed }: Annotation): boolean {
  return kind === 'answer' && !undone && !revealed;
}
