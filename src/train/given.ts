/**
 * Responses that were not decoded here, under the weights of a policy: as token ids, and traced by prefill with what
 * the policy says of every token. Knows nothing of files or of where responses come from.
 */
import type { EngineSettings } from '../engine/program.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import type { ChatTemplate } from '../model/chat-template.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import type { Response, Sampling } from '../rollout/types.ts';
import { PrefillTracer } from '../trace/prefill.ts';

export type GivenPrompt = string | readonly { role: string; content: string }[];

/** A response as it came: its tokens where they are known, else its text. */
export interface GivenResponse {
  prompt: GivenPrompt;
  text: string | null;
  tokens: Int32Array | null;
  finish: 'stop' | 'length';
}

/** A response as token ids, or why it cannot be traced. */
export type ReadResponse = { text: string; tokens: Int32Array } | { reason: string };

/** A response to trace; `tokens` with the stop token where it ended by one. */
export interface GivenText {
  promptId: string;
  sample: number;
  prompt: GivenPrompt;
  tokens: Int32Array;
  /** Without it, what the tokens say. */
  text?: string;
  /** Without it, `stop` where the last token ends a response. */
  finish?: 'stop' | 'length';
}

/** How far a prompt may be cut, as when sampling. */
export type Room = Pick<Sampling, 'maxTokens' | 'longPrompts'>;

/** Room of the first tracer, in tokens; a longer text gets one of at least twice the room. */
const FIRST_ROOM = 1024;

export interface GivenParts {
  config: DecoderConfig;
  /** Read in place: a learner may change them between calls. */
  weights: ReadonlyMap<string, Float32Array>;
  tokenizer: Tokenizer;
  template: ChatTemplate;
  engine: EngineSettings;
  /** The messages of a prompt, or its text where no template is to be used. */
  wrap(prompt: GivenPrompt): GivenPrompt;
}

export class GivenTexts {
  private readonly parts: GivenParts;
  private readonly eos: ReadonlySet<number>;
  /** For the last trace request alone. */
  private tracer: { asked: string; tokens: number; made: PrefillTracer } | undefined;

  constructor(parts: GivenParts) {
    this.parts = parts;
    this.eos = new Set(parts.tokenizer.eosIds);
  }

  /**
   * The tokens of a response. A text is tokenised as the continuation of its prompt where the tokens of both begin with
   * those of the prompt, else by itself; one that ended gets the end token that its model would have sampled.
   */
  read({ prompt, text, tokens, finish }: GivenResponse, room: Room): ReadResponse {
    const { config, tokenizer } = this.parts;
    const asked = this.encode(prompt);
    if (asked.length === 0) return { reason: 'the prompt has no tokens' };
    const found = tokens ?? Int32Array.from(this.responseTokens(prompt, asked, text ?? '', finish));
    const beyond = found.find((id) => id < 0 || id >= config.vocabSize);
    if (beyond !== undefined)
      return { reason: `token ${beyond} is none of the model's ${config.vocabSize}` };
    if (found.length === 0) return { reason: 'the response has no tokens' };
    if (this.cut(asked, found.length, room) === null) {
      const total = `${asked.length} + ${found.length} tokens`;
      return { reason: `too long: ${total} in a context of ${config.maxPositions}` };
    }
    return { text: text ?? tokenizer.decode(found), tokens: found };
  }

  /** One response per text, in order, with its trace and statistics at `temperature` (0 counts as 1). */
  async trace(
    texts: readonly GivenText[],
    temperature: number,
    request: TraceRequest,
    room: Room,
    onProgress: (done: number, tokens: number) => void,
  ): Promise<Response[]> {
    const prompts = texts.map((text) => this.fitted(text, room));
    const lengths = texts.map(({ tokens }, i) => prompts[i].length + tokens.length);
    const tracer = await this.tracerFor(Math.max(1, ...lengths), request, temperature);
    const responses: Response[] = [];
    let tokens = 0;
    for (const [i, text] of texts.entries()) {
      responses.push(await this.traced(tracer, text, prompts[i]));
      tokens += text.tokens.length;
      onProgress(i + 1, tokens);
    }
    return responses;
  }

