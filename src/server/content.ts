/**
 * Prompts as the page shows them: messages of text and images.
 *
 * Prompts come from anywhere, so only images that hold their own bytes are passed on, of kinds that run nothing: an SVG
 * may hold a script, and an address elsewhere would tell its owner who looks. Knows nothing of Markdown.
 */
import { imageFault, isShownImage } from '../pool/images.ts';
import type { ContentPart, PoolPrompt } from '../pool/types.ts';
import type { WireMessage } from './wire.ts';

/** The messages of a prompt, which is a text or a list of messages whose content is a text or a list of parts. */
export function messagesOf(prompt: PoolPrompt['prompt']): WireMessage[] {
  if (typeof prompt === 'string') return [{ role: 'user', parts: [textPart(prompt)] }];
  return prompt.map(({ role, content }) => ({
    role,
    parts: typeof content === 'string' ? [textPart(content)] : content.map(partOf),
  }));
}

type Part = WireMessage['parts'][number];

function textPart(text: string): Part {
  return { type: 'text', text };
}

/** An image elsewhere is told by its address; one that the pool would not take shows as one that cannot be shown. */
function partOf(part: ContentPart): Part {
  if (part.type === 'text') return textPart(part.text);
  const { url } = part.image_url;
  if (isShownImage(url)) return { type: 'image', url, address: null };
  return { type: 'image', url: null, address: imageFault(url) === null ? url : null };
}
