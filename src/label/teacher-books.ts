/** What a teacher has cost an account, and which questions it has no answer to: kept in the database, for all runs. */
import { z } from 'zod';
import type { Repositories, Store } from '../store/types.ts';

const booksSchema = z.object({ spent: z.number(), refused: z.array(z.string()) });
type Entries = z.infer<typeof booksSchema>;

export interface TeacherBooks {
  /** Sets `cost` aside before a call is made; false, and nothing set aside, where the budget does not allow it. */
  reserve(cost: number): Promise<boolean>;
  /** A call that was not answered costs nothing. */
  giveBack(cost: number): Promise<void>;
  /** The teacher has no answer: it is not asked again. */
  refuse(promptId: string): Promise<void>;
  refused(): Promise<ReadonlySet<string>>;
  spent(): Promise<number>;
}

/**
 * The books of the teacher `name` in `account`; `budget` in units of its price, null = no limit. Money is set aside
 * before a call and not after it, so that a process that is killed never spends more than it may.
 */
export function openTeacherBooks(
  store: Pick<Store, 'transaction' | 'meta'>,
  account: string,
  name: string,
  budget: number | null,
): TeacherBooks {
  const key = `teacher/${account}/${name}`;
  const read = async ({ meta }: Pick<Repositories, 'meta'>): Promise<Entries> => {
    const found = await meta.get(key);
    return found == null ? { spent: 0, refused: [] } : booksSchema.parse(found);
  };
  /** `change` returns null to leave all as it is. */
  const update = (change: (entries: Entries) => Entries | null): Promise<boolean> =>
    store.transaction(async (tables) => {
      // Takes the lock of the account's buyers: two processes must count one after the other.
      await tables.labels.add(account, []);
      const changed = change(await read(tables));
      if (changed !== null) await tables.meta.put(key, changed);
      return changed !== null;
    });
  return {
    reserve: (cost) =>
      update(({ spent, ...rest }) =>
        // Sums of prices are not exact: half a millionth is nobody's money.
        budget !== null && spent + cost > budget + 5e-7 ? null : { ...rest, spent: spent + cost },
      ),
    async giveBack(cost) {
      await update(({ spent, ...rest }) => ({ ...rest, spent: Math.max(0, spent - cost) }));
    },
    async refuse(promptId) {
      await update(({ refused, ...rest }) => {
        return refused.includes(promptId) ? null : { ...rest, refused: [...refused, promptId] };
      });
    },
    refused: async () => new Set((await read(store)).refused),
    spent: async () => (await read(store)).spent,
  };
}
