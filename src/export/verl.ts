// The folder for verl: Parquet as its RLHFDataset reads it, a reward function, settings for Hydra and a launch script.
import { messageFields, messagesOf, originFields, originOf, wellFormed } from './columns.ts';
import { type Field, parquetBytes } from './parquet.ts';
import { commonModules, pythonModules } from './python.ts';
import { scriptHead } from './script.ts';
import type { Bundle, ExportRow, FileSet, TrainingNumbers } from './types.ts';

/**
 * Not a name that verl rewards by itself: where its configuration misses our reward function, its own one refuses the
 * first row instead of rewarding by other rules.
 */
const dataSource = 'pivottrace';

const fields: readonly Field[] = [
  { name: 'data_source', type: 'text' },
  { name: 'prompt', list: messageFields },
  { name: 'ability', type: 'text' },
  {
    name: 'reward_model',
    struct: [
      { name: 'style', type: 'text' },
      { name: 'ground_truth', type: 'text' },
    ],
  },
  {
    name: 'extra_info',
    struct: [{ name: 'split', type: 'text' }, { name: 'index', type: 'int64' }, ...originFields],
  },
];

function rowOf(row: ExportRow, split: string): Record<string, unknown> {
  return {
    data_source: dataSource,
    prompt: messagesOf(row),
    ability: 'reasoning',
    reward_model: { style: 'rule', ground_truth: wellFormed(row.answer ?? '') },
    extra_info: { split, index: BigInt(row.index), ...originOf(row) },
  };
}

/** The files of the folder. */
export function verlFiles({ rows, held, numbers, model, votes }: Bundle): FileSet {
  const files = pythonModules([...commonModules, 'verl/reward.py', 'verl/group_majority.py']);
  const bytes = (part: readonly ExportRow[], split: string) =>
    parquetBytes(
      fields,
      part.map((row) => rowOf(row, split)),
    );
  files.set('train.parquet', bytes(rows, 'train'));
  if (held.length > 0) files.set('val.parquet', bytes(held, 'val'));
  files.set('config.yaml', verlConfig(numbers, rows.length));
  return files.set('launch.sh', verlScript(model, votes, held.length > 0));
}

/** Settings on top of verl's own ppo_trainer; every key is one that verl 0.7.0 to 0.9.1 has. */
function verlConfig(n: TrainingNumbers, rows: number): string {
  const batch = Math.max(1, Math.min(n.promptsPerStep, rows));
  const mini = Math.max(1, Math.floor(batch / n.updatesPerEpoch));
  return `# Settings for verl, on top of its own. Paths and the reward function are in launch.sh.
hydra:
  searchpath:
    - pkg://verl.trainer.config
defaults:
  - ppo_trainer
  - _self_

data:
  train_batch_size: ${batch}
  max_prompt_length: ${n.maxPromptTokens}
  max_response_length: ${n.maxTokens}
  filter_overlong_prompts: true
  shuffle: true
  seed: ${n.seed}

algorithm:
  adv_estimator: grpo
  norm_adv_by_std_in_grpo: ${n.advantage === 'std'}
  use_kl_in_reward: false

actor_rollout_ref:
  model:
    use_remove_padding: true
    enable_gradient_checkpointing: true
  actor:
    ppo_mini_batch_size: ${mini}
    ppo_epochs: ${n.epochs}
    use_dynamic_bsz: true
    ppo_max_token_len_per_gpu: 16384
    clip_ratio: ${n.clipLow}
    clip_ratio_low: ${n.clipLow}
    clip_ratio_high: ${n.clipHigh}
    loss_agg_mode: ${n.loss === 'token' ? 'token-mean' : 'seq-mean-token-mean'}
    entropy_coeff: 0
    use_kl_loss: ${n.kl > 0}
    kl_loss_coef: ${n.kl}
    kl_loss_type: low_var_kl
    grad_clip: ${n.gradClip}
    optim:
      lr: ${yamlNumber(n.lr)}
      lr_warmup_steps: ${n.warmupSteps}
      lr_scheduler_type: ${n.schedule}
      weight_decay: ${yamlNumber(n.weightDecay)}
      betas: [${n.betas.join(', ')}]
  rollout:
    name: vllm
    n: ${n.groupSize}
    temperature: ${n.temperature}
    top_k: ${n.topK === 0 ? -1 : n.topK}
    top_p: ${n.topP}
    tensor_model_parallel_size: 1
    gpu_memory_utilization: 0.6
    log_prob_use_dynamic_bsz: true
  ref:
    log_prob_use_dynamic_bsz: true

trainer:
  project_name: pivottrace
  experiment_name: verl
  logger: [console]
  total_epochs: ${Math.max(1, Math.ceil((n.steps * batch) / Math.max(1, rows)))}
  total_training_steps: ${n.steps}
  save_freq: 20
  test_freq: 10
`;
}

