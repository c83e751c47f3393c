// A pattern as the gold answer: the whole answer must match it.
import { UserError } from '../../core/errors.ts';
import type { Kind } from '../types.ts';
import { unwrapped } from './plain.ts';
import { keyed, right, undecided, wrong } from './verdicts.ts';

export interface RegexSettings {
  /** Of JavaScript's flags `i` (case does not matter), `s` (dot is any character), `u`, `v`. Default none. */
  flags?: string;
}

/**
 * The one kind that is not symmetric: gold is a JavaScript regular expression and the answer is text, which matches as it
 * stands (blanks around it left out) or without what is wrapped around it (`$`, Markdown, `\text{}`). A pattern that does
 * not compile is `undecided`, rung `gold`. Readings are those of text, one bucket each, so that a group of answers is
 * never used as patterns. Time is bounded by the worker's deadline alone: a gold pattern with nested quantifiers can be
 * driven to it by an answer. UserError for other flags.
 */
export function regexKind({ flags = '' }: RegexSettings = {}): Kind {
  if (!/^(?!.*(.).*\1)[isuv]{0,4}$/.test(flags) || (flags.includes('u') && flags.includes('v'))) {
    throw new UserError({
      wanted: 'flags out of i, s and one of u and v, each once',
      found: JSON.stringify(flags),
      where: 'verify.flags',
    });
  }
  return {
    name: 'regex',
    seek: 'line',
    read(answer) {
      const text = answer.trim();
      return text === '' ? null : keyed('text', text, text);
    },
    compare(gold, answer) {
      const pattern = wholePattern(gold.trim(), flags);
      if (typeof pattern === 'string') return undecided('gold', pattern);
      return pattern.test(answer.trim()) || pattern.test(unwrapped(answer))
        ? right('regex', 'the answer matches the pattern')
        : wrong('regex', 'the answer does not match the pattern');
    },
  };
}

/** What is wrong with the pattern, where something is. */
function wholePattern(source: string, flags: string): RegExp | string {
  if (source === '') return 'the pattern is empty';
  try {
    // Alone first: "a)|(?:b" compiles only inside the group.
    new RegExp(source, flags);
    return new RegExp(`^(?:${source})$`, flags);
  } catch (error) {
    return `the pattern cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}
