/**
 * What rewards without labels say of right and wrong responses, on the bundled model before training:
 * `npx tsx bench/rewards.ts [prompts]`. The table in docs/guide/rewards.md.
 *
 * Per reward: groups that get a gradient; the chance that a right response earns more than a wrong one of its group;
 * for rewards with a target, how often the target is wrong.
 */
import { join } from 'node:path';
import { methods } from '../src/method/registry.ts';
import type { Method, MethodContext } from '../src/method/types.ts';
import type { Prompt } from '../src/pool/types.ts';
import { majorityReward } from '../src/reward/majority.ts';
import type { GroupReward, Seen } from '../src/reward/types.ts';
import { countVotes } from '../src/reward/votes.ts';
import { auroc } from '../src/stats/classification.ts';
import { Policy } from '../src/train/policy.ts';
import { openVerifier } from '../src/verify/open.ts';
import { readRows, root } from './rows.ts';

const [count = 300] = process.argv.slice(2).map(Number);
const G = 8;

interface Judged {
  seen: Seen;
  right: boolean[];
}

type Score = (seen: Seen) => Promise<GroupReward>;

/** The settings that each reward is shown with. */
const variants: Record<string, object[]> = {
  weighted_vote: [{ weight: 'probability' }, { weight: 'self_certainty' }],
  token_entropy: [{ tokens: 'mean' }, { tokens: 'sum' }],
  sequence_entropy: [{ tokens: 'mean' }, { tokens: 'sum' }],
  sequence_probability: [{ tokens: 'mean' }, { tokens: 'sum' }],
};

function scores(context: MethodContext): Map<string, Score> {
  const found = new Map<string, Score>([
    ['majority', async (seen) => majorityReward(seen, { minShare: context.minVoteShare })],
  ]);
  for (const one of methods.filter(({ surface }) => surface === 'reward')) {
    for (const settings of variants[one.name] ?? [{}]) {
      const method: Method = one.create(settings, context, undefined);
      found.set(`${one.name} ${Object.values(settings).join('')}`, async (seen) => {
        const none: GroupReward = { kind: 'intrinsic', rewards: null, reason: '', undecided: [] };
        return (await method.reward?.(1, seen)) ?? none;
      });
    }
  }
  return found;
}

async function line(name: string, score: Score, groups: readonly Judged[]): Promise<void> {
  let active = 0;
  let targets = 0;
  let wrong = 0;
  const areas: number[] = [];
  for (const { seen, right } of groups) {
    const { rewards, kind } = await score(seen);
    if (rewards === null || rewards.every((value) => value === rewards[0])) continue;
    active++;
    if (right.includes(true) && right.includes(false)) areas.push(auroc([...rewards], right));
    if (kind !== 'majority') continue;
    targets++;
    if (!right[rewards.indexOf(1)]) wrong++;
  }
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  const cells = [mean, active / groups.length, targets === 0 ? Number.NaN : wrong / targets];
  const shown = cells.map((x) => (Number.isNaN(x) ? '-' : x.toFixed(2)).padStart(8)).join('');
  console.log(`${name.padEnd(32)}${shown}`);
}

const answers = new Map(readRows('data/answers.jsonl').map(({ id, answer }) => [id, answer]));
const pool = readRows('data/pool.jsonl');
const picked = Array.from({ length: count }, (_, i) => pool[Math.floor((i * pool.length) / count)]);
const verifier = await openVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
const policy = new Policy({
  model: join(root, 'models/reasoner'),
  engine: { provider: 'cpu', threads: 0 },
  ...{ batchSize: 64, chat: 'auto', optimizer: null, tokensPerMicroBatch: 2048 },
});
const requests = picked.flatMap(({ id, prompt }) =>
  Array.from({ length: G }, (_, sample) => ({ promptId: id, sample, prompt })),
);
const sampling = {
  ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 140, stop: [], seed: 11 },
  longPrompts: 'refuse' as const,
};
const own = await policy.generate(requests, sampling);
// Before training the teacher has the policy's weights: its responses are other samples of the same policy.
const others = requests.map((one) => ({ ...one, sample: one.sample + 1000 }));
const second = await policy.generate(others, sampling);
await policy.close();
const groups = await Promise.all(
  picked.map(async ({ id }, i): Promise<Judged> => {
    const part = (list: typeof own) => list.slice(i * G, (i + 1) * G);
    const responses = part(own);
    const texts = responses.map(({ text }) => text);
    const verdicts = await verifier.verify(answers.get(id) ?? '', texts);
    const vote = await countVotes(texts, verifier);
    const seen = { promptId: id, responses, vote, second: part(second) };
    return { seen, right: verdicts.map(({ verdict }) => verdict === 'right') };
  }),
);
const prompts = new Map(
  picked.map(({ id, prompt }): [string, Prompt] => [id, { id, prompt, source: '', metadata: {} }]),
);
for (const minVoteShare of [0.75, 0]) {
  console.log(`\n${count} prompts, G = ${G}, least share of a vote ${minVoteShare}`);
  console.log(`${'reward'.padEnd(32)}   right  active   wrong`);
  const context = { seed: 1, groupSize: G, prompts, verifierOf: () => verifier, minVoteShare };
  const represent = async () => [];
  for (const [name, score] of scores({ ...context, represent })) await line(name, score, groups);
}
await verifier.close();
