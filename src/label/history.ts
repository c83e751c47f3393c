/**
 * What a run saw of labels that come in their own time, call by call, so that a run that goes on from a checkpoint sees
 * at every step what it saw there the first time.
 *
 * Without it a label that came while the run was dead would change steps that are made again, and the recorded routes
 * would contradict each other. Knows nothing of where labels come from.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { writeWhole } from '../core/files.ts';

const sightingSchema = z.strictObject({
  call: z.enum(['put', 'arrived', 'ask', 'change']),
  step: z.int().nullable(),
  /** What was asked for. */
  asked: z.array(z.strictObject({ id: z.string(), utility: z.number(), reason: z.string() })),
  /** Labels that were new to the run, or had another answer than before. */
  gained: z.array(
    z.strictObject({ id: z.string(), answer: z.string(), source: z.string(), cost: z.number() }),
  ),
  /** Labels that were there before and had been withdrawn. */
  lost: z.array(z.string()),
  /** Prompts of which it turned out that they get no label. */
  refused: z.array(z.string()),
});

export type Sighting = z.infer<typeof sightingSchema>;

/** `made`: the call was made before, and the last of `sightings` is what it saw. */
export interface Known {
  sightings: Sighting[];
  made: boolean;
}

export interface History {
  /**
   * What is known up to this call and was not told yet. Where the call was not made before, what was recorded of later
   * steps is forgotten: the run takes another way from here.
   */
  known(call: Sighting['call'], step: number | null, ids: readonly string[]): Known;
  add(sighting: Sighting): void;
}

/** Keeps nothing: every call is made anew. */
export const noHistory: History = { known: () => ({ sightings: [], made: false }), add: () => {} };

/** The history in the file at `path`. A line that was cut short by a crash is dropped; UserError for any other. */
export function openHistory(path: string): History {
  let entries = readSightings(path);
  let next = 0;
  const upTo = (end: number): Sighting[] => {
    const told = entries.slice(next, end);
    next = end;
    return told;
  };
  return {
    known(call, step, ids) {
      const found = entries.findIndex(
        (entry, i) => i >= next && entry.call === call && entry.step === step && isOf(entry, ids),
      );
      if (found !== -1) return { sightings: upTo(found + 1), made: true };
      // A step begins with what has arrived after the one before: a stop between the two left no more than that.
      const isLater = (entry: Sighting) => call !== 'arrived' || (entry.step ?? -1) > (step ?? -1);
      const later = entries.findIndex((entry, i) => i >= next && isLater(entry));
      if (later !== -1) {
        entries = entries.slice(0, later);
        writeWhole(path, entries.map(lineOf).join(''));
      }
      return { sightings: upTo(entries.length), made: false };
    },
    add(sighting) {
      appendFileSync(path, lineOf(sighting));
      entries.push(sighting);
      next = entries.length;
    },
  };
}

const lineOf = (sighting: Sighting) => `${JSON.stringify(sighting)}\n`;

function isOf({ asked }: Sighting, ids: readonly string[]): boolean {
  return asked.length === ids.length && asked.every(({ id }, i) => id === ids[i]);
}

function readSightings(path: string): Sighting[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) writeWhole(path, whole);
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return sightingSchema.parse(JSON.parse(line));
      } catch (error) {
        throw new UserError(
          {
            wanted: 'what the run saw of its labels',
            found: 'something else',
            where: `${path}:${index + 1}`,
            fix: 'Delete the file: the run goes on with the labels as they are now.',
          },
          { cause: error },
        );
      }
    });
}
