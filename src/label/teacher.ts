/**
 * A teacher as a source of labels: a model behind an endpoint, with a name, a price and a budget of its own.
 *
 * It is asked in the background, so many calls at once and a minute; what it answers goes into the account under its
 * name. Knows nothing of training.
 */
import { Passing } from '../endpoint/http.ts';
import type { Pace } from '../endpoint/pace.ts';
import { patiently } from '../endpoint/retries.ts';
import { isText } from '../pool/content.ts';
import type { Content, PoolPrompt } from '../pool/types.ts';
import { BudgetExceeded, type Store } from '../store/types.ts';
import type { Mark, Verifier } from '../verify/types.ts';
import type { TeacherBooks } from './teacher-books.ts';
import type { Ask, ChatMessage } from './teacher-client.ts';
import type { Buyer, Label, LiveSource } from './types.ts';

export interface TeacherSettings {
  /** Source of its labels. */
  name: string;
  /** Of one answer, in any unit. */
  price: number;
  /** Answers per question; the majority of them is the label. */
  samples: number;
  /** Calls at once. */
  concurrency: number;
  /** How often a call is made again when it fails. */
  retries: number;
  /** Said after the question; '' = nothing. */
  instruction: string;
  /** Can it see images? Prompts that hold some are not sent otherwise, and get no label from it. */
  images: boolean;
  /** Labels that the account may hold in all; null = no limit. */
  labelBudget: number | null;
  /** The first pause before a call is made again, in milliseconds; it doubles each time, up to a minute. */
  backoffMs?: number;
}

type Reader = Pick<Verifier, 'candidates' | 'classes' | 'read'>;

export interface TeacherParts {
  store: Pick<Store, 'labels' | 'prompts'>;
  verifierOf(promptId: string): Promise<Reader>;
  ask: Ask;
  pace: Pace;
  books: TeacherBooks;
  /** Hears of every label before it is stored: a label that nobody heard of would never be checked. */
  checked?(label: Label): Promise<void>;
  /** Have people said that the prompt has no answer? Then the teacher is not asked. */
  closed?(promptId: string): Promise<boolean>;
  /** Something that a person should know. */
  note(sentence: string): void;
}

/** An answer in these marks was meant as one; what an unmarked text seems to say is too little for a label. */
const meant: readonly Mark[] = ['boxed', 'tag', 'hashes', 'phrase'];

/** After so many questions in a row that were not answered the endpoint is taken to be down: the others wait. */
const FAILURES_IN_A_ROW = 3;

export function openTeacher(settings: TeacherSettings, parts: TeacherParts): LiveSource {
  return new Teacher(settings, parts);
}

class Teacher implements LiveSource {
  readonly name: string;
  private readonly settings: TeacherSettings;
  private readonly parts: TeacherParts;
  private readonly waiting = new Map<string, Buyer>();
  private readonly asking = new Map<string, Promise<void>>();
  /** No label is to be had in this process: no answer, or no money. */
  private readonly without = new Set<string>();
  private readonly closing = new AbortController();
  private failures = 0;
  private trouble: unknown;

  constructor(settings: TeacherSettings, parts: TeacherParts) {
    this.name = settings.name;
    this.settings = settings;
    this.parts = parts;
  }

  async put(wishes: readonly { promptId: string }[], buyer: Buyer): Promise<void> {
    this.check();
    for (const id of await this.parts.books.refused()) this.without.add(id);
    for (const { promptId: id } of wishes) {
      if (!this.without.has(id) && !this.asking.has(id)) this.waiting.set(id, buyer);
    }
    this.pump();
  }

  async refused(promptIds: readonly string[]): Promise<string[]> {
    this.check();
    return promptIds.filter((id) => this.without.has(id));
  }

  async idle(): Promise<void> {
    while (this.asking.size > 0) await Promise.race(this.asking.values());
    this.check();
  }

  async close(): Promise<void> {
    this.waiting.clear();
    this.closing.abort();
    await Promise.all(this.asking.values());
  }

  private check(): void {
    if (this.trouble !== undefined) throw this.trouble;
  }

  /** Starts as many questions as may be asked at once. */
  private pump(): void {
    for (const [promptId, buyer] of this.waiting) {
      if (this.asking.size >= this.settings.concurrency || this.closing.signal.aborted) return;
      this.waiting.delete(promptId);
      const done = this.label(promptId, buyer)
        .catch((error: unknown) => {
          if (this.closing.signal.aborted) return;
          // Nothing that is asked from here on would fare better.
          this.trouble ??= error;
          this.waiting.clear();
        })
        .finally(() => {
          this.asking.delete(promptId);
          this.pump();
        });
      this.asking.set(promptId, done);
    }
  }

