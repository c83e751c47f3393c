/** Settings of an endpoint that generates responses: `trace --engine endpoint`. */
import { z } from 'zod';
import { budgetKey, callKeys, count, number, optionalText, secretKey } from './keys.ts';

export const endpoint = z
  .strictObject({
    url: optionalText(
      'Address of an OpenAI-compatible endpoint, such as http://host:8000/v1; called only by trace --engine endpoint and for probes of what it traced',
    ),
    model: optionalText('Name of the model at the endpoint'),
    api: z
      .enum(['chat', 'completions'])
      .default('chat')
      .describe(
        'chat = messages, which the endpoint puts into its chat template; completions = the text of the prompt as it is',
      ),
    key_env: secretKey,
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
    budget: budgetKey('What it may cost in all, in units of the prices; null = no limit'),
    ...callKeys({ concurrency: 16, timeoutSeconds: 1800 }),
  })
  .prefault({})
  .describe('An endpoint that generates responses');
