/**
 * Generates responses to the pool at an endpoint, into a journal that tracing then reads like any file of responses.
 * A job that was stopped goes on with the responses that are missing. Knows nothing of traces.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { stream } from '../../core/random.ts';
import { EndpointBooks, nothingSpent, type Spending } from '../../endpoint/books.ts';
import { type Generate, type Generated, generator, type Usage } from '../../endpoint/generate.ts';
import { Passing } from '../../endpoint/http.ts';
import { paceOf } from '../../endpoint/pace.ts';
import { patiently } from '../../endpoint/retries.ts';
import type { Prompt } from '../../pool/types.ts';
import { entropyBound } from '../../rollout/top-logprobs.ts';
import type { Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { type JournalLine, RolloutJournal } from './rollout-journal.ts';

export interface EndpointStage {
  store: Pick<Store, 'meta'>;
  config: Config;
  progress: Progress;
  stop: AbortSignal;
  note(sentence: string): void;
  /** Whether responses that were asked for otherwise are forgotten. */
  fresh?: boolean;
  /** The first pause before a call is made again, in milliseconds; left out, a second. */
  backoffMs?: number;
}

export interface GeneratedPool {
  /** The file of responses, in the format that `traceRollouts` reads. */
  file: string;
  /** Responses of this call. */
  made: number;
  /** Of all calls. */
  spending: Spending;
  /** Responses that the endpoint would not give, and why, the first few. */
  refused: { count: number; reasons: string[] };
  /** Responses that the budget did not allow for. */
  unpaid: number;
}

const spendingSchema = z.object({
  calls: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  spent: z.number(),
});
const SPENDING = 'endpoint_spending';
/** After so many prompts in a row that were not answered the endpoint is taken to be down. */
const FAILURES_IN_A_ROW = 3;
const SHOWN_REASONS = 3;
/** Tokens that a chat template may put around a prompt, for what a call may cost at most. */
const TEMPLATE_TOKENS = 256;

/** Responses that are missing to a prompt, for one or more calls. */
interface Job {
  prompt: Prompt;
  missing: number[];
}

/**
 * Asks until each of `prompts` has `samples` responses in the journal, as far as the budget goes. UserError for settings
 * that lack something, and where the endpoint is down or refuses everything: what came until then is kept.
 */
export async function generatePool(
  stage: EndpointStage,
  prompts: readonly Prompt[],
  samples: number,
): Promise<GeneratedPool> {
  const { store, config, progress, fresh = false } = stage;
  const asked = checkedEndpoint(config, prompts);
  const path = join(config.workspace, 'rollouts', 'endpoint.jsonl');
  const generate = generator({ ...asked, key: keyOf(config) });
  const journal = await RolloutJournal.open(path, identityOf(asked, config), fresh);
  try {
    const jobs = prompts.flatMap((prompt): Job[] => {
      const there = journal.samples(prompt.id);
      const missing = Array.from({ length: samples }, (_, i) => i).filter((i) => !there.has(i));
      return missing.length === 0 ? [] : [{ prompt, missing }];
    });
    const books = await openBooks(store, config);
    const total = prompts.length * samples;
    const wanted = jobs.reduce((sum, { missing }) => sum + missing.length, 0);
    progress.start('generate', total, 'responses');
    progress.update(total - wanted);
    const run = new Generation(stage, generate, journal, books, total - wanted);
    await run.all(jobs);
    if (journal.size === 0) throw nothingMade(run, config);
    progress.finish(`${run.made} new responses; ${spentText(books.spending, config)}`);
    const { made, refused, unpaid } = run;
    return { file: path, made, spending: books.spending, refused, unpaid };
  } finally {
    journal.close();
  }
}

/** `12,000 prompt and 80,000 generated tokens in 400 calls, 0.42 of 5`. */
export function spentText(
  { calls, promptTokens, completionTokens, spent }: Spending,
  { endpoint: { price_in, price_out, budget } }: Config,
): string {
  const count = (x: number) => x.toLocaleString('en-US');
  const priced = price_in > 0 || price_out > 0;
  const money = priced ? `, ${+spent.toPrecision(4)}${budget === null ? '' : ` of ${budget}`}` : '';
  return `${count(promptTokens)} prompt and ${count(completionTokens)} generated tokens in ${count(calls)} calls${money}`;
}

/** One run of the calls that are missing. */
class Generation {
  made = 0;
  readonly refused = { count: 0, reasons: [] as string[] };
  unpaid = 0;
  private readonly stage: EndpointStage;
  private readonly generate: Generate;
  private readonly journal: RolloutJournal;
  private readonly books: EndpointBooks;
  private readonly pace: ReturnType<typeof paceOf>;
  private readonly giveUp = new AbortController();
  private readonly stop: AbortSignal;
  private done: number;
  private failures = 0;
  private trouble: unknown;

