/** Settings of the Ray cluster that `trace --engine ray` and `train --engine verl` send jobs to. */
import { z } from 'zod';
import { count, number } from './keys.ts';

export const ray = z
  .strictObject({
    address: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Address of its dashboard, such as http://head:8265; null = RAY_API_SERVER_ADDRESS or RAY_ADDRESS',
      ),
    workers: count(2, 1, 'Workers of a trace, each with a copy of the model'),
    cpus_per_worker: number(1, 0, 'Cores that a worker takes'),
    gpus_per_worker: number(0, 0, 'GPUs that a worker takes; 0 = it computes on the CPU'),
    dtype: z
      .enum(['auto', 'float32', 'bfloat16', 'float16'])
      .default('auto')
      .describe(
        'Numbers that workers compute in; auto = those of the checkpoint on a GPU, float32 on a CPU',
      ),
    chunk: count(16, 1, 'Prompts per chunk: what is made again where a worker is lost'),
    python: z
      .string()
      .regex(/^\P{Cc}+$/u)
      .default('python3')
      .describe('Python on the cluster, with torch, transformers and pyarrow'),
    patience_seconds: number(300, 0, 'How long a cluster that does not answer is waited for'),
  })
  .prefault({})
  .describe('The Ray cluster');