/** YAML 1.1 takes "1e-7" for a text: it wants a point and a sign. */
function yamlNumber(value: number): string {
  const text = String(value);
  return /e/.test(text) && !text.includes('.') ? text.replace('e', '.0e') : text;
}

/** No prompt, answer or id is in it: only the model's name and switches. */
function verlScript(model: string, votes: Bundle['votes'], hasHeld: boolean): string {
  return `${scriptHead('Trains with verl (0.7.0 to 0.9.1) on what pivottrace put into this folder.', model)}
GPUS="\${GPUS:-8}"    # per node
NODES="\${NODES:-1}"
PYTHON="\${PYTHON:-python3}"
# frozen: prompts without a label are rewarded by the majority at export; live: by that of their own group (group_majority.py).
VOTES="\${VOTES:-${votes}}"

case "$HERE$MODEL" in
  *[\\'\\"\\\\\\$]*)
    echo "verl's command line cannot carry quotes, dollar signs and backslashes in the path of the folder or the model." >&2
    exit 1 ;;
esac

# verl has moved the key of the reward function. Since 0.9 a function under the old key is ignored without a word, and
# before 0.7.1 the new one does not exist.
VERL="$("$PYTHON" -c 'from importlib.metadata import version; print(version("verl"))')"
case "$VERL" in
  0.[0-6] | 0.[0-6].* | 0.7.0*) OLD=1 REWARD=custom_reward_function ;;
  *) OLD=0 REWARD=reward.custom_reward_function ;;
esac

ARGS=(
  "data.train_files='$HERE/train.parquet'"
${
  hasHeld
    ? `  "data.val_files='$HERE/val.parquet'"`
    : `  # No held-out prompts were exported (eval.file): nothing is validated.
  "data.val_files='$HERE/train.parquet'" trainer.val_before_train=false trainer.test_freq=-1`
}
  "actor_rollout_ref.model.path='$MODEL'"
  "$REWARD.path='$HERE/reward.py'" "$REWARD.name=compute_score"
  "trainer.default_local_dir='$HERE/checkpoints'"
  "trainer.nnodes=$NODES" "trainer.n_gpus_per_node=$GPUS"
)
case "$VOTES" in
  frozen) ;;
  live)
    MODULE="'$HERE/group_majority.py'"
    if [ "$OLD" = 1 ]; then
      ARGS+=(reward_manager.source=importlib reward_manager.name=GroupMajorityBatch
        "reward_manager.module.path=$MODULE" reward_model.use_reward_loop=false)
    else
      ARGS+=(reward.reward_manager.source=importlib reward.reward_manager.name=GroupMajority
        "reward.reward_manager.module.path=$MODULE" reward.num_workers=1)
    fi ;;
  *) echo "VOTES is frozen or live, not $VOTES" >&2; exit 1 ;;
esac

if [ -n "\${DRY_RUN:-}" ]; then printf '%s\\n' "\${ARGS[@]}" "$@"; exit 0; fi
exec "$PYTHON" -m verl.trainer.main_ppo --config-path="$HERE" --config-name=config "\${ARGS[@]}" "$@"
`;
}
