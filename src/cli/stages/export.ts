/** `export`: what the plan, the labels and the rollouts make of the pool, as a folder for another trainer. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exportRun } from '../../export/export.ts';
import type { Written } from '../../export/folder.ts';
import { reasonTexts } from '../../export/readme.ts';
import {
  type Reason,
  reasons,
  type Trainer,
  type TrainingNumbers,
  type Votes,
} from '../../export/types.ts';
import { frozenVotes } from '../../export/votes.ts';
import { loadChatTemplate } from '../../model/chat-template.ts';
import type { PoolPrompt } from '../../pool/types.ts';
import type { RolloutDigest, Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { counted } from '../table.ts';
import { packageVersion } from '../version.ts';
import { labelAccount, savedPlan } from './labels.ts';
import { modelIdentity } from './model-identity.ts';
import { evalItems } from './train.ts';
import { verifierSpecs } from './workspace.ts';

export interface ExportRequest {
  trainer: Trainer;
  /** undefined: exports/TRAINER in the workspace. */
  path?: string;
  votes: Votes;
  keepDiscarded: boolean;
}

/** Votes that make a majority: one agrees with nobody. */
const MIN_VOTES = 2;

/** Writes the folder; the outcome as text and as data. UserError where there is no plan or nothing to train on. */
export async function exportPool(
  store: Store,
  config: Config,
  { trainer, path, votes, keepDiscarded }: ExportRequest,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const { plan, revision } = await savedPlan(store, config.train.plan ?? config.triage.plan);
  const account = labelAccount({ ...config, triage: { ...config.triage, plan: plan.name } });
  const prompts = await store.prompts.list();
  const digests = await store.rollouts.digests(plan.round);
  const rewards = {
    undecided: config.train.undecided,
    ...{ minShare: config.train.min_vote_share, minVotes: MIN_VOTES },
  };
  const written = exportRun({
    ...{ trainer, rewards, version: packageVersion() },
    path: path ?? join(config.workspace, 'exports', trainer),
    pool: {
      prompts,
      states: await store.transitions.routes(plan.name),
      labels: await labelsOf(store, account),
      votes: frozenVotes(digests, rewards),
    },
    held: await evalItems(config),
    specs: verifierSpecs(config),
    rules: {
      ...{ votes, keepDiscarded, whenMissing: config.label.when_missing },
      selfWeight: config.train.self_weight,
    },
    chat: chatOf(config, prompts),
    model: { path: config.model, sha256: await identityOf(config.model) },
    numbers: numbersOf(config, digests),
    plan: { name: plan.name, revision, round: plan.round, account },
  });
  return { text: textOf(written), data: dataOf(written) };
}

/** The label that counts is the first that was given. */
async function labelsOf(store: Store, account: string): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  for (const { promptId, answer } of await store.labels.owned(account)) {
    if (!labels.has(promptId)) labels.set(promptId, answer);
  }
  return labels;
}

/** As the rollouts were sampled: text stays text where there was no chat template, or none was to be used. */
function chatOf({ rollout, model }: Config, prompts: readonly PoolPrompt[]): 'messages' | 'text' {
  if (!prompts.every(({ prompt }) => typeof prompt === 'string')) return 'messages';
  if (rollout.chat === 'never') return 'text';
  return isDirectory(model) && !loadChatTemplate(model).present ? 'text' : 'messages';
}

async function identityOf(model: string): Promise<string | null> {
  return isDirectory(model) ? await modelIdentity(model) : null;
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function numbersOf(
  { train, rollout, seed }: Config,
  digests: readonly RolloutDigest[],
): TrainingNumbers {
  return {
    ...{ seed, steps: train.steps, promptsPerStep: train.prompts_per_step },
    ...{ groupSize: train.group_size, epochs: train.epochs },
    ...{ updatesPerEpoch: train.updates_per_epoch, lr: train.lr },
    ...{ warmupSteps: train.warmup_steps, schedule: train.schedule },
    ...{ weightDecay: train.weight_decay, betas: train.betas },
    ...{ clipLow: train.clip_low, clipHigh: train.clip_high, kl: train.kl },
    ...{ gradClip: train.grad_clip, loss: train.loss, advantage: train.advantage },
    ...{ temperature: rollout.temperature, topK: rollout.top_k, topP: rollout.top_p },
    ...{ minP: rollout.min_p, maxTokens: rollout.max_tokens },
    maxPromptTokens: roomFor(digests),
  };
}

/** The longest prompt that was sampled and a quarter more, in blocks of 64 tokens; 1,024 where none was. */
function roomFor(digests: readonly RolloutDigest[]): number {
  const longest = digests.reduce((most, { promptLength }) => Math.max(most, promptLength), 0);
  return longest === 0 ? 1024 : 64 * Math.ceil((1.25 * longest) / 64);
}

function textOf({ path, written, removed, kept, manifest }: Written): string {
  const { counts, changes, notes, entrypoint } = manifest;
  const labels = counts.labels;
  const lines = [
    `${counted(counts.train, 'prompt')} to train on: ${labels.verified ?? 0} with a label, ${(labels.majority ?? 0) + (labels.group ?? 0)} by vote; ${counted(counts.val, 'prompt')} held out.`,
    ...leftText(counts.left_out),
    ...notes,
    written.length + removed.length === 0
      ? `${path} is up to date: nothing was written.`
      : `${counted(written.length, 'file')} written to ${path}.`,
  ];
  if (written.length > 0 && changes !== null) {
    const { added, changed, removed: gone } = changes;
    lines.push(
      `Since the last export: ${added.length} prompts added, ${changed.length} changed, ${gone.length} removed.`,
    );
  }
  if (kept.length > 0) {
    lines.push(
      `Left as you have changed them: ${kept.join(', ')}. Where ours is another now, it is beside them as NAME.new.`,
    );
  }
  if (entrypoint !== null)
    lines.push(`Next: look at ${join(path, 'README.md')}, then ${entrypoint} there.`);
  return lines.join('\n');
}

function leftText(left: Partial<Record<Reason, number>>): string[] {
  const parts = reasons.flatMap((reason) => {
    const count = left[reason] ?? 0;
    return count === 0 ? [] : [`${count} ${reasonTexts[reason]}`];
  });
  return parts.length === 0 ? [] : [`Left out: ${parts.join('; ')}.`];
}

function dataOf({ path, written, removed, kept, manifest }: Written): Record<string, unknown> {
  return { folder: path, written, removed, kept, manifest };
}
