/**
 * One call to an OpenAI-compatible endpoint, and what may come of it: a body, a refusal of what was asked, trouble
 * that passes, or trouble that does not.
 *
 * Everything that comes from the endpoint is untrusted: bounded in size, and shown without the key and without control
 * characters. Knows nothing of what is asked, of prices, or of when to try again.
 */
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { UserError } from '../core/errors.ts';

export interface EndpointAddress {
  /** Base address, as in `https://host/v1`, or that of the completions themselves. */
  url: string;
  /** Sent as a bearer token; null = none. It is never written anywhere. */
  key: string | null;
  /** A call that takes longer is given up, in milliseconds. */
  timeoutMs: number;
  /** The group of settings that it comes from, which a person is sent to. */
  group: 'teacher' | 'endpoint';
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

/** The body of an answer, or why this question gets none, however often it is asked. */
export type Posted = { body: string } | { refused: string };

export interface Poster {
  /**
   * Sends `value` as JSON. Throws Passing for trouble that may pass, UserError where no call can succeed (a wrong key,
   * model or address), and the reason of `stop` when that is aborted.
   */
  post(value: object, stop: AbortSignal): Promise<Posted>;
  /** A text of the endpoint, fit for a terminal; a key that it repeats is left out. */
  show(text: string): string;
}

/** Characters of an endpoint's text that a person is shown. */
const SHOWN = 300;
/** What an endpoint says of one question that it does not take, as OpenAI and vLLM spell it. */
const ABOUT_THE_QUESTION =
  /context_length|content_filter|content_policy|maximum context|max_model_len|too long|longer than the maximum|invalid_prompt/i;

/**
 * The way to `path` (`/chat/completions`) of an endpoint. A body of more than `mostBytes` is refused. UserError for an
 * address that is none.
 */
export function poster(endpoint: EndpointAddress, path: string, mostBytes: number): Poster {
  const { key, timeoutMs } = endpoint;
  const url = addressOf(endpoint, path);
  const show = (text: string) => shown(text, key);
  return {
    show,
    async post(value, stop) {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
      try {
        const response = await send(url, JSON.stringify(value), key, signal);
        const body = await bounded(response, mostBytes);
        const status = response.statusCode ?? 0;
        if (status < 200 || status > 299) return refusalOf(response, body ?? '', url, endpoint);
        return body === null ? { refused: 'the response is too long' } : { body };
      } catch (error) {
        stop.throwIfAborted();
        if (error instanceof UserError || error instanceof Passing) throw error;
        const what = signal.aborted
          ? `no answer within ${timeoutMs / 1000} s`
          : `no connection (${show(causeOf(error))})`;
        throw new Passing(what);
      }
    },
  };
}

function addressOf({ url: base, group }: EndpointAddress, path: string): URL {
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UserError({
      wanted: 'the address of an OpenAI-compatible endpoint, such as https://host/v1',
      found: JSON.stringify(base.slice(0, SHOWN)),
      where: `${group}.url`,
    });
  }
  const given = url.pathname.replace(/\/+$/, '');
  url.pathname = given.endsWith(path) ? given : `${given}${path}`;
  return url;
}

/**
 * The head of the response; its body is still to be read. Not by `fetch`, which gives up on a response that does not
 * begin within five minutes: a long generation begins when it is done. Redirects are not followed: elsewhere the key is
 * nobody's business.
 */
function send(
  url: URL,
  text: string,
  key: string | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const body = Buffer.from(text, 'utf8');
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    accept: 'application/json',
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
  };
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const over = url.protocol === 'https:' ? overHttps : overHttp;
    const call = over(url, { method: 'POST', headers, signal }, resolve);
    call.on('error', reject);
    call.end(body);
  });
}

/** The body as text; null where it is longer than it may be. Rejects where it ends too early. */
async function bounded(response: IncomingMessage, most: number): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    const piece = Buffer.from(part);
    bytes += piece.length;
    // Leaving the loop closes the connection.
    if (bytes > most) return null;
    parts.push(piece);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What a status other than success means: of this question, of this moment, or of the settings. */
function refusalOf(
  { statusCode: status = 0, headers }: IncomingMessage,
  body: string,
  url: URL,
  endpoint: EndpointAddress,
): Posted {
  const said = shown(body, endpoint.key);
  const passes = [408, 409, 425, 429].includes(status) || status >= 500;
  // A quota that is used up comes as 429 and does not pass.
  if (status === 429 && /insufficient_quota/.test(body)) throw useless(status, said, url, endpoint);
  if (passes) throw new Passing(`HTTP ${status}`, waitOf(headers['retry-after']));
  if (status < 400) throw new Passing(`HTTP ${status}, which is not followed`);
  if (status === 413 || ABOUT_THE_QUESTION.test(body))
    return { refused: `HTTP ${status}: ${said}` };
  throw useless(status, said, url, endpoint);
}

function useless(status: number, said: string, url: URL, { group }: EndpointAddress): UserError {
  return new UserError({
    wanted: `an answer of the ${group}`,
    found: `HTTP ${status}${said === '' ? '' : `: ${said}`}`,
    where: `${url.origin}${url.pathname}`,
    fix: `Look at ${group}.url, ${group}.model and the key in the variable that ${group}.key_env names.`,
  });
}

/** Milliseconds from a Retry-After header: seconds, or a date. */
function waitOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, 1000 * seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function shown(text: string, key: string | null): string {
  const harmless = (key === null ? text : text.replaceAll(key, '***')).replace(
    /[\p{Cc}\p{Cf}]+/gu,
    ' ',
  );
  return harmless.trim().slice(0, SHOWN);
}

/** The value of a JSON text; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
