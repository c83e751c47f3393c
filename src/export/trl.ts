// The folder for TRL: Parquet with a prompt and columns, reward functions, and a script around GRPOTrainer.
import { messageFields, messagesOf, originFields, originOf, wellFormed } from './columns.ts';
import { type Field, parquetBytes } from './parquet.ts';
import { commonModules, pythonModules } from './python.ts';
import { scriptHead } from './script.ts';
import type { Bundle, ExportRow, FileSet, TrainingNumbers } from './types.ts';

/** The files of the folder. */
export function trlFiles({ rows, held, numbers, model, votes, chat }: Bundle): FileSet {
  const files = pythonModules([...commonModules, 'trl/reward.py', 'trl/train_grpo.py']);
  files.set('train.parquet', bytesOf(rows, chat));
  if (held.length > 0) files.set('val.parquet', bytesOf(held, chat));
  const config = { votes, prompts_per_step: numbers.promptsPerStep, ...trlConfig(numbers) };
  files.set('config.json', `${JSON.stringify(config, null, 2)}\n`);
  return files.set('launch.sh', trlScript(model));
}

/**
 * A text alone can only be a column of texts where all prompts are: `chat` is `text` only then. No column is called as an
 * argument that TRL passes itself.
 */
function bytesOf(rows: readonly ExportRow[], chat: Bundle['chat']): Uint8Array {
  const prompt: Field =
    chat === 'text' ? { name: 'prompt', type: 'text' } : { name: 'prompt', list: messageFields };
  const fields: Field[] = [prompt, { name: 'answer', type: 'text', optional: true }];
  return parquetBytes(
    [...fields, ...originFields],
    rows.map((row) => ({
      prompt:
        typeof row.prompt === 'string' && chat === 'text'
          ? wellFormed(row.prompt)
          : messagesOf(row),
      answer: row.answer === null ? null : wellFormed(row.answer),
      ...originOf(row),
    })),
  );
}

/** What train_grpo.py gives to GRPOConfig, and how it makes batches. */
function trlConfig(n: TrainingNumbers): Record<string, unknown> {
  const schedule = n.schedule === 'constant' ? 'constant_with_warmup' : n.schedule;
  return {
    updates_per_generation: n.updatesPerEpoch,
    grpo: {
      max_steps: n.steps * n.updatesPerEpoch * n.epochs,
      num_generations: n.groupSize,
      num_iterations: n.epochs,
      max_completion_length: n.maxTokens,
      temperature: n.temperature,
      top_p: n.topP,
      top_k: n.topK,
      ...(n.minP > 0 ? { min_p: n.minP } : {}),
      learning_rate: n.lr,
      lr_scheduler_type: schedule,
      warmup_steps: n.warmupSteps,
      weight_decay: n.weightDecay,
      adam_beta1: n.betas[0],
      adam_beta2: n.betas[1],
      max_grad_norm: n.gradClip,
      beta: n.kl,
      epsilon: n.clipLow,
      epsilon_high: n.clipHigh,
      // Over all tokens of the step, or over responses of their token means.
      loss_type: n.loss === 'token' ? 'dapo' : 'grpo',
      scale_rewards: n.advantage === 'std' ? 'group' : 'none',
      seed: n.seed,
      logging_steps: 1,
      save_steps: 20,
      report_to: 'none',
    },
  };
}

function trlScript(model: string): string {
  return `${scriptHead('Trains with TRL 1.x (GRPOTrainer) on what pivottrace put into this folder.', model)}
GPUS="\${GPUS:-1}"
PYTHON="\${PYTHON:-python3}"

# Settings are in config.json; key=value behind the command overrides one, for example max_steps=2 use_cpu=true.
if [ "$GPUS" -gt 1 ]; then
  exec "$PYTHON" -m accelerate.commands.launch --num_processes "$GPUS" "$HERE/train_grpo.py" --model "$MODEL" "$@"
fi
exec "$PYTHON" "$HERE/train_grpo.py" --model "$MODEL" "$@"
`;
}
