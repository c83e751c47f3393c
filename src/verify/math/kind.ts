// The verifier of mathematics: reads an answer once, keeps what it read, and compares. `auto` also takes lone capital letters
// as choices. Knows nothing of responses or of threads.
import type { Kind, Reading, Verdict } from '../types.ts';
import { unwrap } from '../unwrap.ts';
import { type Answer, interpret, normalText } from './answer.ts';
import { type Choice, choiceOf } from './choice-form.ts';
import { type Comparison, compareAnswers, nameOf } from './compare.ts';
import { warmDigits } from './digits.ts';
import { exactKey, exactOf } from './exact.ts';
import { parseAnswer } from './parse.ts';
import type { Finding } from './scalar.ts';

export interface MathSettings extends Partial<Comparison> {
  /** Take "B", "(B)", "B. the cat" as the choice B. */
  choices?: boolean;
}

const defaults: Comparison = {
  tolerance: { relative: 0, absolute: 0 },
  equations: 'value',
  units: 'optional',
};

/** Answers that were read are kept: the gold of a group is compared with every answer of it. */
const kept = 512;

interface Read {
  /** Without wrapping and blanks. */
  text: string;
  letter?: Choice;
  /** The readings, the likeliest first: "100,200" is one number or two. */
  answers: Answer[];
}

/** Mathematics with exact and symbolic equality (`math`), or that and choice letters (`auto`). */
export function mathKind(name: 'math' | 'auto', settings: MathSettings = {}): Kind {
  const { choices = name === 'auto', ...given } = settings;
  const how: Comparison = { ...defaults, ...given };
  const cache = new Map<string, Read>();
  const read = (answer: string): Read => {
    const known = cache.get(answer);
    if (known !== undefined) return known;
    const made = readAnswer(answer, choices);
    if (cache.size >= kept) cache.clear();
    cache.set(answer, made);
    return made;
  };
  return {
    name,
    seek: 'formula',
    read: (answer) => reading(read(answer)),
    compare: (gold, answer) => verdictOf(read(gold), read(answer), how),
    warm: async () => void warmDigits(),
  };
}

function readAnswer(answer: string, choices: boolean): Read {
  const text = unwrap(answer);
  const letter = choices ? choiceOf(text) : undefined;
  const answers = [interpret(parseAnswer(text))];
  // "(C) 45" is also 45, for a gold that has no letter.
  if (letter?.rest !== undefined) answers.push(interpret(parseAnswer(letter.rest)));
  if (/\d[ ,]\d{3}(?!\d)/.test(text) && !/[ ,]0\d\d/.test(text))
    answers.push(interpret(parseAnswer(text, { groups: false })));
  return { text, answers, ...(letter === undefined ? {} : { letter }) };
}

function reading({ text, letter, answers: [answer] }: Read): Reading | null {
  if (text === '') return null;
  const shown = text.slice(0, 200);
  if (letter !== undefined && letter.rest === undefined)
    return { key: `choice:${letter.letter}`, bucket: 'any', kind: 'choice', shown: letter.letter };
  return { key: keyOf(answer, text), bucket: 'any', kind: nameOf(answer), shown };
}

/** A key that equal answers often share and different ones never. */
function keyOf(answer: Answer, text: string): string {
  if (
    answer.form === 'value' &&
    answer.unit === undefined &&
    answer.sign === undefined &&
    answer.label === undefined
  ) {
    const exact = exactOf(answer.node);
    if (exact !== undefined) return `value:${exactKey(exact)}`;
  }
  return `text:${text.replace(/\s+/g, ' ')}`;
}

function verdictOf(gold: Read, answer: Read, how: Comparison): Verdict {
  if (gold.text === '' && answer.text === '')
    return { verdict: 'undecided', reason: 'neither answer could be read', rung: 'unreadable' };
  if (gold.text === '' || answer.text === '')
    return { verdict: 'wrong', reason: 'one answer is empty', rung: 'text' };
  const chosen = choices(gold, answer);
  if (chosen !== undefined) return chosen;
  if (sameText(gold.text, answer.text))
    return { verdict: 'right', reason: 'the same text', rung: 'text' };
  let first: Finding | undefined;
  for (const x of gold.answers) {
    for (const y of answer.answers) {
      const finding = compareAnswers(x, y, how);
      first ??= finding;
      if (finding.same === true)
        return { verdict: 'right', reason: finding.reason, rung: finding.rung };
    }
  }
  if (first === undefined)
    return { verdict: 'undecided', reason: 'nothing to compare', rung: 'unreadable' };
  return {
    verdict: first.same === undefined ? 'undecided' : 'wrong',
    reason: first.reason,
    rung: first.rung,
  };
}

/** Written alike: but for blanks in mathematics, and but for case in words. */
function sameText(a: string, b: string): boolean {
  if (a === b) return true;
  const words = /^[\p{L}\s.,'-]+$/u;
  // E may be a choice or a point, e is a number.
  const letters = a.length > 1 || /^[a-df-hj-z]$/i.test(a);
  if (letters && words.test(a) && words.test(b)) return normalText(a) === normalText(b);
  return a.replace(/\s+/g, '') === b.replace(/\s+/g, '') && !/\d\s+\d/.test(`${a}|${b}`);
}

/** "ABD", "A, B, D", "A、B和D": the letters of several choices in their order; undefined for all else. */
function lettersOf(text: string): string | undefined {
  const run = /^[A-J]{2,8}$/.test(text) ? text : undefined;
  const listed = /^[(]?[A-J][)]?(?:\s{0,3}(?:[,;、和与&]|and)\s{0,3}[(]?[A-J][)]?){1,7}$/.test(
    text,
  );
  const letters = run ?? (listed ? text.replace(/and|[^A-J]/g, '') : undefined);
  if (letters === undefined || new Set(letters).size < letters.length) return undefined;
  return [...letters].sort().join('');
}

/** Choices by their letters, where both sides have one. */
function choices(gold: Read, answer: Read): Verdict | undefined {
  const [several, others] = [lettersOf(gold.text), lettersOf(answer.text)];
  if (several !== undefined && several === others) {
    return { verdict: 'right', reason: 'the same letters', rung: 'choice' };
  }
  const [x, y] = [gold.letter, answer.letter];
  if (x === undefined || y === undefined) return undefined;
  const same = x.letter === y.letter;
  const reason = same ? 'the same letter' : 'another letter';
  return { verdict: same ? 'right' : 'wrong', reason, rung: 'choice' };
}
