/**
 * What an endpoint has cost, kept by whoever keeps `save`. Money is set aside before a call, so that a process that is
 * killed never spends more than it may. Knows nothing of what was asked.
 */
import type { Usage } from './generate.ts';

export interface Spending {
  calls: number;
  promptTokens: number;
  completionTokens: number;
  /** In units of the prices; calls that were under way when a process ended count as paid. */
  spent: number;
}

export interface Prices {
  /** Of a million tokens each. */
  in: number;
  out: number;
  /** null = no limit. */
  budget: number | null;
}

export const nothingSpent: Spending = { calls: 0, promptTokens: 0, completionTokens: 0, spent: 0 };

export class EndpointBooks {
  private state: Spending;
  private readonly prices: Prices;
  private readonly save: (state: Spending) => Promise<void>;
  private last: Promise<void> = Promise.resolve();
  /** Reservations that are not ended, and who waits for one of them. */
  private open = 0;
  private readonly waiting: (() => void)[] = [];

  /** `state` as it was last saved. */
  constructor(state: Spending, prices: Prices, save: (state: Spending) => Promise<void>) {
    this.state = state;
    this.prices = prices;
    this.save = save;
  }

  get spending(): Spending {
    return this.state;
  }

  /**
   * Sets aside what a call may cost at most, when earlier calls have left enough of what was set aside for them; null,
   * and nothing set aside, where the budget does not allow it. Every reservation has to be ended.
   */
  async reserve(most: Usage): Promise<Reservation | null> {
    const cost = this.costOf(most);
    while (!this.allows(cost)) {
      if (this.open === 0) return null;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.open++;
    if (cost > 0) await this.change({ spent: cost });
    return {
      settle: (usage) =>
        this.end({
          calls: 1,
          spent: (usage === null ? cost : this.costOf(usage)) - cost,
          promptTokens: usage?.promptTokens ?? 0,
          completionTokens: usage?.completionTokens ?? 0,
        }),
      giveBack: () => this.end({ spent: -cost }),
      abandon: () => this.end({}),
    };
  }

  private allows(cost: number): boolean {
    const { budget } = this.prices;
    // Sums of prices are not exact: half a millionth is nobody's money.
    return budget === null || this.state.spent + cost <= budget + 5e-7;
  }

  private async end(by: Partial<Spending>): Promise<void> {
    this.open--;
    await this.change(by);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private costOf({ promptTokens, completionTokens }: Usage): number {
    return (promptTokens * this.prices.in + completionTokens * this.prices.out) / 1e6;
  }

  private change(by: Partial<Spending>): Promise<void> {
    const { calls, promptTokens, completionTokens, spent } = this.state;
    this.state = {
      calls: calls + (by.calls ?? 0),
      promptTokens: promptTokens + (by.promptTokens ?? 0),
      completionTokens: completionTokens + (by.completionTokens ?? 0),
      spent: Math.max(0, spent + (by.spent ?? 0)),
    };
    // One after the other: an older state must not be written over a newer one.
    this.last = this.last.then(() => this.save(this.state));
    return this.last;
  }
}

export interface Reservation {
  /** The call was answered: it costs what it used, or all that was set aside where that is not known. */
  settle(usage: Usage | null): Promise<void>;
  /** The call was not answered: it costs nothing. */
  giveBack(): Promise<void>;
  /** The call was cut off, and nobody knows what it cost: all that was set aside. */
  abandon(): Promise<void>;
}