  constructor(
    stage: EndpointStage,
    generate: Generate,
    journal: RolloutJournal,
    books: EndpointBooks,
    done: number,
  ) {
    this.stage = stage;
    this.generate = generate;
    this.journal = journal;
    this.books = books;
    this.done = done;
    this.pace = paceOf(stage.config.endpoint.requests_per_minute);
    this.stop = AbortSignal.any([stage.stop, this.giveUp.signal]);
  }

  async all(jobs: readonly Job[]): Promise<void> {
    const waiting = jobs.values();
    const worker = async () => {
      // All workers take from the same iterator.
      for (const job of waiting) {
        if (this.stop.aborted) return;
        await this.guarded(job);
      }
    };
    const { concurrency } = this.stage.config.endpoint;
    await Promise.all(Array.from({ length: concurrency }, worker));
    stopHere(this.stage.stop, 'Generating');
    if (this.trouble !== undefined) throw this.trouble;
  }

  private async guarded(job: Job): Promise<void> {
    try {
      await this.responses(job);
    } catch (error) {
      if (this.stop.aborted) return;
      if (error instanceof Passing) {
        this.failures++;
        if (this.failures < FAILURES_IN_A_ROW) return;
        this.trouble = new UserError({
          wanted: 'an endpoint that answers',
          found: error.message,
          where: this.stage.config.endpoint.url ?? 'endpoint.url',
          fix: 'What came is kept; the same command goes on.',
        });
      } else this.trouble = error;
      this.giveUp.abort();
    }
  }

  /** Calls until the job is done, refused or no longer paid for: not every endpoint gives several responses a call. */
  private async responses({ prompt, missing }: Job): Promise<void> {
    const { samples_per_call: most } = this.stage.config.endpoint;
    const { temperature } = this.stage.config.rollout;
    // Greedy responses are all alike: servers refuse to make several at once.
    const perCall = temperature === 0 ? 1 : most === 0 ? missing.length : most;
    for (let left = missing; left.length > 0; ) {
      const numbers = left.slice(0, perCall);
      const taken = await this.call(prompt, numbers);
      if (taken === null) {
        this.unpaid += left.length;
        return;
      }
      left = left.slice(taken);
    }
  }

  /** How many of `numbers` are settled; null: the budget does not allow the call. */
  private async call(prompt: Prompt, numbers: readonly number[]): Promise<number | null> {
    const { stage, books, pace } = this;
    const { config, note, backoffMs } = stage;
    const reservation = await books.reserve(mostUsed(config, prompt, numbers.length));
    if (reservation === null) return null;
    const seed = Math.floor(
      stream(config.seed, 'endpoint', prompt.id, numbers[0]).uniform() * 2 ** 31,
    );
    const request = { prompt: prompt.prompt, count: numbers.length, seed };
    const onRest = (seconds: number) =>
      note(`The endpoint asks to be left alone for ${seconds} s.`);
    const patience = {
      ...{ retries: config.endpoint.retries, pace, onRest },
      ...(backoffMs === undefined ? {} : { backoffMs }),
    };
    let reply: Awaited<ReturnType<Generate>>;
    try {
      reply = await patiently((signal) => this.generate(request, signal), patience, this.stop);
    } catch (error) {
      await (this.stop.aborted ? reservation.abandon() : reservation.giveBack());
      throw error;
    }
    this.failures = 0;
    await reservation.settle(reply.usage);
    this.keep(prompt, numbers, reply.responses);
    this.refuse(reply.refused);
    const settled = reply.responses.length + reply.refused.length;
    // One reason may be said of a whole call.
    return reply.responses.length === 0 ? numbers.length : settled;
  }

  private keep({ id }: Prompt, numbers: readonly number[], responses: readonly Generated[]): void {
    const { config, progress } = this.stage;
    const lines = responses.map((one, i) => lineOf(config, id, numbers[i], one));
    this.journal.append(lines);
    this.made += lines.length;
    this.done += lines.length;
    const { spending } = this.books;
    const priced = config.endpoint.price_in > 0 || config.endpoint.price_out > 0;
    const tokens = spending.promptTokens + spending.completionTokens;
    progress.update(this.done, { tokens, ...(priced ? { cost: spending.spent } : {}) });
  }

  private refuse(reasons: readonly string[]): void {
    this.refused.count += reasons.length;
    for (const reason of reasons) {
      const { reasons: told } = this.refused;
      if (told.length < SHOWN_REASONS && !told.includes(reason)) told.push(reason);
    }
  }
}

