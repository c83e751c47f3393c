// Multiple choice: one letter or several, in any dress, or the text of an option where the options are known.
import type { Kind, Reading, Verdict } from '../types.ts';
import { labelsOf, type Options, optionsOf } from './choice-options.ts';
import { type Chosen, readChosen } from './choice-reading.ts';
import { brief, right, undecided, wrong } from './verdicts.ts';

export interface ChoiceSettings {
  /** Label to text. Labels are letters as a rule; digits and Roman numerals where the options have them. */
  options?: Readonly<Record<string, string>> | null;
  /** Several options may be right together; their order does not matter then. Default false. */
  several?: boolean;
}

/**
 * "B", "(b)", "B. the cat", "\textbf{(B)}", "option B", "Answer: B" name B. "A, C", "A and C", "(A)(C)" name two, and so
 * does "AC" with `several`; without it the order counts. Partly right is wrong, and "A or C" is no answer to "A". Text
 * without a letter is the option that has this text; where no option has it, or none is known, it is `undecided` against
 * a letter. A letter with the text of another option is `undecided` too.
 */
export function choiceKind({ options = null, several = false }: ChoiceSettings = {}): Kind {
  const known = optionsOf(options);
  const chosen = (answer: string) => readChosen(answer, known, several);
  return {
    name: 'choice',
    seek: 'letter',
    read: (answer) => readingOf(chosen(answer)),
    compare: (gold, answer) => compareChosen(chosen(gold), chosen(answer), known),
  };
}

/** One bucket: a letter and a text may be the same option. */
function readingOf(chosen: Chosen | null): Reading | null {
  if (chosen === null || chosen.conflict) return null;
  const { labels, text } = chosen;
  const letters = labels?.join(chosen.hedged ? ' or ' : ', ');
  const key = letters === undefined ? `text:${text}` : `choice:${letters}`;
  return { key, bucket: 'choice', kind: 'choice', shown: brief(letters ?? text) };
}

function compareChosen(a: Chosen | null, b: Chosen | null, options: Options): Verdict {
  if (a === null && b === null) return undecided('unreadable', 'both answers are empty');
  if (a === null || b === null) return wrong('unreadable', 'only one answer names a choice');
  if (a.conflict || b.conflict) {
    return undecided('letter', 'the letter and the text behind it are of different options');
  }
  if (a.labels !== undefined && b.labels !== undefined) return byLabels(a, b);
  if (a.text !== '' && a.text === b.text) return right('option', 'the text of the same option');
  if (a.labels === undefined && b.labels === undefined) return wrong('option', 'another text');
  return byText(a, b, options);
}

function byLabels(a: Chosen, b: Chosen): Verdict {
  const [x, y] = [labelsOf(a.labels), labelsOf(b.labels)];
  if (x === y && a.hedged === b.hedged) return right('letter', `the same choice, ${x}`);
  const shared = a.labels?.some((label) => b.labels?.includes(label));
  if (a.hedged || b.hedged) return wrong('letter', 'one answer leaves open which it is');
  return wrong('letter', shared ? 'only partly the same choices' : 'another choice');
}

/** One side names letters, the other is a text that is of no known option. */
function byText(a: Chosen, b: Chosen, options: Options): Verdict {
  const [lettered, plain] = a.labels === undefined ? [b, a] : [a, b];
  if (lettered.text !== '' && plain.text !== '') return wrong('option', 'another text');
  return options.allNumbers && plain.isNumber
    ? wrong('option', 'the number of no option')
    : undecided('option', 'a letter against text of no known option');
}
