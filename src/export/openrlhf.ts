// The folder for OpenRLHF: rows with an input and a label, a reward function, and a launch script for train_ppo_ray.
import { jsonText, messageFields, messagesOf, wellFormed } from './columns.ts';
import { type Field, parquetBytes } from './parquet.ts';
import { commonModules, pythonModules } from './python.ts';
import { scriptHead } from './script.ts';
import type { Bundle, ExportRow, FileSet, TrainingNumbers } from './types.ts';

/** The files of the folder. */
export function openrlhfFiles({ rows, held, numbers, model, chat }: Bundle): FileSet {
  const files = pythonModules([...commonModules, 'openrlhf/reward.py']);
  files.set('train.parquet', bytesOf(rows, chat));
  if (held.length > 0) files.set('val.parquet', bytesOf(held, chat));
  return files.set('launch.sh', openrlhfScript(model, numbers, rows.length, held.length > 0, chat));
}

function bytesOf(rows: readonly ExportRow[], chat: Bundle['chat']): Uint8Array {
  const input: Field =
    chat === 'text' ? { name: 'input', type: 'text' } : { name: 'input', list: messageFields };
  const label: Field = { name: 'label', type: 'text' };
  return parquetBytes(
    [input, label, { name: 'datasource', type: 'text' }],
    rows.map((row) => ({
      input:
        typeof row.prompt === 'string' && chat === 'text'
          ? wellFormed(row.prompt)
          : messagesOf(row),
      label: labelOf(row),
      datasource: 'pivottrace',
    })),
  );
}

/** The reward function is given nothing but the label: all that it needs is in there, as JSON. */
function labelOf({ id, source, route, label, answer, weight }: ExportRow): string {
  return jsonText({ id, source, route, label, answer, weight });
}

function openrlhfScript(
  model: string,
  n: TrainingNumbers,
  rows: number,
  hasHeld: boolean,
  chat: Bundle['chat'],
): string {
  const batch = Math.max(1, Math.min(n.promptsPerStep, rows));
  const responses = batch * n.groupSize;
  const warmup = Math.min(1, n.warmupSteps / n.steps);
  const schedule = n.schedule === 'constant' ? 'constant_with_warmup' : n.schedule;
  const kl = n.kl > 0 ? '--algo.kl.use_loss --algo.kl.estimator k3' : '--algo.kl.estimator k1';
  return `${scriptHead('Trains with OpenRLHF 0.11 (train_ppo_ray) on what pivottrace put into this folder.', model)}
GPUS="\${GPUS:-8}"    # per node
NODES="\${NODES:-1}"
PYTHON="\${PYTHON:-python3}"

case "$HERE" in
  *[,@]*)
    echo "OpenRLHF takes commas and @ in a path for lists: move this folder." >&2
    exit 1 ;;
esac

ARGS=(
  --actor.model_name_or_path "$MODEL"
  --data.prompt_dataset "$HERE/train.parquet" --data.input_key input --data.label_key label
${chat === 'messages' ? '  --data.apply_chat_template\n' : ''}${hasHeld ? '  --eval.dataset "$HERE/val.parquet" --eval.steps 10\n' : ''}  --reward.remote_url "$HERE/reward.py"
  --rollout.batch_size ${batch} --rollout.n_samples_per_prompt ${n.groupSize}
  --rollout.temperature ${n.temperature} --rollout.top_p ${n.topP} --rollout.max_new_tokens ${n.maxTokens}
  --data.max_len ${n.maxPromptTokens + n.maxTokens}
  --train.batch_size ${Math.max(1, Math.floor(responses / n.updatesPerEpoch))} --train.micro_batch_size 1
  --train.max_epochs ${n.epochs} --train.num_episodes ${Math.max(1, Math.ceil((n.steps * batch) / Math.max(1, rows)))} --train.seed ${n.seed}
  --algo.advantage.estimator ${n.advantage === 'std' ? 'group_norm' : 'dr_grpo'}
  --algo.kl.init_coef ${n.kl} ${kl}
  --actor.eps_clip_low_high ${n.clipLow} ${n.clipHigh}
  --actor.loss_agg_mode ${n.loss === 'token' ? 'token-mean' : 'seq-mean-token-mean'}
  --actor.adam.lr ${n.lr} --actor.adam.betas ${n.betas.join(' ')} --actor.adam.weight_decay ${n.weightDecay}
  --actor.lr_scheduler ${schedule} --actor.lr_warmup_ratio ${warmup} --actor.max_norm ${n.gradClip}
  --actor.gradient_checkpointing_enable --ds.zero_stage 3
  --actor.num_nodes "$NODES" --actor.num_gpus_per_node "$GPUS"
  --ref.num_nodes "$NODES" --ref.num_gpus_per_node "$GPUS"
  --vllm.num_engines "$((NODES * GPUS))" --vllm.tensor_parallel_size 1 --vllm.gpu_memory_utilization 0.6
  --train.colocate_all --vllm.enable_sleep --ds.enable_sleep
  --ckpt.path "$HERE/checkpoints" --ckpt.output_dir "$HERE/final" --ckpt.save_steps 20
)

if [ -n "\${DRY_RUN:-}" ]; then printf '%s\\n' "\${ARGS[@]}" "$@"; exit 0; fi
exec "$PYTHON" -m openrlhf.cli.train_ppo_ray "\${ARGS[@]}" "$@"
`;
}
