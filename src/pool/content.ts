// When two prompts are the same, and what a prompt is called that came without an id. Knows nothing of files.
import { createHash } from 'node:crypto';
import type { Content, PoolPrompt, Prompt } from './types.ts';

/**
 * The content in normal form: Unicode NFC, runs of white space as one space, none at the ends. Letter case counts, and
 * so does every byte of an image. A string is the same as one user message with that text, for that is how a chat
 * template shows it to a model.
 */
export function normalContent(prompt: PoolPrompt['prompt']): string {
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  return JSON.stringify(messages.map(({ role, content }) => [role, normalParts(content)]));
}

function normalParts(content: Content): string | string[][] {
  if (typeof content === 'string') return normalSpace(content);
  return content.map((part) =>
    part.type === 'text' ? [part.type, normalSpace(part.text)] : [part.type, part.image_url.url],
  );
}

/** Does the prompt hold text alone? */
export function isText(prompt: PoolPrompt): prompt is Prompt {
  return (
    typeof prompt.prompt === 'string' ||
    prompt.prompt.every(({ content }) => typeof content === 'string')
  );
}

/** The text of a turn, for places that show no images: each stands as `[image]`, one elsewhere with its address. */
export function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  const shown = content.map((part) => {
    if (part.type === 'text') return part.text;
    const { url } = part.image_url;
    return url.startsWith('data:') ? '[image]' : `[image: ${url}]`;
  });
  return shown.join('\n');
}

/** Hex SHA-256 of the normal content; its first 24 digits are the id of a prompt that has none. */
export function contentHash(prompt: PoolPrompt['prompt']): string {
  return createHash('sha256').update(normalContent(prompt)).digest('hex');
}

/** Unicode NFC, runs of white space as one space, none at the ends. */
export function normalSpace(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}
