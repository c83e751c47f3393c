/**
 * The annotation desk as state: the question in hand, what is typed, how the verifier reads it, what became of the last
 * answer. Knows nothing of elements or keys; the page shows the signals and calls the actions.
 */
import { batch, type Signal, signal } from '@preact/signals';
import type {
  WireNext,
  WirePreview,
  WireProgress,
  WireQuestion,
  WireRevealed,
} from '../../../src/server/wire.ts';
import { ApiProblem, said, serverNow } from '../../api.ts';
import type { Calls, Submission, Submitted } from '../../calls.ts';
import { announce } from '../../parts/controls.tsx';
import { BLANK, type Drafts } from './drafts.ts';
import { createReading, type Reading } from './reading.ts';

export type Verdict = Submitted['verdict'];

/** What stands under the answer field: something to heed, or to know. */
export interface Word {
  tone: 'note' | 'warning';
  text: string;
}

export interface Desk {
  /** null while the first one is asked for, and where there is none (`nothing` says why). */
  readonly question: Signal<WireQuestion | null>;
  readonly nothing: Signal<WireNext['nothing']>;
  readonly progress: Signal<WireProgress | null>;
  readonly answer: Signal<string>;
  readonly note: Signal<string>;
  readonly reading: Signal<Reading>;
  /** The policy's answers, once they were looked at; `shown`: they are on the page. */
  readonly policy: Signal<{ answers: WireRevealed | null; looked: boolean; shown: boolean }>;
  readonly last: Signal<{
    verdict: Verdict;
    kind: Submission['kind'];
    answer: string | null;
  } | null>;
  readonly word: Signal<Word | null>;
  readonly busy: Signal<boolean>;
  /** Asks for a question. */
  ask(): Promise<void>;
  /** Asks for more time with the one in hand, without getting in the way of anything else. */
  renew(): Promise<void>;
  write(answer: string): void;
  remark(note: string): void;
  submit(kind: Submission['kind']): Promise<void>;
  undo(): Promise<void>;
  reveal(): Promise<void>;
  /** Figures may have changed. */
  refresh(): Promise<void>;
  close(): void;
}

/** Longest that a submission waits to learn whether its answer can be read, in milliseconds. */
const PATIENCE = 600;

export const verdictWords: Record<Verdict, string> = {
  waiting: 'Saved. Somebody else answers it too.',
  decided: 'Saved. The question has its label.',
  disagree: 'Saved. The answers differ: it goes to adjudication.',
  closed: 'Saved. The question is closed without a label.',
  skipped: 'Skipped.',
};

export function createDesk(calls: Calls, drafts: Drafts): Desk {
  return new TheDesk(calls, drafts);
}

class TheDesk implements Desk {
  readonly question: Desk['question'] = signal(null);
  readonly nothing: Desk['nothing'] = signal(null);
  readonly progress: Desk['progress'] = signal(null);
  readonly answer = signal('');
  readonly note = signal('');
  readonly policy: Desk['policy'] = signal({ answers: null, looked: false, shown: false });
  readonly last: Desk['last'] = signal(null);
  readonly word: Desk['word'] = signal(null);
  readonly busy = signal(false);
  readonly #calls: Calls;
  readonly #drafts: Drafts;
  readonly #reading: ReturnType<typeof createReading>;
  /** Text that cannot be read and is to be sent all the same. */
  #insisted: string | null = null;

  constructor(calls: Calls, drafts: Drafts) {
    this.#calls = calls;
    this.#drafts = drafts;
    this.#reading = createReading(calls.preview);
  }

  get reading(): Signal<Reading> {
    return this.#reading.state;
  }

  ask(): Promise<void> {
    return this.#alone(async () => this.#take(await this.#calls.next()));
  }