function nothingMade({ refused, unpaid }: Generation, { endpoint }: Config): UserError {
  return new UserError({
    wanted: 'responses from the endpoint',
    found: unpaid > 0 ? 'none that the budget allows for' : `none (${refused.reasons.join('; ')})`,
    where: unpaid > 0 ? `endpoint.budget = ${endpoint.budget}` : (endpoint.url ?? 'endpoint.url'),
    ...(unpaid > 0
      ? {
          fix: 'A call sets aside what it may cost at most: rollout.max_tokens times the responses asked for, at endpoint.price_out.',
        }
      : {}),
  });
}

function lineOf(config: Config, id: string, sample: number, one: Generated): JournalLine {
  const { text, tokens, logprobs, top, finish } = one;
  if (!config.trace.weights && logprobs === null) {
    throw new UserError({
      wanted:
        'log-probabilities from the endpoint, where there are no weights (trace.weights=false)',
      found: 'none',
      where: config.endpoint.url ?? 'endpoint.url',
      fix: 'Ask an endpoint that gives them, or trace with weights.',
    });
  }
  const rounded = (x: number) => Number(x.toPrecision(6));
  const entropies = logprobs === null ? null : top?.map((of, i) => entropyBound(of, logprobs[i]));
  return {
    ...{ id, sample, response: text, finish, model: config.endpoint.model ?? '' },
    ...(tokens === null ? {} : { tokens }),
    ...(logprobs === null ? {} : { logprobs: logprobs.map(rounded) }),
    ...(entropies == null ? {} : { entropies: entropies.map(rounded) }),
  };
}

/** No text has more tokens than bytes. */
function mostUsed({ rollout }: Config, { prompt }: Prompt, responses: number): Usage {
  const texts = typeof prompt === 'string' ? [prompt] : prompt.map(({ content }) => content);
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    promptTokens: bytes + TEMPLATE_TOKENS,
    completionTokens: responses * rollout.max_tokens,
  };
}

async function openBooks(store: Pick<Store, 'meta'>, { endpoint }: Config): Promise<EndpointBooks> {
  const stored = await store.meta.get(SPENDING);
  const state = stored == null ? nothingSpent : spendingSchema.parse(stored);
  const prices = { in: endpoint.price_in, out: endpoint.price_out, budget: endpoint.budget };
  return new EndpointBooks(state, prices, (now) => store.meta.put(SPENDING, now));
}

type Asked = Omit<Parameters<typeof generator>[0], 'key'>;

/** What is asked of the endpoint. UserError where a setting is missing, or would have prompts traced as they were not sent. */
function checkedEndpoint(config: Config, prompts: readonly Prompt[]): Asked {
  const { endpoint: e, rollout: r, trace } = config;
  const { url, model, api } = e;
  if (url === null || model === null) {
    throw new UserError({
      wanted: `the setting endpoint.${url === null ? 'url' : 'model'}`,
      found: 'nothing',
      where: 'trace --engine endpoint',
    });
  }
  const chat = api === 'chat' ? 'auto' : 'never';
  if (trace.weights && r.chat !== chat) {
    throw new UserError({
      wanted: `rollout.chat=${chat}: with endpoint.api=${api} the prompt is sent ${api === 'chat' ? 'as messages' : 'as it is'}, and is to be traced so`,
      found: r.chat,
      where: 'rollout.chat',
    });
  }
  const messages = prompts.find(({ prompt }) => typeof prompt !== 'string');
  if (api === 'completions' && messages !== undefined) {
    throw new UserError({
      wanted: 'prompts of plain text for endpoint.api=completions',
      found: 'messages',
      where: `prompt ${messages.id}`,
      fix: 'Set endpoint.api=chat.',
    });
  }
  return {
    ...{ url, model, api, extra: e.extra, timeoutMs: 1000 * e.timeout_seconds },
    ...{ temperature: r.temperature, topP: r.top_p, topK: r.top_k, minP: r.min_p },
    ...{ maxTokens: r.max_tokens, stop: r.stop },
    // With weights at hand those that come along only tell whether both models are the same.
    topLogprobs: trace.weights ? 0 : e.top_logprobs,
  };
}

/** All that decides what the responses are. */
function identityOf({ timeoutMs: _, ...asked }: Asked, { seed }: Config): Record<string, unknown> {
  return { ...asked, seed };
}

/** The key of the endpoint, from the environment alone: it is never stored, printed or sent anywhere else. */
function keyOf({ endpoint: { key_env: name } }: Config): string | null {
  if (name === null) return null;
  const key = process.env[name];
  if (key !== undefined && key !== '') return key;
  throw new UserError({
    wanted: `the key of the endpoint in the environment variable ${name}`,
    found: 'nothing',
    where: 'endpoint.key_env',
    fix: 'Set the variable, or set endpoint.key_env=null where no key is needed.',
  });
}
