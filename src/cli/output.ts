/**
 * What a verb may say, and where it goes: results to standard output; progress, notes and errors to standard
 * error. With --json everything but errors is one JSON object per line on standard output.
 */
import { createProgress, type Progress, type ProgressMode } from '../core/progress.ts';

export interface Output {
  readonly json: boolean;
  /** The outcome of the verb: `text` for people, or `{"event":"result", ...data}`. Once, at the end. */
  result(text: string, data: Readonly<Record<string, unknown>>): void;
  /** Something a person should know on the way: a fallback, a warning. Not shown with --quiet. */
  note(sentence: string): void;
  readonly progress: Progress;
}

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
}

export function createOutput({ json, quiet }: OutputOptions): Output {
  const mode = progressMode({ json, quiet });
  return {
    json,
    result: (text, data) => writeOut(json ? JSON.stringify({ event: 'result', ...data }) : text),
    note: (sentence) => {
      if (quiet) return;
      if (json) writeOut(JSON.stringify({ event: 'note', text: sentence }));
      // On a terminal a progress line may be standing: clear it first.
      else process.stderr.write(`${mode === 'terminal' ? '\r\u001b[K' : ''}${sentence}\n`);
    },
    progress: createProgress({
      mode,
      write: (text) => (json ? process.stdout : process.stderr).write(text),
      columns: () => process.stderr.columns ?? 80,
    }),
  };
}

function progressMode({ json, quiet }: OutputOptions): ProgressMode {
  if (quiet) return 'silent';
  if (json) return 'json';
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? 'terminal' : 'lines';
}

function writeOut(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * Ends the process quietly when the reader of our output is gone (`pivottrace env | head -1`), as the system's
 * own tools do. Everything on disk is whole at any moment, so nothing is lost.
 */
export function endOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // 128 + SIGPIPE, which Node ignores in favour of this event.
      if (error.code === 'EPIPE') process.exit(141);
      throw error;
    });
  }
}
