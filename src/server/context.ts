/** What the desk's own routes work with, beyond what every route may use. */
import type { QueueProgress, Verdict } from '../label/queue/types.ts';
import type { Accounts } from './accounts.ts';
import type { Live } from './live.ts';
import type { Sessions } from './sessions.ts';
import type { ServerContext } from './types.ts';

export interface DeskContext extends ServerContext {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly live: Live;
  /** The address that people use, where a proxy stands before the server; else null. */
  readonly origin: string | null;
  /** How the queue stands, counted after the call; callers that come together share one count. */
  progress(): Promise<QueueProgress>;
  /** Round of the rollouts that are shown. */
  round(): Promise<number>;
  /** An answer has come to this: tells those who listen, and who keeps the plan. */
  labelled(verdict: Verdict): void;
}
