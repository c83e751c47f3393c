/**
 * The folder of one run: resolved settings, metrics, evaluations, questions to people and checkpoints.
 *
 * A checkpoint is written under a temporary name and renamed when it is whole; what was logged after the
 * last checkpoint is cut off when the run goes on, since it will happen again.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { differences } from '../core/differences.ts';
import { UserError } from '../core/errors.ts';
import { makeFolders, readJson, writeWhole } from '../core/files.ts';
import type { TrainState } from './types.ts';

const STATE = 'state.json';
const CHECKPOINT = /^checkpoint-(\d+)$/;

const stateSchema = z.strictObject({
  step: z.int().min(0),
  cursor: z.int().min(0),
  rollouts: z.int().min(0),
  tokens: z.int().min(0),
  seconds: z.number().min(0),
  labels: z.int().min(0),
  schedule: z.unknown(),
  methods: z.record(z.string(), z.unknown()),
});

/** `questions`: responses that a person is to judge. Each is a file of JSON lines with the step. */
const logNames = ['metrics', 'evaluations', 'questions'] as const;

export type LogName = (typeof logNames)[number];

export interface Checkpoint {
  directory: string;
  state: TrainState;
}

export class RunDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens or creates a run. `settings` is everything that determines its result: a run that was begun with
   * others is refused with the differences (UserError).
   */
  static open(path: string, settings: unknown): RunDirectory {
    const file = join(path, 'config.yaml');
    if (existsSync(file)) {
      const changed = differences(parse(readFileSync(file, 'utf8')), settings);
      if (changed.length > 0) {
        throw new UserError({
          wanted: 'the settings that the run was begun with',
          found: changed.join('; '),
          where: file,
          fix: 'Set them back, or give the run another name (train.run).',
        });
      }
    } else {
      writeWhole(file, stringify(settings));
    }
    for (const name of readdirSync(path)) {
      if (/\.(tmp|old)$/.test(name)) rmSync(join(path, name), { recursive: true, force: true });
    }
    return new RunDirectory(path);
  }

  /** The newest whole checkpoint; null where there is none. */
  latest(): Checkpoint | null {
    const [step] = this.steps().slice(-1);
    if (step === undefined) return null;
    const directory = join(this.path, `checkpoint-${step}`);
    const file = join(directory, STATE);
    const parsed = stateSchema.safeParse(readJson(file));
    if (!parsed.success) {
      throw new UserError({
        wanted: 'the state of a checkpoint',
        found: z.prettifyError(parsed.error),
        where: file,
        fix: 'Delete this checkpoint: the run goes on from the one before.',
      });
    }
    return { directory, state: parsed.data };
  }

  /** Writes a checkpoint: `write` fills a temporary folder, the state comes last, then the rename. */
  async checkpoint(
    state: TrainState,
    keep: number,
    write: (directory: string) => Promise<void>,
  ): Promise<void> {
    const directory = join(this.path, `checkpoint-${state.step}`);
    if (existsSync(directory)) return;
    const temporary = `${directory}.tmp`;
    rmSync(temporary, { recursive: true, force: true });
    await write(temporary);
    writeWhole(join(temporary, STATE), `${JSON.stringify(state)}\n`);
    renameSync(temporary, directory);
    for (const step of this.steps().slice(0, -keep)) {
      rmSync(join(this.path, `checkpoint-${step}`), { recursive: true, force: true });
    }
  }

  /** Appends a record to a log. */
  append(log: LogName, record: object): void {
    makeFolders(this.path);
    appendFileSync(this.logPath(log), `${JSON.stringify(record)}\n`);
  }

  /** The records of a log; a line that a crash cut short is left out. */
  read(log: LogName): unknown[] {
    const path = this.logPath(log);
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return line === '' ? [] : [JSON.parse(line) as unknown];
        } catch {
          return [];
        }
      });
  }

  /** Forgets what was logged after `step` (null: everything). */
  rewind(step: number | null): void {
    for (const log of logNames) {
      if (!existsSync(this.logPath(log))) continue;
      const kept = this.read(log).filter((record) => step !== null && stepOf(record) <= step);
      writeWhole(this.logPath(log), kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
    }
  }

  private steps(): number[] {
    return readdirSync(this.path)
      .flatMap((name) => CHECKPOINT.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  private logPath(log: LogName): string {
    return join(this.path, `${log}.jsonl`);
  }
}

function stepOf(record: unknown): number {
  return typeof record === 'object' && record !== null && 'step' in record
    ? Number(record.step)
    : 0;
}
