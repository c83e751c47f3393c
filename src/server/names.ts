/** Names of users: what may be one, and which two people would take for the same. */
import { Refusal } from './types.ts';

/** Sources of labels that are no person. */
const taken = new Set(['file', 'people', 'teacher', 'simulated', 'gold']);

/**
 * The name as it is kept: Unicode NFC, single spaces. Refusal (400) where it holds characters that cannot be seen or
 * that turn text around, has no letter or digit, or means something else already.
 */
export function nameOf(text: string): string {
  const name = text.normalize('NFC').trim().replace(/\s+/gu, ' ');
  if (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new Refusal(400, 'A name is made of characters that can be seen. Choose another one.');
  }
  if (!/[\p{L}\p{N}]/u.test(name)) {
    throw new Refusal(400, 'A name has a letter or a digit in it. Choose another one.');
  }
  if (taken.has(nameKey(name))) {
    throw new Refusal(
      400,
      `The name "${name}" marks labels that no person gave. Choose another one.`,
    );
  }
  return name;
}

/** Equal for names that differ in letter case or in compatible forms of characters only. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase();
}
