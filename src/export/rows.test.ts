import { expect, it } from 'vitest';
import type { PromptState } from '../triage/types.ts';
import { type RowRules, selectRows } from './rows.ts';
import type { FrozenVote } from './types.ts';

const vote: FrozenVote = { answer: '4', answerClass: 0, votes: 3, samples: 4, share: 0.75 };

const usual: RowRules = {
  ...{ votes: 'frozen', keepDiscarded: false, whenMissing: 'wait', selfWeight: 0.5 },
  ...{ images: false, imagePlaceholders: false, judged: (source) => source !== 'programs' },
};

const states: readonly (readonly [string, PromptState])[] = [
  ['labelled', 'annotated'],
  ['waiting', 'annotate'],
  ['self', 'self'],
  ['split', 'self'],
  ['mastered', 'discard'],
  ['mastered with label', 'discard'],
  ['self with label', 'self'],
  ['withdrawn', 'annotated'],
  ['program', 'annotated'],
];

/** Where each prompt of a fixed pool goes: the label state and weight of its row, or why it is left out. */
function select(rules: Partial<RowRules> = {}): Record<string, string> {
  const ids = [...states.map(([id]) => id), 'newcomer'];
  const { rows, left } = selectRows(
    {
      prompts: ids.map((id) => ({
        ...{ id, prompt: id, metadata: {} },
        source: id === 'program' ? 'programs' : 'sums',
      })),
      states: new Map(states),
      labels: new Map(
        ['labelled', 'mastered with label', 'self with label', 'program'].map((id) => [id, '5']),
      ),
      votes: new Map(['self', 'waiting', 'mastered', 'self with label'].map((id) => [id, vote])),
    },
    { ...usual, ...rules },
  );
  expect(rows.length + left.length).toBe(ids.length);
  return Object.fromEntries([
    ...rows.map((row) => [row.id, `${row.route} ${row.label} ${row.answer} ${row.weight}`]),
    ...left.map(({ id, reason }) => [id, reason]),
  ]);
}

it('holds labelled prompts against their label and self-trained ones against the frozen vote', () => {
  expect(select()).toEqual({
    labelled: 'annotate verified 5 1',
    waiting: 'unlabelled',
    self: 'self majority 4 0.5',
    split: 'no_majority',
    mastered: 'discarded',
    'mastered with label': 'discarded',
    'self with label': 'self verified 5 1',
    withdrawn: 'unlabelled',
    program: 'unsupported_verifier',
    newcomer: 'unplanned',
  });
});

it('leaves the vote to the group where it is counted as it trains, also without a majority now', () => {
  expect(select({ votes: 'live' })).toMatchObject({
    labelled: 'annotate verified 5 1',
    self: 'self group 4 0.5',
    split: 'self group null 0.5',
  });
});

it('trains prompts without their label on the vote where label.when_missing says so', () => {
  expect(select({ whenMissing: 'leave' }).waiting).toBe('unlabelled');
  expect(select({ whenMissing: 'self' })).toMatchObject({
    waiting: 'annotate majority 4 0.5',
    withdrawn: 'no_majority',
  });
});

it('keeps discarded prompts on request, by label or vote', () => {
  expect(select({ keepDiscarded: true })).toMatchObject({
    mastered: 'discard majority 4 0.5',
    'mastered with label': 'discard verified 5 1',
  });
});

it('leaves out images, and texts that a trainer would take for one', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,' } } as const;
  const prompts = [
    { id: 'picture', prompt: [{ role: 'user' as const, content: [image] }] },
    { id: 'word', prompt: 'what is <image>?' },
  ].map((one) => ({ ...one, source: 'sums', metadata: {} }));
  const pool = {
    ...{ prompts, votes: new Map() },
    states: new Map(prompts.map(({ id }) => [id, 'annotated' as const])),
    labels: new Map(prompts.map(({ id }) => [id, '5'])),
  };
  const left = (rules: Partial<RowRules>) =>
    selectRows(pool, { ...usual, ...rules }).left.map(({ id, reason }) => `${id}: ${reason}`);
  expect(left({})).toEqual(['picture: image']);
  expect(left({ imagePlaceholders: true })).toEqual(['picture: image', 'word: image_placeholder']);
  expect(left({ images: true })).toEqual([]);
});
