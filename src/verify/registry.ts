// The verifiers by name. Knows nothing of configuration files or of which prompt takes which verifier.
import { UserError } from '../core/errors.ts';
import { lastLetter, lastLine, lastNumber } from './extract.ts';
import { readAny, readChoice, readNumber, readText } from './readings.ts';
import type { Verifier, VerifierSettings } from './types.ts';
import { KeyedVerifier, type Kind } from './verifier.ts';

/** The names that `verifierFor` knows. */
export const verifierNames = ['auto', 'number', 'choice', 'text'] as const;

export type VerifierName = (typeof verifierNames)[number];

/** `caseMatters` is for `text` alone. */
export interface NamedVerifierSettings extends VerifierSettings {
  caseMatters?: boolean;
}

/**
 * The verifier called `name`.
 *
 * - `auto`: reads each answer by its form (number, lone letter, list of numbers, else text);
 * - `number`: numbers only, "1 000" is one thousand;
 * - `choice`: one letter, "B. the cat" is B;
 * - `text`: text in normal form; lists of numbers by value and order.
 *
 * UserError for any other name.
 */
export function verifierFor(name: string, settings: NamedVerifierSettings = {}): Verifier {
  const { caseMatters = false, ...bounds } = settings;
  const kind = kindOf(name, caseMatters);
  if (kind === undefined) {
    throw new UserError({
      wanted: `a verifier (${verifierNames.join(', ')})`,
      found: JSON.stringify(name),
      where: 'verifier',
    });
  }
  return new KeyedVerifier(kind, bounds);
}

function kindOf(name: string, caseMatters: boolean): Kind | undefined {
  switch (name) {
    case 'auto':
      return { name, read: readAny, lastResort: lastNumber };
    case 'number':
      return { name, read: readNumber, lastResort: lastNumber };
    case 'choice':
      return { name, read: readChoice, lastResort: lastLetter };
    case 'text':
      return { name, read: (answer) => readText(answer, caseMatters), lastResort: lastLine };
    default:
      return undefined;
  }
}
