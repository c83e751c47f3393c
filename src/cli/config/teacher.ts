/** Settings of the teacher: a model behind an OpenAI-compatible endpoint that gives labels. */
import { z } from 'zod';
import { count, flag, nameKey, number } from './keys.ts';

export const teacher = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Address of the endpoint, such as https://host/v1; called only where label.source is teacher',
      ),
    model: z.string().min(1).nullable().default(null).describe('Name of the model at the endpoint'),
    name: nameKey('teacher', 'Name that its labels carry'),
    key_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .nullable()
      .default(null)
      .describe('Environment variable that holds the key; null = no key'),
    price: number(0, 0, 'Price of one answer, in any unit'),
    budget: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe('What it may cost an account in all, in units of the price; null = no limit'),
    samples: count(1, 1, 'Answers per question; more than half of them must agree'),
    temperature: number(0, 0, 'Sampling temperature'),
    max_tokens: count(4096, 1, 'Longest answer, in tokens'),
    instruction: z
      .string()
      .default('Put your final answer in \\boxed{}.')
      .describe('What is said after the question'),
    images: flag(false, 'Whether it can see images; prompts that hold some are not sent otherwise'),
    requests_per_minute: count(0, 0, 'Calls per minute at most; 0 = no limit'),
    concurrency: count(4, 1, 'Calls at once at most'),
    retries: count(5, 0, 'How often a call that fails is made again'),
    timeout_seconds: number(120, 1, 'A call that takes longer has failed'),
  })
  .prefault({})
  .describe('The teacher');
