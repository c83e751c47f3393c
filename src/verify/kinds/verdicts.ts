// The sentences that the kinds have in common. None of them says which side an answer stood on, so that swapping the
// sides changes nothing.
import type { Reading, Verdict } from '../types.ts';

export function right(rung: string, reason: string): Verdict {
  return { verdict: 'right', reason, rung };
}

export function wrong(rung: string, reason: string): Verdict {
  return { verdict: 'wrong', reason, rung };
}

export function undecided(rung: string, reason: string): Verdict {
  return { verdict: 'undecided', reason, rung };
}

/** The verdict where at least one side could not be read as `what` ("a number"). */
export function unreadable(what: string, other: boolean): Verdict {
  return other
    ? wrong('unreadable', `only one answer is ${what}`)
    : undecided('unreadable', `neither answer is ${what}`);
}

/** A reading whose key says all: two of them are equal where their keys are, and different for certain elsewhere. */
export function keyed(kind: string, key: string, shown: string): Reading {
  return { key: `${kind}:${key}`, bucket: `${kind}:${key}`, kind, shown: brief(shown) };
}

/** At most 200 characters, as `Reading.shown` wants it. */
export function brief(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}\u2026` : text;
}
