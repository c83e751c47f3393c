// The hand-made pairs: enough of them, half of them traps, and the verifiers at least as good on them as they have been.
import { beforeAll, describe, expect, it } from 'vitest';
import { sandboxReport } from '../../src/verify/code/python/interpreter.ts';
import { defaultCodeSettings } from '../../src/verify/code/settings.ts';
import { type Pair, readPairs } from './pairs.ts';
import { described, type Graded, grade, misses, sensitivity, specificity, tally } from './score.ts';

/** What the verifiers have reached. Raise these when they get better. */
const reached = { sensitivity: 0.99, specificity: 0.99 };

const pairs = readPairs();

describe('the pairs', () => {
  it('are at least 600, at least 40 % of them wrong', () => {
    expect(pairs.length).toBeGreaterThanOrEqual(600);
    const wrong = pairs.filter(({ expected }) => expected === 'wrong');
    expect(wrong.length / pairs.length).toBeGreaterThanOrEqual(0.4);
  });

  it('have ids and texts of their own', () => {
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(pairs.length);
    const texts = pairs.map(({ gold, response, verify }) =>
      JSON.stringify([gold, response, verify]),
    );
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
  });
});

describe('the verifiers', () => {
  let graded: Graded[];
  beforeAll(async () => {
    const { available } = await sandboxReport(defaultCodeSettings.python);
    const isPython = ({ verify }: Pair) => verify?.language === 'python';
    graded = await grade(pairs.filter((pair) => available || !isPython(pair)));
  }, 300_000);

  const said = () => misses(graded).map(described).join('\n\n');

  it('accept what is right', () => {
    expect(sensitivity(tally('all', graded)), said()).toBeGreaterThanOrEqual(reached.sensitivity);
  });

  it('refuse what is wrong', () => {
    expect(specificity(tally('all', graded)), said()).toBeGreaterThanOrEqual(reached.specificity);
  });

  it('come to no end by themselves', () => {
    const failed = ['error', 'crash', 'memory', 'deadline', 'closed'];
    const faults = graded.filter(({ verdict }) => failed.includes(verdict.rung));
    expect(faults.map(described)).toEqual([]);
  });
});
