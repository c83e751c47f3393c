/**
 * The log of a job, read again and again while it grows: lines for people, and the events of our own job, which stand
 * in lines of their own: `PIVOTTRACE {"event": "progress", ...}`.
 */
import { z } from 'zod';

const PREFIX = 'PIVOTTRACE ';
/** Characters of a line that are shown. */
const LONGEST = 500;

const count = z.number();
const amounts = z.record(z.string(), z.number());

/** What ray/src/pivottrace_ray tells; an event that is not known is a line like any other. */
const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('start'), chunks: count, there: count }),
  z.object({ event: z.literal('heads'), chosen: z.array(z.tuple([count, count])) }),
  z.object({ event: z.literal('waiting'), free: amounts, all: amounts }),
  z.object({
    event: z.literal('progress'),
    chunks: count,
    of: count,
    responses: count,
    tokens: count,
  }),
  z.object({ event: z.literal('lost'), when: z.string(), reason: z.string() }),
  z.object({ event: z.literal('trouble'), chunk: z.string(), reason: z.string() }),
  z.object({ event: z.literal('failed'), chunk: z.string(), reason: z.string() }),
  z.object({ event: z.literal('error'), reason: z.string() }),
  z.object({ event: z.literal('finish') }),
]);
export type JobEvent = z.output<typeof eventSchema>;

export interface LogPart {
  events: JobEvent[];
  /** Without control characters, and cut. */
  lines: string[];
}

export class LogReader {
  private read = 0;
  /** The last lines that were shown, for a complaint. */
  readonly tail: string[] = [];

  /** What is new in `log`, which holds all there is; an unfinished last line waits, unless the job is `over`. */
  next(log: string, over: boolean): LogPart {
    // A log that has become shorter is another one.
    if (log.length < this.read) this.read = 0;
    const end = over ? log.length : log.lastIndexOf('\n') + 1;
    const fresh = log.slice(this.read, end);
    this.read = Math.max(this.read, end);
    const part: LogPart = { events: [], lines: [] };
    for (const raw of fresh.split('\n')) {
      const event = eventIn(raw);
      if (event !== null) part.events.push(event);
      else if (raw.trim() !== '') part.lines.push(plain(raw));
    }
    this.tail.push(...part.lines.slice(-20));
    this.tail.splice(0, Math.max(0, this.tail.length - 20));
    return part;
  }
}

function eventIn(line: string): JobEvent | null {
  if (!line.startsWith(PREFIX)) return null;
  try {
    return eventSchema.safeParse(JSON.parse(line.slice(PREFIX.length))).data ?? null;
  } catch {
    return null;
  }
}

/** Colours are taken out whole: their codes are letters once the escape is gone. */
function plain(line: string): string {
  const text = line
    .replace(/\p{Cc}\[[0-9;]*[A-Za-z]/gu, '')
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trimEnd();
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} ...`;
}
