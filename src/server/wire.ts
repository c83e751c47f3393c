/**
 * What the server and the browser say to each other, as JSON. Both sides parse with these schemas.
 *
 * Pure: nothing here touches the database, HTTP or the page. Times are milliseconds since 1970.
 */
import * as z from 'zod';
import { roles } from '../label/queue/types.ts';

/** Longest texts that are taken, in characters. */
export const LONGEST = { answer: 10_000, note: 4_000, name: 80, password: 200 } as const;

const name = z.string().trim().min(1).max(LONGEST.name);
const password = z.string().min(10).max(LONGEST.password);
const ids = z.string().min(1).max(1_000);

/**
 * Where things are. Requests that change something (all but GET) are JSON, even where the body is empty (`{}`), and
 * carry `x-csrf-token`, but for the three that make a session: signIn, look and accept.
 */
export const paths = {
  /** GET, anyone -> me */
  me: '/api/me',
  /** POST signIn, anyone -> me. DELETE, viewer: signs out. */
  session: '/api/session',
  /** DELETE, viewer: signs out everywhere. */
  sessions: '/api/sessions',
  /** POST passwordChange, viewer: ends one's other sessions. */
  password: '/api/password',
  /** POST invitationToken, anyone -> invited: what a link is for, without using it. 410 where it is used or too old. */
  look: '/api/invitations/look',
  /** POST acceptInvitation, anyone -> me */
  accept: '/api/invitations/accept',
  /** GET, admin -> users. */
  users: '/api/users',
  /** POST invitation, admin -> link. */
  invite: '/api/users/invite',
  /** PATCH userChange, admin -> user, at `${users}/${id}`; POST {} at `${users}/${id}/link` -> link to sign in by. */
  user: '/api/users/:id',
  userLink: '/api/users/:id/link',
  /** POST {}, annotator -> next: takes a lease. */
  next: '/api/queue/next',
  /** POST submission, annotator -> submitted */
  submit: '/api/queue/submit',
  /** POST {}, annotator -> undone */
  undo: '/api/queue/undo',
  /** POST {}, annotator: gives the question back. */
  release: '/api/queue/release',
  /** POST previewRequest, annotator -> preview */
  preview: '/api/queue/preview',
  /** POST revealRequest, annotator -> revealed; kept in the audit log. */
  reveal: '/api/queue/reveal',
  /** GET, viewer -> progress */
  progress: '/api/queue/progress',
  /** GET ?limit=, admin -> disputes. POST ruling, admin -> ruled. */
  adjudication: '/api/adjudication',
  /** GET, admin -> figures */
  figures: '/api/figures',
  /** GET ?before=&limit=, admin -> audit, the newest first. */
  audit: '/api/audit',
  /** GET, viewer: server-sent events, each a liveEvent. */
  live: '/api/live',
} as const;
/** The page of one-time links: `/join#TOKEN`. After the hash, so that no log on the way keeps it. */
export const joinPage = '/join';
export const csrfHeader = 'x-csrf-token';

export const problem = z.object({
  /** For people: what was wanted, what was found, what to do. */
  message: z.string(),
  /** For the page: 'signed_out', 'forbidden', 'conflict', 'invalid', 'limited', 'gone', 'failed'. */
  kind: z.string(),
});
export type Problem = z.infer<typeof problem>;

// --- Sessions and users ---

export const signIn = z.strictObject({ name, password });
/** A one-time link makes a session and, for a new user, sets name and password. */
export const acceptInvitation = z.strictObject({
  token: z.string().min(1).max(200),
  name: name.optional(),
  password: password.optional(),
});
export const invitationToken = acceptInvitation.pick({ token: true });
export const invited = z.object({
  /** 'new': accepting needs a password, and a name where `name` is null. 'sign_in': the token alone will do. */
  kind: z.enum(['new', 'sign_in']),
  role: z.enum(roles),
  name: z.string().nullable(),
});
export type WireInvited = z.infer<typeof invited>;
export const passwordChange = z.strictObject({ current: password, password });
export const link = z.object({ url: z.string(), expiresAt: z.number() });
export const invitation = z.strictObject({ role: z.enum(roles), name: name.optional() });
export const userChange = z.strictObject({
  role: z.enum(roles).optional(),
  disabled: z.boolean().optional(),
});
export const user = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  kind: z.enum(['person', 'teacher']),
  disabled: z.boolean(),
});
export type WireUser = z.infer<typeof user>;
export const users = z.object({ users: z.array(user) });
export const me = z.object({
  user: user.nullable(),
  /** Sent back in the header `x-csrf-token` with every request that changes something. */
  csrf: z.string().nullable(),
  account: z.string(),
  version: z.string(),
});
export type Me = z.infer<typeof me>;

// --- The queue ---

const part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  /** `url`: a data: URL of an image type, or null where the image is not shown. `address`: where it is elsewhere. */
  z.object({
    type: z.literal('image'),
    url: z.string().nullable(),
    address: z.string().nullable(),
  }),
]);
export const message = z.object({ role: z.string(), parts: z.array(part) });
export type WireMessage = z.infer<typeof message>;

