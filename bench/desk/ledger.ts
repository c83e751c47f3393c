/**
 * What the simulated annotators did and what the server told them: the other side of the books, to be held against
 * the database. Every submission carries a serial number in its note, so that each row can be traced to its sender.
 */
import type { Submission, Verdict } from '../../src/label/queue/types.ts';

/** `sent`: nothing is known of it yet. */
type Fate = 'sent' | 'acknowledged' | 'refused';

export interface Sent extends Submission {
  /** Also its note. */
  serial: string;
  person: string;
  fate: Fate;
  verdict: Verdict | undefined;
  /** Was it taken back? `unknown`: the answer got lost, and others may have had the question since. */
  undone: 'no' | 'yes' | 'unknown';
}

/** A question in somebody's hands, as they knew: from when they heard of it until they gave it up or it ran out. */
export interface Hold {
  promptId: string;
  person: string;
  /** Milliseconds since 1970. */
  from: number;
  until: number;
}

export interface Timing {
  what: 'next' | 'submit' | 'undo' | 'progress';
  ms: number;
  /** When the answer was there, in milliseconds since 1970. */
  at: number;
}

export class Ledger {
  readonly sent = new Map<string, Sent>();
  readonly holds: Hold[] = [];
  /** Of requests that were answered at the first try. */
  readonly timings: Timing[] = [];
  /** Most labels that the server ever told of. */
  mostLabels = 0;
  /** Submissions that were sent twice, after an answer got lost or by an impatient hand. */
  repeats = 0;
  /** Refusals by their text. */
  readonly refusals = new Map<string, number>();
  /** What nobody should ever see. */
  readonly surprises: string[] = [];

  submission(person: string, submission: Omit<Submission, 'note'>): Sent {
    const serial = `n${this.sent.size}`;
    const sent: Sent = {
      ...submission,
      ...{ serial, person, note: serial, fate: 'sent', verdict: undefined, undone: 'no' },
    };
    this.sent.set(serial, sent);
    return sent;
  }

  acknowledge(sent: Sent, verdict: Verdict): void {
    if (sent.fate === 'acknowledged' && sent.verdict !== verdict) {
      this.surprises.push(`${sent.serial} was "${sent.verdict}" and then "${verdict}"`);
    }
    sent.fate = 'acknowledged';
    sent.verdict = verdict;
  }

  refuse(sent: Sent, why: string): void {
    if (sent.fate === 'acknowledged') {
      this.surprises.push(`${sent.serial} was acknowledged and then refused: ${why}`);
    } else sent.fate = 'refused';
    this.refused(why);
  }

  refused(why: string): void {
    const kind = why.replace(/"[^"]*"|'[^']*'|\b[pn]\d+\b/g, '…');
    this.refusals.set(kind, (this.refusals.get(kind) ?? 0) + 1);
  }

  /** Answers that the server took and that were not taken back. */
  get answers(): number {
    return [...this.sent.values()].filter(
      ({ fate, kind, undone }) => fate === 'acknowledged' && kind !== 'skip' && undone === 'no',
    ).length;
  }
}
