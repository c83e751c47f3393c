// When two prompts are the same, and what a prompt is called that came without an id. Knows nothing of files.
import { createHash } from 'node:crypto';
import type { Prompt } from './types.ts';

/**
 * The content in normal form: Unicode NFC, runs of white space as one space, none at the ends. Letter case counts.
 * A string is the same as one user message with that text, for that is how a chat template shows it to a model.
 */
export function normalContent(prompt: Prompt['prompt']): string {
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  return JSON.stringify(messages.map(({ role, content }) => [role, normalSpace(content)]));
}

/** Hex SHA-256 of the normal content; its first 24 digits are the id of a prompt that has none. */
export function contentHash(prompt: Prompt['prompt']): string {
  return createHash('sha256').update(normalContent(prompt)).digest('hex');
}

/** Unicode NFC, runs of white space as one space, none at the ends. */
export function normalSpace(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}