  async renew(): Promise<void> {
    const held = this.question.value;
    if (held === null || this.busy.value) return;
    try {
      const got = await this.#calls.next();
      // Meanwhile the question may have been answered; what came with that is newer.
      if (this.question.value !== held) return;
      this.#take(got);
      if (got.question?.promptId === held.promptId) return;
      this.#tell(
        'note',
        'Your time with the last question had run out and it is no longer yours. What you typed is kept, in case it comes back.',
      );
    } catch {
      // It is asked again before long, and the connection's own sign says what is wrong.
    }
  }

  write(answer: string): void {
    this.answer.value = answer;
    this.#insisted = null;
    if (this.word.value?.tone === 'warning') this.word.value = null;
    const promptId = this.question.value?.promptId;
    if (promptId === undefined) return;
    this.#keep();
    this.#reading.follow(promptId, answer);
  }

  remark(note: string): void {
    this.note.value = note;
    this.#keep();
  }

  submit(kind: Submission['kind']): Promise<void> {
    return this.#alone(async () => {
      const question = this.question.value;
      if (question === null) return;
      const answer = this.answer.value.trim();
      if (kind === 'answer' && !(await this.#mayBeSent(question.promptId, answer))) return;
      if (this.question.value !== question) return;
      const sent = kind === 'answer' ? answer : null;
      const result = await this.#calls.submit({
        promptId: question.promptId,
        kind,
        answer: sent,
        note: this.note.value.trim(),
        revealed: this.policy.value.looked,
      });
      this.#drafts.drop(question.promptId);
      this.last.value = { verdict: result.verdict, kind, answer: sent };
      this.#take(result.next, verdictWords[result.verdict]);
    });
  }

  undo(): Promise<void> {
    return this.#alone(async () => {
      const back = await this.#calls.undo();
      const { undone } = back;
      if (undone === null) {
        this.#tell('note', 'There is nothing of yours to take back.');
        return;
      }
      this.#drafts.keep(undone.promptId, {
        answer: undone.answer ?? '',
        note: undone.note,
        revealed: undone.revealed,
      });
      this.last.value = null;
      this.#take(back.next, 'Taken back.');
      this.#tell('note', 'Your last answer is taken back; here is its question again.');
    });
  }

  reveal(): Promise<void> {
    const promptId = this.question.value?.promptId;
    const { answers, shown } = this.policy.value;
    if (promptId === undefined) return Promise.resolve();
    if (answers !== null) {
      this.policy.value = { ...this.policy.value, shown: !shown };
      return Promise.resolve();
    }
    return this.#alone(async () => {
      const found = await this.#calls.reveal(promptId);
      if (this.question.value?.promptId !== promptId) return;
      this.policy.value = { answers: found, looked: true, shown: true };
      this.#keep();
      announce('The policy’s answers are shown. That you looked goes on record.');
    });
  }

  async refresh(): Promise<void> {
    try {
      this.progress.value = await this.#calls.progress();
    } catch {
      // The figures stay as they are; the connection's own sign says what is wrong.
    }
  }

  close(): void {
    this.#reading.close();
  }

  /** False where nothing was typed, or where it cannot be read and has not been insisted on. */
  async #mayBeSent(promptId: string, answer: string): Promise<boolean> {
    if (answer === '') {
      this.#tell('warning', 'Type an answer first, or skip the question.');
      return false;
    }
    if (this.#insisted === answer) return true;
    const read: WirePreview | null = await this.#reading.of(promptId, answer, PATIENCE);
    if (read === null || read.readable) return true;
    this.#insisted = answer;
    this.#tell('warning', 'The verifier cannot read this. Submit once more to send it as it is.');
    return false;
  }

  #take(next: WireNext, heard?: string): void {
    const before = this.question.value?.promptId;
    const { question } = next;
    batch(() => {
      this.progress.value = next.progress;
      this.nothing.value = next.nothing;
      this.question.value = question;
      if (question?.promptId === before && heard === undefined) return;
      const draft = question === null ? BLANK : this.#drafts.of(question.promptId);
      this.answer.value = draft.answer;
      this.note.value = draft.note;
      this.policy.value = { answers: null, looked: draft.revealed, shown: false };
      this.word.value = null;
      this.#insisted = null;
      if (question === null) this.#reading.follow('', '');
      else this.#reading.follow(question.promptId, draft.answer);
    });
    const now = question === null ? 'There is no question for you now.' : 'New question.';
    if (heard !== undefined || question?.promptId !== before)
      announce(`${heard ?? ''} ${now}`.trim());
  }

  #keep(): void {
    const promptId = this.question.value?.promptId;
    if (promptId === undefined) return;
    const { looked } = this.policy.value;
    this.#drafts.keep(promptId, {
      answer: this.answer.value,
      note: this.note.value,
      revealed: looked,
    });
  }

  #tell(tone: Word['tone'], text: string): void {
    this.word.value = { tone, text };
  }

  /** One thing at a time: a second press of a key while the first is under way does nothing. */
  async #alone(act: () => Promise<void>): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = true;
    try {
      await act();
    } catch (error) {
      await this.#explain(error);
    } finally {
      this.busy.value = false;
    }
  }

  async #explain(error: unknown): Promise<void> {
    const kind = error instanceof ApiProblem ? error.kind : '';
    if (kind === 'offline') {
      this.#tell(
        'warning',
        'The server cannot be reached. What you typed is kept: try again in a moment.',
      );
      return;
    }
    this.#tell('warning', said(error));
    if (kind !== 'conflict' && kind !== 'gone') return;
    // The question is no longer in these hands (its time ran out, or an answer whose receipt got lost did arrive).
    try {
      this.#take(await this.#calls.next());
      this.#tell('warning', said(error));
    } catch {
      // The first problem is the one to show.
    }
  }
}

/** Seconds that a question is still one's own; negative when its time has run out. */
export function secondsLeft(question: WireQuestion): number {
  return (question.expiresAt - serverNow()) / 1000;
}
