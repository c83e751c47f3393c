// The verifier that the product uses: bounds its input, asks a pool of threads, and turns whatever goes wrong there into
// `undecided`. Knows nothing of kinds of answers.
import { classesOf } from '../classes.ts';
import { shifted, tooLong } from '../judge.ts';
import type { Bounds, Extraction, Reading, Verdict, Verifier } from '../types.ts';
import type { Outcome } from './lane.ts';
import type { Pool } from './pool.ts';
import type { Method, Results } from './protocol.ts';

export class PooledVerifier implements Verifier {
  readonly name: string;
  private readonly pool: Pool;
  private readonly bounds: Bounds;

  constructor(name: string, pool: Pool, bounds: Bounds) {
    this.name = name;
    this.pool = pool;
    this.bounds = bounds;
  }

  async candidates(response: string): Promise<Extraction[]> {
    const { tail, cut } = this.tailOf(response);
    const found = given<'candidates'>(await this.pool.run('candidates', tail)) ?? [];
    return found.map((one) => shifted(one, cut));
  }

  async extract(responses: readonly string[]): Promise<(Extraction | undefined)[]> {
    return await Promise.all(
      responses.map(async (response) => {
        const { tail, cut } = this.tailOf(response);
        const found = given<'extract'>(await this.pool.run('extract', tail));
        return found === undefined ? undefined : shifted(found, cut);
      }),
    );
  }

  async read(answer: string): Promise<Reading | null> {
    if (answer.length > this.bounds.maxAnswerChars) return null;
    return given<'read'>(await this.pool.run('read', answer)) ?? null;
  }

  async compare(gold: string, answer: string): Promise<Verdict> {
    const { maxAnswerChars: limit } = this.bounds;
    if (gold.length > limit || answer.length > limit) return tooLong(limit);
    return verdictOf(await this.pool.run('compare', gold, answer));
  }

  async verify(gold: string, responses: readonly string[]): Promise<Verdict[]> {
    const { maxResponseChars: limit } = this.bounds;
    // A gold answer may be a whole worked solution, but it is never cut.
    if (gold.length > limit) return responses.map(() => tooLong(limit));
    return await Promise.all(
      responses.map(async (response) =>
        verdictOf(await this.pool.run('verify', gold, this.tailOf(response).tail)),
      ),
    );
  }

  async classes(answers: readonly (string | undefined)[]): Promise<Int32Array> {
    return await classesOf(answers, this);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  /** What is sent of a response. One character more than may be read, so that the judge sees that it was longer. */
  private tailOf(response: string): { tail: string; cut: number } {
    const cut = Math.max(0, response.length - this.bounds.maxResponseChars - 1);
    return { tail: cut === 0 ? response : response.slice(cut), cut };
  }
}

/** What the judge gave; undefined where it gave nothing. The worker has checked that it is of this method. */
function given<M extends Method>(outcome: Outcome): Results[M] | undefined {
  return 'value' in outcome ? (outcome.value as Results[M]) : undefined;
}

function verdictOf(outcome: Outcome): Verdict {
  return 'value' in outcome ? (outcome.value as Verdict) : outcome.failure;
}
