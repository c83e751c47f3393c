/**
 * Errors that a person can act on.
 *
 * Every message says what was wanted, what was found, where, and what to do. Code that throws one of
 * these has seen bad input or a bad environment; anything else that is thrown is a fault of ours.
 */

export interface Complaint {
  /** What was wanted, as a noun phrase or a full sentence. */
  wanted: string;
  /** What was found instead. */
  found: string;
  /** File (with line), row, key, tensor: the place to look at. */
  where?: string;
  /** What the person can do about it. */
  fix?: string;
}

/** Bad input, configuration or environment. The command line prints it without a stack and exits with 1. */
export class UserError extends Error {
  readonly complaint: Complaint;

  constructor(complaint: Complaint, options?: ErrorOptions) {
    const { wanted, found, where, fix } = complaint;
    const lines = [`${where === undefined ? '' : `${where}: `}wanted ${wanted}, found ${found}.`];
    if (fix !== undefined) lines.push(fix);
    super(lines.join(' '), options);
    this.name = 'UserError';
    this.complaint = complaint;
  }
}

/** The person (or the system, by SIGTERM) asked a long job to stop; it stopped at a resumable point. */
export class Interrupted extends Error {
  constructor(what: string) {
    super(`${what} was stopped; the same command goes on from here.`);
    this.name = 'Interrupted';
  }
}
