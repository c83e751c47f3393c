/** Settings of the teacher: a model behind an OpenAI-compatible endpoint that gives labels. */
import { z } from 'zod';
import {
  budgetKey,
  callKeys,
  count,
  flag,
  nameKey,
  number,
  optionalText,
  secretKey,
} from './keys.ts';

export const teacher = z
  .strictObject({
    url: optionalText(
      'Address of the endpoint, such as https://host/v1; called only where label.source is teacher',
    ),
    model: optionalText('Name of the model at the endpoint'),
    name: nameKey('teacher', 'Name that its labels carry'),
    key_env: secretKey,
    price: number(0, 0, 'Price of one answer, in any unit'),
    budget: budgetKey('What it may cost an account in all, in units of the price; null = no limit'),
    samples: count(1, 1, 'Answers per question; more than half of them must agree'),
    temperature: number(0, 0, 'Sampling temperature'),
    max_tokens: count(4096, 1, 'Longest answer, in tokens'),
    instruction: z
      .string()
      .default('Put your final answer in \\boxed{}.')
      .describe('What is said after the question'),
    images: flag(false, 'Whether it can see images; prompts that hold some are not sent otherwise'),
    ...callKeys({ concurrency: 4, timeoutSeconds: 120 }),
  })
  .prefault({})
  .describe('The teacher');
