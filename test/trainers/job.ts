// A small export for checks: prompts of the bundled pool with labels and votes, and prompts that mean harm.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ExportJob } from '../../src/export/export.ts';
import type { FrozenVote, Trainer, Votes } from '../../src/export/types.ts';
import type { PromptState } from '../../src/triage/types.ts';

const row = z.object({
  id: z.string(),
  prompt: z.string(),
  answer: z.string(),
  source: z.string(),
});

/** What would run, quote, template or picture something, were it ever more than data. */
const hostile = [
  '$(touch was-here) `id` "; exit 1 #',
  "'; rm -rf ~ #\n{{ 7 * 7 }} {% raw %} $HOME %s {0}",
  'a <image> that is none, \u2028 \u202e and 😀',
];

/** 12 prompts with a label (3 of them hostile), 8 with a vote, 2 without, 2 discarded; 4 held out. */
export function jobFor(trainer: Trainer, votes: Votes, model: string): Omit<ExportJob, 'path'> {
  const file = fileURLToPath(new URL('../../data/test.jsonl', import.meta.url));
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, 25);
  const all = lines.map((line) => row.parse(JSON.parse(line)));
  const harmful = hostile.map((prompt, i) => ({
    id: `hostile ${prompt}`,
    prompt,
    answer: `${i} "' $x`,
    source: 'hostile',
  }));
  const prompts = [...harmful, ...all.slice(0, 21)].map(({ id, prompt, source }) => ({
    ...{ id, prompt, source, metadata: {} },
  }));
  const answers = new Map([...harmful, ...all].map(({ id, answer }) => [id, answer]));
  const answerOf = (id: string) => answers.get(id) ?? '';
  const ids = prompts.map(({ id }) => id);
  const labelled = ids.slice(0, 12);
  const voted = ids.slice(12, 20);
  const states = new Map<string, PromptState>([
    ...labelled.map((id) => [id, 'annotated'] as const),
    ...ids.slice(12, 22).map((id) => [id, 'self'] as const),
    ...ids.slice(22).map((id) => [id, 'discard'] as const),
  ]);
  const vote = (id: string): FrozenVote => ({
    ...{ answer: answerOf(id), answerClass: 0, votes: 3, samples: 4, share: 0.75 },
  });
  return {
    trainer,
    pool: {
      ...{ prompts, states },
      labels: new Map(labelled.map((id) => [id, answerOf(id)])),
      votes: new Map(voted.map((id) => [id, vote(id)])),
    },
    held: all.slice(21),
    specs: { common: { kind: 'auto' }, sources: { hostile: { kind: 'text' } } },
    rewards: { undecided: 'zero', minShare: 0.75, minVotes: 2 },
    rules: { votes, keepDiscarded: false, whenMissing: 'wait', selfWeight: 0.5 },
    chat: 'messages',
    model: { path: model, sha256: null },
    numbers: {
      ...{ seed: 1, steps: 2, promptsPerStep: 4, groupSize: 4, epochs: 1, updatesPerEpoch: 1 },
      ...{ lr: 1e-7, warmupSteps: 0, schedule: 'constant', weightDecay: 0, betas: [0.9, 0.95] },
      ...{ clipLow: 0.2, clipHigh: 0.28, kl: 0, gradClip: 1, loss: 'token', advantage: 'none' },
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 96, maxPromptTokens: 192 },
    },
    plan: { name: 'check', revision: 1, round: 0, account: 'check' },
    version: 'check',
  };
}
