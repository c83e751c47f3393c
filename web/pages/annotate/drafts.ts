/**
 * What was typed and not sent yet, by question: kept in the browser's session, so that a reload, a lost connection or a
 * question that comes back later loses nothing. Every person has their own drafts in a tab.
 */
import * as z from 'zod';

const draft = z.object({
  answer: z.string(),
  note: z.string(),
  /** Whether the policy's answers were looked at. */
  revealed: z.boolean(),
});
export type Draft = z.infer<typeof draft>;

export const BLANK: Draft = { answer: '', note: '', revealed: false };

/** Questions whose drafts are kept; the oldest goes first. */
const MOST = 30;
const PREFIX = 'pivottrace.drafts.';

const shelf = z.array(z.tuple([z.string(), draft]));

/** Where drafts are kept: `sessionStorage`, or anything like it. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface Drafts {
  /** A blank one where there is none. */
  of(promptId: string): Draft;
  keep(promptId: string, draft: Draft): void;
  drop(promptId: string): void;
}

/** The drafts of one person. Without room in the browser they last as long as the page. */
export function openDrafts(owner: string, storage: () => Shelf = () => sessionStorage): Drafts {
  const key = PREFIX + owner;
  let rows = read(storage, key);
  const write = () => {
    try {
      if (rows.length === 0) storage().removeItem(key);
      else storage().setItem(key, JSON.stringify(rows));
    } catch {
      // Full or forbidden: the page still has them.
    }
  };
  const drop = (promptId: string) => {
    rows = rows.filter(([id]) => id !== promptId);
  };
  return {
    of: (promptId) => rows.find(([id]) => id === promptId)?.[1] ?? BLANK,
    keep(promptId, next) {
      drop(promptId);
      if (next.answer !== '' || next.note !== '' || next.revealed) rows.push([promptId, next]);
      rows = rows.slice(-MOST);
      write();
    },
    drop(promptId) {
      drop(promptId);
      write();
    },
  };
}

/** Forgets what anybody typed: for signing out. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage))
      if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  } catch {
    // Nothing is kept where nothing may be read.
  }
}

function read(storage: () => Shelf, key: string): z.infer<typeof shelf> {
  try {
    return shelf.parse(JSON.parse(storage().getItem(key) ?? '[]'));
  } catch {
    return [];
  }
}
