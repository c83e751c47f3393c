/**
 * Users, their sessions and invitations, and the audit log, as the rest of the program sees them.
 *
 * Secrets come in hashed: nothing here can sign in by what it stores. Times are milliseconds since 1970.
 * Knows nothing of HTTP or of how a secret is hashed.
 */

export interface StoredUser {
  /** Opaque; never used again. */
  id: string;
  name: string;
  role: 'admin' | 'annotator' | 'viewer';
  kind: 'person' | 'teacher';
  disabled: boolean;
  createdAt: number;
}

export interface NewUser extends StoredUser {
  /** Equal for names that people would take for the same one. */
  nameKey: string;
  /** Hashed, with its salt and parameters; null: cannot sign in by password. */
  password: string | null;
}

export interface UserChange {
  role?: StoredUser['role'];
  disabled?: boolean;
  /** Hashed. */
  password?: string;
}

/** `last_admin`: nobody could invite anyone any more; nothing was changed. */
export type ChangeOutcome = 'changed' | 'missing' | 'last_admin';

export interface Users {
  /** false, and nothing is written, where the name is taken. */
  add(user: NewUser): Promise<boolean>;
  get(id: string): Promise<StoredUser | undefined>;
  byName(nameKey: string): Promise<(StoredUser & { password: string | null }) | undefined>;
  /** In order of creation. */
  list(): Promise<StoredUser[]>;
  /** Disabling ends the user's sessions and open links; a new password ends their sessions. */
  change(id: string, change: UserChange): Promise<ChangeOutcome>;
}

export interface Session {
  /** Hash of the token that the browser holds. */
  key: string;
  userId: string;
  createdAt: number;
  seenAt: number;
  /** Ends then, however busy. */
  expiresAt: number;
}

export interface Sessions {
  add(session: Session): Promise<void>;
  /** The session and its user; undefined where there is none or the user is disabled. Its age is the caller's matter. */
  get(key: string): Promise<(Session & { user: StoredUser }) | undefined>;
  seen(key: string, at: number): Promise<void>;
  /** Those of `keys` that still open something. */
  alive(keys: readonly string[], oldest: number, now: number): Promise<string[]>;
  end(key: string): Promise<void>;
  /** Ends all sessions of a user, but for `except`. */
  endOf(userId: string, except?: string): Promise<void>;
  /** Forgets sessions that nobody used since `oldest` or that ended before `now`. */
  sweep(oldest: number, now: number): Promise<void>;
}

/** A link that can be used once. */
export interface Invitation {
  /** Hash of the token in the link. */
  key: string;
  /** Who signs in by it; null: it makes a new user. */
  userId: string | null;
  role: StoredUser['role'];
  /** Name of the new user; null: they choose one. */
  name: string | null;
  /** Who made it; null: the command line. */
  createdBy: string | null;
  createdAt: number;
  expiresAt: number;
}

export interface Invitations {
  add(invitation: Invitation): Promise<void>;
  /** The invitation if it is unused and ends after `now`. */
  get(key: string, now: number): Promise<Invitation | undefined>;
  /** The same, and it is used up: of two callers one gets it. */
  take(key: string, now: number): Promise<Invitation | undefined>;
  /** Forgets those that ended before `now`. */
  sweep(now: number): Promise<void>;
}

export interface AuditRecord {
  /** Counts up from 0. */
  ordinal: number;
  at: number;
  /** Id of the user; null: nobody was signed in. */
  userId: string | null;
  action: string;
  subject: string;
  detail: Record<string, string | number | boolean | null>;
}

export interface AuditLog {
  add(record: Omit<AuditRecord, 'ordinal'>): Promise<void>;
  /** At most `limit` entries before `before` (all where undefined), the newest first. */
  page(limit: number, before?: number): Promise<AuditRecord[]>;
  /** Did the user ever do this to that? */
  did(userId: string, action: string, subject: string): Promise<boolean>;
}

/** Texts that differ from earlier ones whenever something has changed. */
export interface WatchedTopics {
  /** Tasks, leases in force and annotations of an account. */
  queue: string;
  labels: string;
  /** Runs, plans and routes. */
  runs: string;
  users: string;
}

export interface OwnWork {
  /** Answers since the time asked for. */
  today: number;
  /** Over all answers; null where there is none. */
  medianSeconds: number | null;
}

export interface Watch {
  topics(account: string, now: number): Promise<WatchedTopics>;
  /** An annotator's answers; skipped and undone ones and rulings left out. */
  own(account: string, annotator: string, since: number): Promise<OwnWork>;
}
