/**
 * Simulated annotators err: a wrong answer that looks like a right one.
 *
 * A function of (seed, prompt) alone, so that every buyer gets the same mistake and asking again does
 * not help. Knows nothing of files or buyers.
 */
import { type RandomStream, stream } from '../core/random.ts';

export interface MistakeSettings {
  /** Share of the answers that are wrong, 0..1. */
  rate: number;
  seed: number;
}

/** The wrong answer that a simulated annotator gives for `promptId`, or undefined where the answer is right. */
export function mistakeFor(
  promptId: string,
  answer: string,
  { rate, seed }: MistakeSettings,
  others: readonly string[],
): string | undefined {
  const random = stream(seed, 'label-mistake', promptId);
  if (random.uniform() >= rate) return undefined;
  return (
    wrongNumber(answer, random) ?? wrongChoice(answer, random) ?? wrongText(answer, others, random)
  );
}

/** Off by a little, or with two digits swapped: integers, decimals, fractions (the numerator). */
function wrongNumber(answer: string, random: RandomStream): string | undefined {
  const match = /^([^\d]*)(\d+)(.*)$/s.exec(answer);
  if (match === null || /[a-z]/i.test(answer)) return undefined;
  const [, before, digits, after] = match;
  const swapAt = random.below(Math.max(1, digits.length - 1));
  const swapped =
    digits.slice(0, swapAt) +
    (digits[swapAt + 1] ?? '') +
    digits[swapAt] +
    digits.slice(swapAt + 2);
  // A swap must not lead with a zero: '10' would become '01', which reads as another kind of slip.
  if (random.uniform() < 0.3 && swapped !== digits && !swapped.startsWith('0')) {
    return before + swapped + after;
  }
  const off = BigInt(1 + random.below(9));
  const value = BigInt(digits);
  const wrong = random.uniform() < 0.5 || value < off ? value + off : value - off;
  return before + wrong.toString() + after;
}

/** Another letter of A to D (or up to the answer's own letter), in the same dress: 'B', '(b)', 'C.'. */
function wrongChoice(answer: string, random: RandomStream): string | undefined {
  const match = /^(\W*)([A-Za-z])(\W*)$/.exec(answer);
  if (match === null) return undefined;
  const [, before, letter, after] = match;
  const first = letter <= 'Z' ? 65 : 97;
  const index = letter.charCodeAt(0) - first;
  const count = Math.max(4, index + 1);
  const wrong = (index + 1 + random.below(count - 1)) % count;
  return before + String.fromCharCode(first + wrong) + after;
}

/** The answer of another prompt; where all answers are equal, none at all is right. */
function wrongText(answer: string, others: readonly string[], random: RandomStream): string {
  const plain = (text: string) => text.trim().toLowerCase();
  const different = others.filter((other) => plain(other) !== plain(answer));
  return different.length === 0 ? `not ${answer}` : different[random.below(different.length)];
}
