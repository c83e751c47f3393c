/** Settings of an endpoint that generates responses: `trace --engine endpoint`. */
import { z } from 'zod';
import { count, number } from './keys.ts';

export const endpoint = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Address of an OpenAI-compatible endpoint, such as http://host:8000/v1; called only by trace --engine endpoint and for probes of what it traced',
      ),
    model: z.string().min(1).nullable().default(null).describe('Name of the model at the endpoint'),
    api: z
      .enum(['chat', 'completions'])
      .default('chat')
      .describe(
        'chat = messages, which the endpoint puts into its chat template; completions = the text of the prompt as it is',
      ),
    key_env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .nullable()
      .default(null)
      .describe('Environment variable that holds the key; null = no key'),
    top_logprobs: z
      .int()
      .min(0)
      .max(100)
      .default(20)
      .describe(
        'Most likely tokens that are asked for where trace.weights is false: entropies are bounded by them',
      ),
    samples_per_call: count(0, 0, 'Responses asked for in one call; 0 = all of a prompt'),
    extra: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('Further keys of every request, such as {top_k: 20}; null takes one out'),
    price_in: number(0, 0, 'Price of a million prompt tokens, in any unit'),
    price_out: number(0, 0, 'Price of a million generated tokens'),
    budget: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe('What it may cost in all, in units of the prices; null = no limit'),
    requests_per_minute: count(0, 0, 'Calls per minute at most; 0 = no limit'),
    concurrency: count(16, 1, 'Calls at once at most'),
    retries: count(5, 0, 'How often a call that fails is made again'),
    timeout_seconds: number(1800, 1, 'A call that takes longer has failed'),
  })
  .prefault({})
  .describe('An endpoint that generates responses');
