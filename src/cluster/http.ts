/**
 * One HTTP exchange. Not by `fetch`: its Sec-Fetch headers are those of a browser, from which Ray takes neither uploads
 * nor orders. Redirects are not followed.
 */
import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';

export interface Exchange {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** For the whole exchange, in milliseconds. */
  timeoutMs: number;
}

export interface Answer {
  status: number;
  text: string;
}

/** Bytes of an answer that are read: more is no log that a person reads. */
const MOST_BYTES = 256 * 2 ** 20;

/** Rejects where there is no connection, or no whole answer in time. */
export async function exchange({
  method,
  url,
  headers,
  body,
  timeoutMs,
}: Exchange): Promise<Answer> {
  const over = url.protocol === 'https:' ? overHttps : overHttp;
  const signal = AbortSignal.timeout(timeoutMs);
  return await new Promise<Answer>((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': body.byteLength };
    const call = over(url, { method, signal, headers: { ...headers, ...length } }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > MOST_BYTES) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    call.on('error', (error) =>
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error),
    );
    call.end(body);
  });
}
