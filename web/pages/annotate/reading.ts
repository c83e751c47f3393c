/**
 * How the verifier reads what is being typed: asked for when the typing pauses, the last text only.
 */
import { type Signal, signal } from '@preact/signals';
import type { WirePreview } from '../../../src/server/wire.ts';

export type Reading =
  | { state: 'blank' }
  | { state: 'asking' }
  /** `of`: the text that this is the reading of; while something newer is typed it is not the field's. */
  | { state: 'known'; preview: WirePreview; of: string }
  | { state: 'unknown' };

type Ask = (promptId: string, answer: string, signal?: AbortSignal) => Promise<WirePreview>;

/** Milliseconds without a key before it is asked. */
const PAUSE = 180;

/** A follower of one field. `ask` is called with the trimmed text. */
export function createReading(ask: Ask) {
  return new Follower(ask);
}

class Follower {
  readonly state: Signal<Reading> = signal({ state: 'blank' });
  readonly #ask: Ask;
  #current = '';
  #prompt = '';
  #timer: ReturnType<typeof setTimeout> | null = null;
  #under: AbortController | null = null;
  #result: Promise<WirePreview | null> | null = null;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** The field holds this now. */
  follow(promptId: string, typed: string): void {
    const answer = typed.trim();
    const key = `${promptId}\n${answer}`;
    if (key === this.#current) return;
    this.close();
    this.#current = key;
    if (answer === '') {
      this.state.value = { state: 'blank' };
      return;
    }
    // The last reading of the same question stays until the next one is known, so that the page does not flicker.
    if (this.state.value.state !== 'known' || promptId !== this.#prompt)
      this.state.value = { state: 'asking' };
    this.#prompt = promptId;
    this.#timer = setTimeout(() => void this.#start(promptId, answer), PAUSE);
  }

  /** How this text is read; null where that is not known within `patience` milliseconds. */
  async of(promptId: string, answer: string, patience: number): Promise<WirePreview | null> {
    this.follow(promptId, answer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const result = this.#result ?? this.#start(promptId, answer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((done) => {
      timer = setTimeout(() => done(null), patience);
    });
    const first = await Promise.race([result, late]);
    clearTimeout(timer);
    return first;
  }

  /** Stops what is under way. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#under?.abort();
    this.#under = null;
    this.#result = null;
    this.#current = '';
  }

  #start(promptId: string, answer: string): Promise<WirePreview | null> {
    const controller = new AbortController();
    this.#under = controller;
    this.#timer = null;
    const result = this.#ask(promptId, answer, controller.signal).then(
      (preview) => {
        if (this.#under === controller) this.state.value = { state: 'known', preview, of: answer };
        return preview;
      },
      () => {
        if (this.#under === controller) this.state.value = { state: 'unknown' };
        return null;
      },
    );
    this.#result = result;
    return result;
  }
}
