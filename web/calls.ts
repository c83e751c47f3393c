/** The calls that the pages of the annotation desk make: one function per address of the server. */
import './jitless.ts';
import * as z from 'zod';
import {
  type acceptInvitation,
  auditPage,
  disputes,
  figures,
  type invitation,
  invited,
  link,
  me,
  next,
  paths,
  preview,
  progress,
  revealed,
  ruled,
  type ruling,
  type submission,
  submitted,
  undone,
  user,
  type userChange,
  users,
} from '../src/server/wire.ts';
import { ended, get, post, request, session } from './api.ts';

export type Submission = z.infer<typeof submission>;
export type Submitted = z.infer<typeof submitted>;
export type Ruling = z.infer<typeof ruling>;

const nothing = z.unknown();
const within = (signal?: AbortSignal) => (signal === undefined ? {} : { signal });

export const calls = {
  /** The question that one holds, for longer now, or the next one. It takes a lease. */
  next: () => post(paths.next, {}, next),
  submit: (said: Submission) => post(paths.submit, said, submitted),
  undo: () => post(paths.undo, {}, undone),
  reveal: (promptId: string) => post(paths.reveal, { promptId }, revealed),
  preview: (promptId: string, answer: string, signal?: AbortSignal) =>
    post(paths.preview, { promptId, answer }, preview, within(signal)),
  progress: () => get(paths.progress, progress),
};

export type Calls = typeof calls;

export const adminCalls = {
  disputes: (signal?: AbortSignal) => get(paths.adjudication, disputes, within(signal)),
  rule: (said: Ruling) => post(paths.adjudication, said, ruled),
  figures: (signal?: AbortSignal) => get(paths.figures, figures, within(signal)),
  users: (signal?: AbortSignal) => get(paths.users, users, within(signal)),
  invite: (said: z.infer<typeof invitation>) => post(paths.invite, said, link),
  change: (id: string, said: z.infer<typeof userChange>) =>
    request('PATCH', paths.user.replace(':id', encodeURIComponent(id)), said, user),
  /** A link by which somebody who has lost their password signs in. */
  userLink: (id: string) => post(paths.userLink.replace(':id', encodeURIComponent(id)), {}, link),
  audit: (before: number | null, signal?: AbortSignal) =>
    get(
      `${paths.audit}?limit=50${before === null ? '' : `&before=${before}`}`,
      auditPage,
      within(signal),
    ),
};

export const accountCalls = {
  /** Signs in; the session is known afterwards. Throws ApiProblem. */
  async signIn(name: string, password: string): Promise<void> {
    session.value = await post(paths.session, { name, password }, me);
    ended.value = false;
  },
  /** What a one-time link is for, without using it up. */
  look: (token: string) => post(paths.look, { token }, invited),
  /** Uses a one-time link up; the session is known afterwards. */
  async accept(said: z.infer<typeof acceptInvitation>): Promise<void> {
    session.value = await post(paths.accept, said, me);
    ended.value = false;
  },
  /** Signs out here, or everywhere. */
  async signOut(everywhere = false): Promise<void> {
    await request('DELETE', everywhere ? paths.sessions : paths.session, {}, nothing);
    if (session.value !== null) session.value = { ...session.value, user: null, csrf: null };
  },
  /** Sets one's own password and ends one's other sessions. */
  password: (current: string, password: string) =>
    post(paths.password, { current, password }, nothing),
};
