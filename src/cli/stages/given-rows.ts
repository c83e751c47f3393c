/**
 * A file of responses from elsewhere, as responses to prompts of the pool: rows are matched and numbered, what fits no
 * prompt is set aside with its line. Knows nothing of models.
 */
import { contentHash } from '../../pool/content.ts';
import { readObjects } from '../../pool/read.ts';
import type { Place, Prompt } from '../../pool/types.ts';
import { BadRollout, type ForeignRollout, foreignRollout } from '../../rollout/foreign.ts';

/** A row that is a response to a prompt of the pool. */
export interface GivenRow {
  at: Place;
  prompt: Prompt;
  response: ForeignRollout;
  /** As it was read, for people. */
  raw: string;
}

export type Refuse = (at: Place, reason: string, raw: string) => void;

/** Finds the prompt of a response: by its id, or by the prompt itself as the pool tells prompts apart. */
export class PromptMatcher {
  private readonly byId: ReadonlyMap<string, Prompt>;
  private byContent: ReadonlyMap<string, Prompt> | undefined;

  constructor(prompts: readonly Prompt[]) {
    this.byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  }

  /** Throws BadRollout where the pool has no such prompt. */
  promptOf({ id, prompt }: Pick<ForeignRollout, 'id' | 'prompt'>): Prompt {
    if (id !== null) {
      const found = this.byId.get(id);
      if (found !== undefined) return found;
      throw new BadRollout(`the pool has no prompt ${JSON.stringify(id.slice(0, 80))}`);
    }
    if (prompt === null) throw new BadRollout('neither an id nor a prompt');
    // Hashes of the whole pool are made only for a file that comes without ids.
    this.byContent ??= new Map(
      [...this.byId.values()].map((one) => [contentHash(one.prompt), one]),
    );
    // Roles that no pool has match nothing.
    const found = this.byContent.get(contentHash(prompt as Prompt['prompt']));
    if (found !== undefined) return found;
    throw new BadRollout('the pool has no such prompt, and the line has no id');
  }
}

/** The rows of `file` that are responses to prompts of the pool, in order; `refuse` hears of the others. */
export async function* givenRows(
  file: string,
  matcher: PromptMatcher,
  maxLineBytes: number,
  refuse: Refuse,
): AsyncGenerator<GivenRow> {
  for await (const entry of readObjects(file, { maxLineBytes })) {
    if (entry.kind === 'reject') {
      refuse(entry.at, entry.reason, entry.raw);
      continue;
    }
    const { at, row, raw } = entry;
    try {
      const response = foreignRollout(row);
      yield { at, raw, response, prompt: matcher.promptOf(response) };
    } catch (error) {
      if (!(error instanceof BadRollout)) throw error;
      refuse(at, error.message, raw);
    }
  }
}

/** Numbers the responses of each prompt in the order of the file, but for those that bring a number along. */
export class SampleNumbers {
  private readonly used = new Map<string, Set<number>>();

  /** The number of the next response to the prompt; null where the number that it brings is taken. */
  take(promptId: string, wanted: number | null): number | null {
    const used = this.used.get(promptId) ?? new Set<number>();
    this.used.set(promptId, used);
    if (wanted !== null && used.has(wanted)) return null;
    let number = wanted ?? used.size;
    while (used.has(number)) number++;
    used.add(number);
    return number;
  }

  /** Responses to the prompt so far. */
  count(promptId: string): number {
    return this.used.get(promptId)?.size ?? 0;
  }
}

/** Batches of at most `size` of `rows`, in order. */
export async function* inBatches<T>(rows: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
