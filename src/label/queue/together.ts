/**
 * Work that comes while other work is done is done together, in the order in which it came, in one transaction: what it
 * costs to begin, to lock the account and to commit is paid once for all of it.
 */
import type { Repositories } from '../../store/types.ts';
import { alone, type QueueContext } from './context.ts';

/** Pieces of work in one transaction at most: others wait for their turn behind it. */
const most = 32;

interface Waiting<I, O> {
  item: I;
  resolve(outcome: O): void;
  reject(error: unknown): void;
}

/** What came of one item: gives the outcome, or throws what is its own fault alone. */
export type Came<O> = () => O;

export class Together<I, O> {
  private readonly context: QueueContext;
  private readonly work: (repositories: Repositories, items: readonly I[]) => Promise<Came<O>[]>;
  private readonly waiting: Waiting<I, O>[] = [];
  private busy = false;

  /** `work` does items in order. An item that fails by itself has written nothing; any other error undoes all of them. */
  constructor(context: QueueContext, work: Together<I, O>['work']) {
    this.context = context;
    this.work = work;
  }

  do(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      void this.run();
    });
  }

  private async run(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.waiting.length > 0) await this.runSome();
    this.busy = false;
  }

  private async runSome(): Promise<void> {
    const some: Waiting<I, O>[] = [];
    try {
      const came = await alone(this.context, (repositories) => {
        // Chosen when the turn has come, for more may have come meanwhile.
        some.push(...this.waiting.splice(0, most));
        return this.work(
          repositories,
          some.map(({ item }) => item),
        );
      });
      for (const [i, one] of some.entries()) settle(one, came[i]);
    } catch (error) {
      if (some.length === 0) some.push(...this.waiting.splice(0, most));
      if (some.length === 1) some[0].reject(error);
      else for (const one of some) await this.runAlone(one);
    }
  }

  /** What failed among others and may have been another's fault. */
  private async runAlone(one: Waiting<I, O>): Promise<void> {
    try {
      const [came] = await alone(this.context, (tables) => this.work(tables, [one.item]));
      settle(one, came);
    } catch (error) {
      one.reject(error);
    }
  }
}

function settle<I, O>({ resolve, reject }: Waiting<I, O>, came: Came<O>): void {
  try {
    resolve(came());
  } catch (error) {
    reject(error);
  }
}
