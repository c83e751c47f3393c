// README.md of an exported folder.
import type { Manifest } from './manifest.ts';
import { trainerFormats } from './trainer-formats.ts';
import { type Reason, reasons } from './types.ts';

/** Why prompts are left out, for people. */
export const reasonTexts: Readonly<Record<Reason, string>> = {
  discarded: 'discarded by the plan',
  unlabelled: 'to annotate, without a label',
  no_majority: 'self-trained, without a usable majority',
  unplanned: 'not in the plan',
  image: 'with an image, which the trainer is not given',
  image_placeholder: 'with "<image>" in the text, which the trainer takes for a picture',
  unsupported_verifier: 'with answers that only pivottrace can judge',
};

type Facts = Pick<Manifest, 'to' | 'counts' | 'notes' | 'votes' | 'plan'>;

export function readmeText({ to, counts, notes, votes, plan }: Facts): string {
  const { title, versions, use } = trainerFormats[to];
  const of = (name: string) => counts.labels[name] ?? 0;
  const left = reasons.flatMap((reason) => {
    const count = counts.left_out[reason] ?? 0;
    return count === 0 ? [] : [`| left out: ${reasonTexts[reason]} | ${count} |`];
  });
  return `# Exported by pivottrace for ${title}${versions === null ? '' : ` ${versions}`}

Plan \`${plan.name}\`, revision ${plan.revision}, round ${plan.round}. What it was made of and what has changed since the export before it is in
\`manifest.json\`; where each prompt of the pool went, in \`routes.jsonl\`.

| prompts | |
| --- | --- |
| to train on | ${counts.train} |
| with a label, which a verifier holds responses against | ${of('verified')} |
| without, rewarded by the majority frozen at export | ${of('majority')} |
| without, rewarded by the majority of their group as they are trained | ${of('group')} |
| held out | ${counts.val} |
${[...left, `| in the pool | ${counts.pool} |`].join('\n')}

## Use

${use}

${to === 'jsonl' ? '' : rewards(votes)}${notes.length === 0 ? '' : `## Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}\n\n`}A later export into this folder writes only what has changed. Files that you have changed stay; ours lies beside them as \`NAME.new\`.
`;
}

function rewards(votes: Manifest['votes']): string {
  return `## Rewards

The reward is the weight of the prompt where the answer is right, else 0. \`pivottrace_answers.py\` decides; how answers are found and
compared is in \`reward.json\`. Install \`math-verify\` where rewards are computed (\`pip install math-verify==0.9.0\`): without it
only numbers, lists of numbers, choices, text and JSON can be compared, and every other right answer counts as wrong.
${votes === 'live' ? 'A group without a usable majority has no gradient.\n' : ''}
`;
}