export const progress = z.object({
  open: z.int(),
  leased: z.int(),
  adjudicate: z.int(),
  done: z.int(),
  labels: z.int(),
  budget: z.int().nullable(),
  /** One's own answers today, and one's own median seconds per answer. */
  mine: z.object({ today: z.int(), medianSeconds: z.number().nullable() }),
});
export type WireProgress = z.infer<typeof progress>;

export const question = z.object({
  promptId: z.string(),
  messages: z.array(message),
  source: z.string(),
  reason: z.string(),
  run: z.string().nullable(),
  step: z.int().nullable(),
  expiresAt: z.number(),
});
export type WireQuestion = z.infer<typeof question>;

export const next = z.object({
  question: question.nullable(),
  /** Why there is none. */
  nothing: z.enum(['empty', 'taken', 'budget']).nullable(),
  progress,
});
export type WireNext = z.infer<typeof next>;

export const submission = z.strictObject({
  promptId: ids,
  kind: z.enum(['answer', 'no_answer', 'bad_question', 'skip']),
  answer: z.string().max(LONGEST.answer).nullable(),
  note: z.string().max(LONGEST.note),
  revealed: z.boolean(),
});
export const submitted = z.object({
  verdict: z.enum(['waiting', 'decided', 'disagree', 'closed', 'skipped']),
  next,
});
export type WireSubmitted = z.infer<typeof submitted>;
/** Undo gives the last annotation back, and its question into one's hands again. */
export const undone = z.object({
  undone: submission.nullable(),
  next,
});
export const previewRequest = z.strictObject({
  promptId: ids,
  answer: z.string().max(LONGEST.answer),
});
export const preview = z.object({
  readable: z.boolean(),
  /** What kind of value the verifier reads: 'number', 'interval', 'choice', 'text' ... */
  kind: z.string(),
  /** The value as the verifier understands it, plain text. */
  value: z.string(),
  /** Why it cannot be read; '' where it can. */
  reason: z.string(),
});
export type WirePreview = z.infer<typeof preview>;
export const revealRequest = z.strictObject({ promptId: ids });
/** The policy's answers by class of equal ones, the most frequent first. */
export const revealed = z.object({
  classes: z.array(z.object({ answer: z.string(), count: z.int() })),
  unread: z.int(),
});
export type WireRevealed = z.infer<typeof revealed>;

// --- Adjudication and figures ---

export const dispute = z.object({
  promptId: z.string(),
  messages: z.array(message),
  /** Labels that the prompt has, the one that counts first. */
  labels: z.array(z.object({ source: z.string(), answer: z.string() })),
  annotations: z.array(
    z.object({
      ordinal: z.int(),
      annotator: z.string(),
      kind: z.enum(['answer', 'no_answer', 'bad_question', 'skip']),
      answer: z.string().nullable(),
      note: z.string(),
      revealed: z.boolean(),
      at: z.number(),
    }),
  ),
});
export const disputes = z.object({ disputes: z.array(dispute), total: z.int() });
export type WireDispute = z.infer<typeof dispute>;
export const ruling = z.strictObject({
  promptId: ids,
  kind: z.enum(['answer', 'no_answer', 'bad_question']),
  answer: z.string().max(LONGEST.answer).nullable(),
  note: z.string().max(LONGEST.note),
});
export const ruled = z.object({ verdict: submitted.shape.verdict });
export const auditPage = z.object({
  entries: z.array(
    z.object({
      ordinal: z.int(),
      at: z.number(),
      /** Name of who did it; null where nobody was signed in. */
      who: z.string().nullable(),
      action: z.string(),
      subject: z.string(),
      detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  /** `before` of the next page; null where this is the last. */
  before: z.int().nullable(),
});
export type WireAudit = z.infer<typeof auditPage>;

export const figures = z.object({
  annotators: z.array(
    z.object({
      annotator: z.string(),
      name: z.string(),
      answers: z.int(),
      skips: z.int(),
      revealed: z.int(),
      medianSeconds: z.number().nullable(),
      gold: z.object({ answered: z.int(), right: z.int() }),
    }),
  ),
  /** What people found of labels that they answered again, by source of the labels. */
  checks: z.array(
    z.object({
      source: z.string(),
      checked: z.int(),
      differing: z.int(),
      open: z.int(),
      wrong: z.int(),
      /** Share of wrong labels with its 95 % interval. */
      rate: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
    }),
  ),
  /** null where nothing was answered twice. */
  agreement: z
    .object({
      questions: z.int(),
      percent: z.number(),
      cohen: z.number().nullable(),
      fleiss: z.number().nullable(),
      krippendorff: z.number().nullable(),
    })
    .nullable(),
});
export type WireFigures = z.infer<typeof figures>;

export const liveTopics = ['queue', 'labels', 'runs', 'users'] as const;
export const liveEvent = z.object({ topic: z.enum(liveTopics) });
export type LiveEvent = z.infer<typeof liveEvent>;
