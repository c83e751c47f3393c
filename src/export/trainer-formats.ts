// The trainers that an export can be for. Knows nothing of pools or plans.
import { jsonlFiles } from './jsonl.ts';
import { openrlhfFiles } from './openrlhf.ts';
import { trlFiles } from './trl.ts';
import type { Bundle, FileSet, Trainer, Votes } from './types.ts';
import { verlFiles } from './verl.ts';

export interface TrainerFormat {
  title: string;
  /** The versions that the folder was tested with; null where there is no trainer. */
  versions: string | null;
  entrypoint: string | null;
  files(bundle: Bundle): FileSet;
  /** Where the votes of self-trained prompts may come from, the usual one first. */
  votes: readonly Votes[];
  /** Whether answers are judged by our Python modules, which know fewer kinds than we do. */
  rewards: boolean;
  images: boolean;
  imagePlaceholders: boolean;
  /** How the folder is used, for its README: plain sentences and shell commands. */
  use: string;
}

const launch = 'bash launch.sh';

export const trainerFormats: Readonly<Record<Trainer, TrainerFormat>> = {
  verl: {
    title: 'verl',
    versions: '0.7.0 to 0.9.1',
    entrypoint: launch,
    files: verlFiles,
    votes: ['frozen', 'live'],
    rewards: true,
    images: false,
    imagePlaceholders: false,
    use: `    bash launch.sh                       # 8 GPUs of this machine; GPUS, NODES, MODEL, PYTHON and VOTES change that
    DRY_RUN=1 bash launch.sh             # prints what verl is given and does nothing
    bash launch.sh trainer.logger='[console,wandb]'

\`train.parquet\` (and \`val.parquet\`) are what verl's RLHFDataset reads, \`config.yaml\` the settings on top of verl's own,
\`reward.py\` the reward function. \`launch.sh\` names it under the key that the installed verl reads: a function under the
key of another version is ignored without a word. The rows have the data source \`pivottrace\`, which verl cannot reward by
itself, so that such a mistake stops the run at its first response. \`VOTES=live\` has prompts without a label rewarded by the
majority of their own group (\`group_majority.py\`, which says what that takes).`,
  },
  trl: {
    title: 'TRL',
    versions: '1.16',
    entrypoint: launch,
    files: trlFiles,
    votes: ['live', 'frozen'],
    rewards: true,
    images: false,
    imagePlaceholders: false,
    use: `    bash launch.sh                       # one process; GPUS=8 starts eight
    bash launch.sh max_steps=2 use_cpu=true

\`train_grpo.py\` is the script, \`config.json\` what it gives to GRPOConfig, \`reward.py\` the rewards: \`votes\` in config.json is
\`live\` (prompts without a label are rewarded by the majority of their own group) or \`frozen\` (by the majority at export).`,
  },
  openrlhf: {
    title: 'OpenRLHF',
    versions: '0.11.2',
    entrypoint: launch,
    files: openrlhfFiles,
    votes: ['frozen'],
    rewards: true,
    images: false,
    imagePlaceholders: true,
    use: `    bash launch.sh                       # 8 GPUs of this machine; GPUS, NODES, MODEL and PYTHON change that
    DRY_RUN=1 bash launch.sh             # prints what OpenRLHF is given and does nothing

\`train.parquet\` has \`input\` and \`label\`, \`reward.py\` is what --reward.remote_url names. OpenRLHF calls it with one
response at a time: prompts without a label are rewarded by the majority at export. It goes on without a reward where the
function fails, and says so in a line of its log only: look for "Failed to fetch reward".`,
  },
  jsonl: {
    title: 'plain JSONL',
    versions: null,
    entrypoint: null,
    files: jsonlFiles,
    votes: ['frozen', 'live'],
    rewards: false,
    images: true,
    imagePlaceholders: false,
    use: `\`train.jsonl\` (and \`val.jsonl\`) have one prompt a line: \`id\`, \`prompt\` (a text or messages), \`answer\` (the label or the
majority), \`source\`, \`route\`, \`label\` (\`verified\`, \`majority\` or \`group\`), \`weight\` and the votes behind a majority.`,
  },
};
