/** Sorts the words after a verb into the configuration file, overrides and operands. */
import { UserError } from '../core/errors.ts';

export interface Arguments {
  configFile: string | undefined;
  overrides: string[];
  operands: string[];
}

/** `key.path=value`: no slash before the equals sign, so that `./a=b.jsonl` stays a file. */
const override = /^[A-Za-z_][\w.-]*=/;
/** The same where other arguments may be equations: at least one dot, as in `verify.kind=math`. */
const dottedOverride = /^[a-z_]+(?:\.[a-z_]+)+=/;
const yamlFile = /\.ya?ml$/;

/**
 * Throws UserError for a second configuration file, and for any other word where the verb takes no operand.
 * `configFile` is the value of --config, if given. `literal`: the operands are texts.
 */
export function sortArguments(
  words: readonly string[],
  operand: string | undefined,
  configFile: string | undefined,
  literal = false,
): Arguments {
  const sorted: Arguments = { configFile, overrides: [], operands: [] };
  for (const word of words) {
    if ((literal ? dottedOverride : override).test(word)) sorted.overrides.push(word);
    else if (yamlFile.test(word)) {
      if (sorted.configFile !== undefined) {
        throw new UserError({
          wanted: 'one configuration file',
          found: `"${sorted.configFile}" and "${word}"`,
        });
      }
      sorted.configFile = word;
    } else if (operand !== undefined) sorted.operands.push(word);
    else {
      throw new UserError({
        wanted: 'config.yaml or key.path=value',
        found: `"${word}"`,
        fix: 'A configuration file ends in .yaml or .yml.',
      });
    }
  }
  return sorted;
}
