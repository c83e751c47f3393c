/**
 * One question to an OpenAI-compatible endpoint, and what may come back: a text, a refusal, trouble that passes, or
 * trouble that does not.
 *
 * Everything that comes from the endpoint is untrusted: bounded in size, checked, and shown without the key and
 * without control characters. Knows nothing of prompts, labels, prices or of when to try again.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';

export interface EndpointSettings {
  /** Base address, as in `https://host/v1`, or that of the chat completions themselves. */
  url: string;
  model: string;
  /** Sent as a bearer token; null = none. It is never written anywhere. */
  key: string | null;
  temperature: number;
  /** Longest answer, in tokens. */
  maxTokens: number;
  /** A call that takes longer is given up, in milliseconds. */
  timeoutMs: number;
}

export interface ChatMessage {
  role: string;
  content: string;
}

/** `text` null: the model gave no whole answer, for the `reason` given. */
export interface Reply {
  text: string | null;
  reason: string;
}

/** Trouble that may pass: the same call may do better later. */
export class Passing extends Error {
  /** How long the endpoint asks to be left alone, in milliseconds; null where it does not say. */
  readonly waitMs: number | null;

  constructor(message: string, waitMs: number | null = null) {
    super(message);
    this.name = 'Passing';
    this.waitMs = waitMs;
  }
}

/** Bytes of a response that are read; more is not an answer. */
const MOST_BYTES = 4 * 2 ** 20;
/** Characters of an endpoint's complaint that a person is shown. */
const SHOWN = 300;
/** What an endpoint says of one question that it does not take, as OpenAI spells it. */
const ABOUT_THE_QUESTION =
  /context_length|content_filter|content_policy|maximum context|too long|invalid_prompt/i;

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

export type Ask = (messages: readonly ChatMessage[], stop: AbortSignal) => Promise<Reply>;

/**
 * A way to ask the endpoint. A call throws Passing for trouble that may pass, UserError where no call can succeed (a
 * wrong key, model or address), and the reason of `stop` when that is aborted. UserError for an address that is none.
 */
export function endpoint(settings: EndpointSettings): Ask {
  const url = completionsUrl(settings.url);
  const show = (text: string) => shown(text, settings.key);
  return async (messages, stop) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(settings.timeoutMs)]);
    try {
      const response = await fetch(url, {
        method: 'POST',
        // Elsewhere the key is nobody's business.
        redirect: 'error',
        signal,
        headers: {
          'content-type': 'application/json',
          ...(settings.key === null ? {} : { authorization: `Bearer ${settings.key}` }),
        },
        body: JSON.stringify({
          model: settings.model,
          messages,
          temperature: settings.temperature,
          max_tokens: settings.maxTokens,
        }),
      });
      const text = await bounded(response);
      if (!response.ok) return refusalOf(response, text ?? '', url, show);
      if (text === null) return { text: null, reason: 'the response is too long' };
      return replyOf(text, show);
    } catch (error) {
      stop.throwIfAborted();
      if (error instanceof UserError || error instanceof Passing) throw error;
      const what = signal.aborted
        ? `no answer within ${settings.timeoutMs / 1000} s`
        : `no connection (${show(causeOf(error))})`;
      throw new Passing(what);
    }
  };
}

function completionsUrl(base: string): URL {
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UserError({
      wanted: 'the address of an OpenAI-compatible endpoint, such as https://host/v1',
      found: JSON.stringify(base.slice(0, SHOWN)),
      where: 'teacher.url',
    });
  }
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/chat/completions') ? path : `${path}/chat/completions`;
  return url;
}

/** The body as text; null where it is longer than an answer may be. */
async function bounded({ body }: Response): Promise<string | null> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > MOST_BYTES) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  return Buffer.concat(parts).toString('utf8');
}

function replyOf(body: string, show: (text: string) => string): Reply {
  const parsed = completionSchema.safeParse(jsonOf(body));
  if (!parsed.success) throw new Passing(`no chat completion, but ${show(body) || 'nothing'}`);
  const [{ message, finish_reason: finish }] = parsed.data.choices;
  if (typeof message.refusal === 'string' && message.refusal !== '')
    return { text: null, reason: `the model refuses: ${show(message.refusal)}` };
  if (finish === 'length') return { text: null, reason: 'the answer was cut off (max_tokens)' };
  if (finish === 'content_filter') return { text: null, reason: 'the content filter' };
  if (typeof message.content !== 'string' || message.content.trim() === '')
    return { text: null, reason: 'an empty answer' };
  return { text: message.content, reason: '' };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a status other than success means: of this question, of this moment, or of the settings. */
function refusalOf(
  { status, headers }: Response,
  body: string,
  url: URL,
  show: (text: string) => string,
): Reply {
  const said = show(body);
  const passes = status === 408 || status === 409 || status === 425 || status === 429;
  // A quota that is used up comes as 429 and does not pass.
  if (status === 429 && /insufficient_quota/.test(body)) throw useless(status, said, url);
  if (passes || status >= 500)
    throw new Passing(`HTTP ${status}`, waitOf(headers.get('retry-after')));
  if (status === 413 || ABOUT_THE_QUESTION.test(body))
    return { text: null, reason: `HTTP ${status}: ${said}` };
  throw useless(status, said, url);
}

function useless(status: number, said: string, url: URL): UserError {
  return new UserError({
    wanted: 'an answer of the teacher',
    found: `HTTP ${status}${said === '' ? '' : `: ${said}`}`,
    where: `${url.origin}${url.pathname}`,
    fix: 'Look at teacher.url, teacher.model and the key in the variable that teacher.key_env names.',
  });
}

/** Milliseconds from a Retry-After header: seconds, or a date. */
function waitOf(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, 1000 * seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Fit for a terminal; a key that the endpoint repeats is left out. */
function shown(text: string, key: string | null): string {
  const harmless = (key === null ? text : text.replaceAll(key, '***')).replace(
    /[\p{Cc}\p{Cf}]+/gu,
    ' ',
  );
  return harmless.trim().slice(0, SHOWN);
}
