// What came of running a program, in words and as a verdict. Knows nothing of languages or sandboxes.
import type { Verdict } from '../types.ts';

/** Null where the program passed. */
export type Outcome = Verdict | null;

/** What stopped a program or a test; the rung of the verdict. */
export type Rung = 'tests' | 'cpu' | 'wall' | 'memory' | 'output' | 'sandbox' | 'gold';

export function wrong(rung: Rung, reason: string): Verdict {
  return { verdict: 'wrong', reason, rung };
}

/** Our own failure: it says nothing about the program. */
export function undecided(rung: Rung, reason: string): Verdict {
  return { verdict: 'undecided', reason, rung };
}

/** `text` on one line, shortened, in quotes. */
export function quoted(text: string, most = 80): string {
  return JSON.stringify(text.length <= most ? text : `${text.slice(0, most - 1)}…`);
}

/** Whether two outputs are the same: blanks at the end of a line and empty lines at the end do not count. */
export function sameOutput(printed: string, wanted: string): boolean {
  return printed === wanted || trimmed(printed) === trimmed(wanted);
}

function trimmed(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines.join('\n');
}

/** Where two outputs part, for a person. */
export function difference(printed: string, wanted: string): string {
  const [have, want] = [trimmed(printed).split('\n'), trimmed(wanted).split('\n')];
  const line = want.findIndex((text, index) => have[index] !== text);
  const at = line === -1 ? want.length : line;
  const place = want.length > 1 || have.length > 1 ? ` in line ${at + 1}` : '';
  return `printed ${quoted(have[at] ?? '')}${place}, wanted ${quoted(want[at] ?? '')}`;
}
