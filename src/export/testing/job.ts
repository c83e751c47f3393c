// A small export for tests: two prompts with a label, two with votes, one split, one discarded, one held out.
import type { PromptState } from '../../triage/types.ts';
import type { ExportJob } from '../export.ts';
import type { FrozenVote, Trainer, Votes } from '../types.ts';

/** What would run, quote, break a line or a template, were it ever more than data. */
export const hostile =
  '$(touch was-here) `id` "; exit 1 #\n\'; {{ 7 * 7 }} $HOME %s {0} \u2028 \u202e \ud800';

const states: readonly (readonly [string, PromptState])[] = [
  ['sum', 'annotated'],
  [hostile, 'annotated'],
  ['product', 'self'],
  ['root', 'self'],
  ['split', 'self'],
  ['easy', 'discard'],
];

const vote = (answer: string): FrozenVote => ({
  ...{ answer, answerClass: 1, votes: 3, samples: 4, share: 0.75 },
});

export function smallJob(trainer: Trainer, path: string, votes: Votes = 'frozen'): ExportJob {
  return {
    ...{ trainer, path },
    pool: {
      prompts: states.map(([id]) => ({ id, prompt: `${id}?`, source: 'check', metadata: {} })),
      states: new Map(states),
      labels: new Map([
        ['sum', '1/2'],
        [hostile, hostile],
      ]),
      votes: new Map([
        ['product', vote('12')],
        ['root', vote('\\sqrt{2}')],
      ]),
    },
    held: [{ id: 'held', prompt: '2 + 2?', answer: '4', source: 'check' }],
    specs: { common: { kind: 'auto' }, sources: { programs: { kind: 'code' } } },
    rewards: { undecided: 'zero', minShare: 0.75, minVotes: 2 },
    rules: { votes, keepDiscarded: false, whenMissing: 'wait', selfWeight: 1 },
    chat: 'messages',
    model: { path: "models/it's here", sha256: null },
    numbers: {
      ...{ seed: 1, steps: 20, promptsPerStep: 4, groupSize: 8, epochs: 1, updatesPerEpoch: 1 },
      ...{ lr: 1e-7, warmupSteps: 0, schedule: 'constant', weightDecay: 0, betas: [0.9, 0.95] },
      ...{ clipLow: 0.2, clipHigh: 0.28, kl: 0, gradClip: 1, loss: 'token', advantage: 'std' },
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 128, maxPromptTokens: 64 },
    },
    plan: { name: 'main', revision: 1, round: 0, account: 'main' },
    version: '0.0.0',
  };
}