  private async label(promptId: string, buyer: Buyer): Promise<void> {
    const { store, books, checked, note } = this.parts;
    const [owned] = await store.labels.owned(buyer.account, [promptId]);
    if (owned !== undefined) return;
    if ((await this.parts.closed?.(promptId)) === true) {
      this.without.add(promptId);
      return;
    }
    const prompt = await this.promptOf(promptId);
    if (!this.settings.images && !isText(prompt)) {
      this.without.add(promptId);
      return;
    }
    const cost = this.settings.price * this.settings.samples;
    if (!(await books.reserve(cost))) {
      if (this.without.size === 0) note(`The budget of the teacher ${this.name} is used up.`);
      this.without.add(promptId);
      return;
    }
    let answer: string | null;
    try {
      answer = await this.answerTo(prompt);
    } catch (error) {
      if (error instanceof Passing && !this.closing.signal.aborted) {
        await books.giveBack(cost);
        this.unanswered(error);
        return;
      }
      throw error;
    }
    this.failures = 0;
    if (answer === null) {
      this.without.add(promptId);
      await books.refuse(promptId);
      return;
    }
    const label = { promptId, answer, source: this.name, cost };
    await checked?.(label);
    const { account, run, step } = buyer;
    try {
      const record = { ...label, noisy: false, run, step };
      await store.labels.add(account, [record], this.settings.labelBudget ?? undefined);
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      this.without.add(promptId);
    }
  }

  /** What is not asked now is asked when it is put up again. */
  private unanswered({ message }: Passing): void {
    this.failures += 1;
    if (this.failures === 1)
      this.parts.note(`The teacher ${this.name} does not answer: ${message}.`);
    if (this.failures >= FAILURES_IN_A_ROW) this.waiting.clear();
  }

  /** The answer of most samples; null where the teacher gives none, or no answer has more than half of them. */
  private async answerTo(prompt: PoolPrompt): Promise<string | null> {
    const messages = withInstruction(prompt, this.settings.instruction);
    const verifier = await this.parts.verifierOf(prompt.id);
    const answers: (string | undefined)[] = [];
    for (let i = 0; i < this.settings.samples; i++) {
      const { text } = await this.call(messages);
      answers.push(text === null ? undefined : await answerIn(text, verifier));
    }
    const classes = await verifier.classes(answers);
    for (const [i, index] of classes.entries()) {
      const votes = classes.filter((other) => other === index).length;
      if (index >= 0 && 2 * votes > answers.length) return answers[i]?.trim() ?? null;
    }
    return null;
  }

  private async promptOf(promptId: string): Promise<PoolPrompt> {
    const [found] = await this.parts.store.prompts.list([promptId]);
    if (found === undefined) throw new Error(`prompt ${promptId} is asked for and not in the pool`);
    return found;
  }

  /** One call, made again as the settings say. Throws Passing where all fail. */
  private call(messages: readonly ChatMessage[]): ReturnType<Ask> {
    const { pace, ask, note } = this.parts;
    const onRest = (seconds: number) =>
      note(`The teacher ${this.name} asks to be left alone for ${seconds} s.`);
    const patience = { ...this.settings, pace, onRest };
    return patiently((stop) => ask(messages, stop), patience, this.closing.signal);
  }
}

/** The messages of a prompt, with the instruction at the end of the last one: not every model takes a system message. */
function withInstruction(
  { prompt }: Pick<PoolPrompt, 'prompt'>,
  instruction: string,
): ChatMessage[] {
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : [...prompt];
  const last = messages.at(-1);
  if (instruction === '' || last === undefined) return messages;
  return [...messages.slice(0, -1), { ...last, content: followedBy(last.content, instruction) }];
}

function followedBy(content: Content, text: string): Content {
  if (typeof content === 'string') return `${content}\n\n${text}`;
  return [...content, { type: 'text', text }];
}

/** The answer that a response marks, or that is all of it; words alone may be a refusal. */
async function answerIn(text: string, verifier: Reader): Promise<string | undefined> {
  const [best] = await verifier.candidates(text);
  if (best === undefined || meant.includes(best.mark)) return best?.text;
  if (best.mark !== 'whole') return undefined;
  const reading = await verifier.read(best.text);
  return reading === null || reading.kind === 'text' ? undefined : best.text;
}
