/** One progress for jobs that run at the same time. Knows nothing of what they do. */
import type { Progress } from '../../core/progress.ts';

interface Share {
  total: number;
  done: number;
}

/**
 * A progress per name; together they are one job of `unit` on `whole`, which shows the sum and how far each
 * one is. It begins when the first of them does, with `total` units each, and ends when all have.
 */
export function sideBySide(
  whole: Progress,
  label: string,
  names: readonly string[],
  total: number,
  unit: string,
): Progress[] {
  const shares = new Map<string, Share>(names.map((name) => [name, { total, done: 0 }]));
  const open = new Set(names);
  let begun = false;
  const show = (): void => {
    const parts = [...shares];
    const done = parts.reduce((sum, [, share]) => sum + share.done, 0);
    whole.update(
      done,
      Object.fromEntries(parts.map(([name, one]) => [name, `${one.done}/${one.total}`])),
    );
  };
  return names.map((name) => ({
    start(): void {
      if (!begun) whole.start(label, total * names.length, unit);
      begun = true;
    },
    update(done): void {
      shares.set(name, { total, done });
      show();
    },
    finish(): void {
      open.delete(name);
      if (open.size === 0) whole.finish(`${names.join(', ')}: ${total} ${unit} each`);
    },
  }));
}
