// Texts for a shell script. Only settings, names and paths of the person who exports go there; prompts and answers never do.
import { UserError } from '../core/errors.ts';

/** `text` as one word of a POSIX shell, whatever is in it. UserError for control characters, which no path needs. */
export function shellWord(text: string, where: string): string {
  if (/\p{Cc}/u.test(text)) {
    throw new UserError({
      wanted: 'a name or path without control characters',
      found: JSON.stringify(text),
      where,
    });
  }
  return `'${text.replaceAll("'", "'\\''")}'`;
}
