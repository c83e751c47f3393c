// A file that is written line by line and appears whole or not at all. Knows nothing of what the lines say.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../core/errors.ts';
import { errorCode, makeFolders } from '../core/files.ts';

/** Bytes that are gathered before they are written. */
const bufferBytes = 256 * 1024;

/** Writes under a temporary name; `commit` syncs and renames, `abort` leaves nothing. UserError where the disk refuses. */
export class WholeFile {
  readonly path: string;
  private readonly temporary: string;
  private readonly file: number;
  private parts: string[] = [];
  private size = 0;
  private open = true;

  /** `mode` are the permissions of the file, 0o600 for what only its owner may read. */
  constructor(path: string, mode = 0o644) {
    this.path = path;
    this.temporary = `${path}.${process.pid}.tmp`;
    this.file = this.explained(() => {
      makeFolders(dirname(path));
      return openSync(this.temporary, 'w', mode);
    });
  }

  /** Appends one JSON value as a line. */
  line(value: unknown): void {
    this.text(`${JSON.stringify(value)}\n`);
  }

  /** Appends a piece of text. */
  text(text: string): void {
    this.parts.push(text);
    this.size += text.length;
    if (this.size >= bufferBytes) this.flush();
  }

  commit(): void {
    this.flush();
    this.explained(() => {
      fsyncSync(this.file);
      this.close();
      renameSync(this.temporary, this.path);
    });
  }

  /** Nothing happens after `commit`. */
  abort(): void {
    if (!this.open) return;
    this.close();
    rmSync(this.temporary, { force: true });
  }

  private close(): void {
    this.open = false;
    closeSync(this.file);
  }

  private flush(): void {
    const bytes = Buffer.from(this.parts.join(''), 'utf8');
    this.parts = [];
    this.size = 0;
    this.explained(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
    });
  }

  private explained<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      const code = errorCode(error);
      const fix =
        code === 'ENOSPC'
          ? 'The disk is full: free some space and run the same command again.'
          : 'Choose a workspace that can be written to.';
      throw new UserError(
        { wanted: 'a file that can be written', found: code, where: this.path, fix },
        { cause: error },
      );
    }
  }
}
