// Which prompts of the pool are trained on and against what, and why the others are not. Knows nothing of files or trainers'
// formats.
import { isText } from '../pool/content.ts';
import type { PoolPrompt } from '../pool/types.ts';
import type { PromptState } from '../triage/types.ts';
import type { ExportRow, FrozenVote, LeftOut, Reason, Votes } from './types.ts';

/** The pool as it stands. */
export interface PoolState {
  /** In the order of the pool. */
  prompts: readonly PoolPrompt[];
  /** Where the plan has each prompt; one that it does not know is `new`. */
  states: ReadonlyMap<string, PromptState>;
  /** Bought labels by prompt. */
  labels: ReadonlyMap<string, string>;
  /** Usable majorities by prompt. */
  votes: ReadonlyMap<string, FrozenVote>;
}

export interface RowRules {
  votes: Votes;
  /** Discarded prompts are trained on as well, as self-trained ones where they have no label. */
  keepDiscarded: boolean;
  /** `label.when_missing`: `self` trains a prompt without its label on its vote; no trainer elsewhere can wait for one. */
  whenMissing: 'wait' | 'self' | 'leave';
  selfWeight: number;
  /** Whether the prompts may hold images. */
  images: boolean;
  /** Whether the trainer takes "<image>" in a text for a picture. */
  imagePlaceholders: boolean;
  /** Whether answers to the prompts of a source can be judged where the rows go. */
  judged(source: string): boolean;
}

export interface Selection {
  rows: ExportRow[];
  left: LeftOut[];
}

/** Every prompt of the pool is either a row or left out, in the order of the pool. */
export function selectRows(pool: PoolState, rules: RowRules): Selection {
  const rows: ExportRow[] = [];
  const left: LeftOut[] = [];
  for (const [index, prompt] of pool.prompts.entries()) {
    const state = pool.states.get(prompt.id) ?? 'new';
    const found = rowOf(prompt, index, state, pool, rules);
    if (typeof found === 'string') left.push({ id: prompt.id, index, state, reason: found });
    else rows.push(found);
  }
  return { rows, left };
}

function rowOf(
  prompt: PoolPrompt,
  index: number,
  state: PromptState,
  { labels, votes }: PoolState,
  rules: RowRules,
): ExportRow | Reason {
  const label = labels.get(prompt.id);
  const refusal = refusalOf(prompt, state, label !== undefined, rules);
  if (refusal !== undefined) return refusal;
  const vote = votes.get(prompt.id) ?? null;
  const { id, prompt: content, source } = prompt;
  const route = state === 'annotated' || state === 'new' ? 'annotate' : state;
  const common = { id, index, prompt: content, source, route, vote };
  if (label !== undefined) return { ...common, label: 'verified', answer: label, weight: 1 };
  const weight = rules.selfWeight;
  if (rules.votes === 'live') {
    return { ...common, label: 'group', answer: vote?.answer ?? null, weight };
  }
  if (vote === null) return 'no_majority';
  return { ...common, label: 'majority', answer: vote.answer, weight };
}

function refusalOf(
  prompt: PoolPrompt,
  state: PromptState,
  hasLabel: boolean,
  rules: RowRules,
): Reason | undefined {
  if (state === 'new') return 'unplanned';
  if (state === 'discard' && !rules.keepDiscarded) return 'discarded';
  const waits = state === 'annotate' || state === 'annotated';
  if (waits && !hasLabel && rules.whenMissing !== 'self') return 'unlabelled';
  if (!rules.images && !isText(prompt)) return 'image';
  if (rules.imagePlaceholders && saysImage(prompt)) return 'image_placeholder';
  return rules.judged(prompt.source) ? undefined : 'unsupported_verifier';
}

function saysImage({ prompt }: PoolPrompt): boolean {
  return typeof prompt === 'string'
    ? prompt.includes('<image>')
    : prompt.some(({ content }) => typeof content === 'string' && content.includes('<image>'));
}
