// Answers of several steps, one a line, each compared by another kind.
import type { Kind, Reading, Verdict } from '../types.ts';
import { brief, right, undecided, wrong } from './verdicts.ts';

const maxSteps = 256;

/**
 * With `last` only the last line that has text counts; with `all` every line must equal the gold answer's line at the
 * same place. Blank lines, numbering ("1.", "(2)", "Step 3:"), bullets and a leading "=" or arrow are left out. More
 * than 256 lines are `undecided`, rung `bound`. Symmetric where `inner` is.
 */
export function stepsKind(inner: Kind, mode: 'last' | 'all'): Kind {
  return mode === 'last' ? lastStep(inner) : allSteps(inner);
}

function lastStep(inner: Kind): Kind {
  const last = (answer: string) => stepsOf(answer).at(-1) ?? '';
  return {
    name: `steps of ${inner.name}`,
    seek: inner.seek,
    read: (answer) => inner.read(last(answer)),
    compare: (gold, answer) => inner.compare(last(gold), last(answer)),
  };
}

function allSteps(inner: Kind): Kind {
  return {
    name: `steps of ${inner.name}`,
    seek: 'lines',
    read: (answer) => readAll(inner, stepsOf(answer)),
    compare: (gold, answer) => compareAll(inner, stepsOf(gold), stepsOf(answer)),
  };
}

function readAll(inner: Kind, steps: readonly string[]): Reading | null {
  if (steps.length === 0 || steps.length > maxSteps) return null;
  const readings: Reading[] = [];
  for (const step of steps) {
    const reading = inner.read(step);
    if (reading === null) return null;
    readings.push(reading);
  }
  return {
    key: JSON.stringify(readings.map(({ key }) => key)),
    bucket: JSON.stringify(readings.map(({ bucket }) => bucket)),
    kind: 'steps',
    shown: brief(readings.map(({ shown }) => shown).join('; ')),
  };
}

/** One wrong step makes the whole wrong, whatever the others are. */
function compareAll(inner: Kind, gold: readonly string[], answer: readonly string[]): Verdict {
  if (gold.length === 0 && answer.length === 0) return undecided('steps', 'both answers are empty');
  if (gold.length > maxSteps || answer.length > maxSteps) {
    return undecided('bound', `more than ${maxSteps} steps`);
  }
  if (gold.length !== answer.length) {
    const [few, many] = [gold.length, answer.length].sort((a, b) => a - b);
    return wrong('steps', `${few} steps against ${many}`);
  }
  let doubt: Verdict | undefined;
  for (const [at, step] of gold.entries()) {
    const verdict = inner.compare(step, answer[at] ?? '');
    if (verdict.verdict === 'right') continue;
    const placed = { ...verdict, reason: `step ${at + 1}: ${verdict.reason}` };
    if (verdict.verdict === 'wrong') return placed;
    doubt ??= placed;
  }
  return doubt ?? right('steps', `all ${gold.length} steps are the same`);
}

const numbering =
  /^(?:\(?\d{1,3}[.)]\s+|(?:\*\*|__)?step\s{1,4}\d{1,3}\s{0,4}[:.)-](?:\*\*|__)?\s*)/i;
const bullet = /^[*\u2022\u00b7\u25e6]\s+/;
const lead = /^(?:&\s*)?(?:=>|->|[=\u21d2\u2192\u2234&]|\\Rightarrow|\\implies|\\therefore)\s*/;

/** The lines that have text, without what only marks them as lines of a list. */
function stepsOf(answer: string): string[] {
  const lines = answer
    .split(/\r\n|[\n\r\u2028]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  // A lone "- 5" is a number below zero; a dash before every line is a bullet.
  const dashed = lines.length > 1 && lines.every((line) => /^[-\u2013]\s/.test(line));
  return lines
    .map((line) => (dashed ? line.slice(1).trim() : line))
    .map((line) => line.replace(bullet, '').replace(numbering, '').replace(lead, ''))
    .map((line) => (line.endsWith('\\\\') ? line.slice(0, -2) : line).trim())
    .filter((line) => line !== '');
}
