/**
 * One question to the model behind an endpoint, and what may come back: a text, a refusal, trouble that passes, or
 * trouble that does not. Knows nothing of prompts, labels, prices or of when to try again.
 */
import { z } from 'zod';
import { type EndpointAddress, jsonOf, Passing, poster } from '../endpoint/http.ts';

export interface EndpointSettings extends Omit<EndpointAddress, 'group'> {
  model: string;
  temperature: number;
  /** Longest answer, in tokens. */
  maxTokens: number;
}

export interface ChatMessage {
  role: string;
  /** Text, or a list of parts (text, image_url) as OpenAI spells them. */
  content: string | readonly object[];
}

/** `text` null: the model gave no whole answer, for the `reason` given. */
export interface Reply {
  text: string | null;
  reason: string;
}

/** Bytes of a response that are read; more is not an answer. */
const MOST_BYTES = 4 * 2 ** 20;

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
        }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

export type Ask = (messages: readonly ChatMessage[], stop: AbortSignal) => Promise<Reply>;

/**
 * A way to ask the endpoint. A call throws Passing for trouble that may pass, UserError where no call can succeed (a
 * wrong key, model or address), and the reason of `stop` when that is aborted. UserError for an address that is none.
 */
export function endpoint({ model, temperature, maxTokens, ...address }: EndpointSettings): Ask {
  const { post, show } = poster({ ...address, group: 'teacher' }, '/chat/completions', MOST_BYTES);
  return async (messages, stop) => {
    const posted = await post({ model, messages, temperature, max_tokens: maxTokens }, stop);
    return 'refused' in posted
      ? { text: null, reason: posted.refused }
      : replyOf(posted.body, show);
  };
}

function replyOf(body: string, show: (text: string) => string): Reply {
  const parsed = completionSchema.safeParse(jsonOf(body));
  if (!parsed.success) throw new Passing(`no chat completion, but ${show(body) || 'nothing'}`);
  const [{ message, finish_reason: finish }] = parsed.data.choices;
  if (typeof message.refusal === 'string' && message.refusal !== '')
    return { text: null, reason: `the model refuses: ${show(message.refusal)}` };
  if (finish === 'length') return { text: null, reason: 'the answer was cut off (max_tokens)' };
  if (finish === 'content_filter') return { text: null, reason: 'the content filter' };
  if (typeof message.content !== 'string' || message.content.trim() === '')
    return { text: null, reason: 'an empty answer' };
  return { text: message.content, reason: '' };
}
