/**
 * Prompts as the page shows them: messages of text and images.
 *
 * Prompts come from anywhere, so only images that hold their own bytes are passed on, of kinds that run nothing: an SVG
 * may hold a script, and an address elsewhere would tell its owner who looks. Knows nothing of Markdown.
 */
import { z } from 'zod';
import type { WireMessage } from './wire.ts';

/** Longest data: URL of an image, in characters: about 3 MB of image. */
const longestImage = 4_000_000;
const image = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/;

const partSchema = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image_url'),
    image_url: z.union([z.string(), z.object({ url: z.string() })]),
  }),
]);
const messagesSchema = z.array(
  z.object({ role: z.string(), content: z.union([z.string(), z.array(z.unknown())]) }),
);

/** The messages of a prompt, which is a text or a list of messages whose content is a text or a list of parts. */
export function messagesOf(prompt: unknown): WireMessage[] {
  if (typeof prompt === 'string') return [{ role: 'user', parts: [textPart(prompt)] }];
  return messagesSchema.parse(prompt).map(({ role, content }) => ({
    role,
    parts: typeof content === 'string' ? [textPart(content)] : content.map(partOf),
  }));
}

type Part = WireMessage['parts'][number];

function textPart(text: string): Part {
  return { type: 'text', text };
}

/** A part of an unknown kind shows as an image that cannot be shown: people should know that something is missing. */
function partOf(value: unknown): Part {
  const parsed = partSchema.safeParse(value);
  if (!parsed.success) return { type: 'image', url: null };
  if (parsed.data.type === 'text') return textPart(parsed.data.text);
  const given = parsed.data.image_url;
  const url = typeof given === 'string' ? given : given.url;
  return { type: 'image', url: url.length <= longestImage && image.test(url) ? url : null };
}
