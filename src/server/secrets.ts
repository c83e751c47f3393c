/**
 * Tokens that open something, and what is kept of them.
 *
 * A token has 256 random bits, so its plain hash may be stored: nobody guesses it, and a stolen database opens nothing.
 * Knows nothing of passwords.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new token: 43 characters that can stand in a URL and in a cookie. */
export function freshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Looks like one of our tokens? Anything else need not be looked up. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** What is stored in place of a token: SHA-256, hex. */
export function keyOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The CSRF token that belongs to a session's token: derived, so that it is stored nowhere. */
export function csrfOf(token: string): string {
  return createHmac('sha256', token).update('pivottrace csrf').digest('base64url');
}

/** Are two secrets the same? Takes the same time wherever they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