  private async traced(
    tracer: PrefillTracer,
    { promptId, sample, tokens, text, finish }: GivenText,
    promptTokens: readonly number[],
  ): Promise<Response> {
    const { trace, statistics } = await tracer.traceWithStatistics(
      Int32Array.from([...promptTokens, ...tokens]),
      promptTokens.length,
    );
    return {
      ...{ promptId, sample, promptTokens, tokens, trace, ...statistics },
      promptLength: promptTokens.length,
      text: text ?? this.parts.tokenizer.decode(tokens),
      finish: finish ?? (this.eos.has(tokens[tokens.length - 1]) ? 'stop' : 'length'),
    };
  }

  private async tracerFor(
    tokens: number,
    request: TraceRequest,
    temperature: number,
  ): Promise<PrefillTracer> {
    const asked = JSON.stringify([request, temperature]);
    const last = this.tracer;
    if (last?.asked === asked && tokens <= last.tokens) return last.made;
    this.tracer = undefined;
    await last?.made.release();
    const { config, weights, engine } = this.parts;
    const wanted = Math.max(tokens, last?.asked === asked ? 2 * last.tokens : FIRST_ROOM);
    const room = Math.max(tokens, Math.min(wanted, config.maxPositions));
    const options = { statistics: true, temperature: temperature > 0 ? temperature : 1 };
    const made = await PrefillTracer.create(config, weights, request, room, engine, options);
    this.tracer = { asked, tokens: room, made };
    return made;
  }

  private fitted({ promptId, prompt, tokens }: GivenText, room: Room): readonly number[] {
    const fitting = this.cut(this.encode(prompt), tokens.length, room);
    if (fitting === null) throw new RangeError(`a response to ${promptId} that does not fit`);
    return fitting;
  }

  /** The prompt's tokens, cut to its last ones as when sampling where that is asked for; null: no room. */
  private cut(
    prompt: readonly number[],
    response: number,
    { maxTokens, longPrompts }: Room,
  ): readonly number[] | null {
    const { maxPositions } = this.parts.config;
    if (longPrompts === 'refuse') return prompt.length + response > maxPositions ? null : prompt;
    const left = maxPositions - Math.max(maxTokens, response);
    const most = left >= 1 ? left : maxPositions - response;
    return most < 1 ? null : prompt.slice(-most);
  }

  private encode(prompt: GivenPrompt): number[] {
    const { tokenizer, template, wrap } = this.parts;
    const { text, addSpecialTokens } = template.render(wrap(prompt));
    return tokenizer.encode(text, { addSpecialTokens });
  }

  private responseTokens(
    prompt: GivenPrompt,
    asked: readonly number[],
    response: string,
    finish: 'stop' | 'length',
  ): number[] {
    const { tokenizer, template, wrap } = this.parts;
    const { text, addSpecialTokens } = template.render(wrap(prompt));
    const whole = tokenizer.encode(text + response, { addSpecialTokens });
    const follows = whole.length > asked.length && asked.every((id, i) => whole[i] === id);
    const found = follows
      ? whole.slice(asked.length)
      : tokenizer.encode(response, { addSpecialTokens: false });
    // What the tokenizer itself puts behind a text is no part of a response.
    while (found.length > 0 && this.eos.has(found[found.length - 1])) found.pop();
    const end = this.endOf(asked);
    return finish === 'stop' && end !== undefined ? [...found, end] : found;
  }

  /** Of several end tokens, the one that ends the turns of the prompt; else the first. */
  private endOf(asked: readonly number[]): number | undefined {
    return asked.findLast((id) => this.eos.has(id)) ?? this.parts.tokenizer.eosIds[0];
  }
}
