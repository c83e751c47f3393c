/** When labels were given, as far as the queue knows: a label itself has no time. */
import type { Repositories } from '../store/types.ts';

/** The time of a label in milliseconds since 1970; null where it was not given in the queue. */
export type LabelTime = (promptId: string, source: string) => number | null;

/**
 * For the labels of `promptIds`, or of the whole account: when their question was decided, or when the annotator of
 * that name answered last.
 */
export async function labelTimes(
  { desk, users }: Pick<Repositories, 'desk' | 'users'>,
  account: string,
  promptIds?: readonly string[],
): Promise<LabelTime> {
  const names = new Map((await users.list()).map(({ id, name }) => [id, name]));
  const times = new Map<string, number>();
  for (const { promptId, annotator, kind, at } of await desk.standing(account, promptIds)) {
    const name = names.get(annotator);
    if (kind === 'answer' && name !== undefined) times.set(keyOf(promptId, name), at);
  }
  for (const { promptId, labelSource, decidedAt } of await desk.tasks(account, promptIds)) {
    if (labelSource !== null && decidedAt !== null) {
      times.set(keyOf(promptId, labelSource), decidedAt);
    }
  }
  return (promptId, source) => times.get(keyOf(promptId, source)) ?? null;
}

function keyOf(promptId: string, source: string): string {
  return JSON.stringify([promptId, source]);
}
