// The contract of every verifier over every kind, and what each one takes for the same answer.
import { expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { openVerifier } from './open.ts';
import { judgeFor } from './registry.ts';
import type { VerifierName } from './spec.ts';
import { type Samples, verifierContract } from './testing/contract.ts';
import { inlineVerifier } from './testing/inline.ts';

/** Every kind of written answers must be here. Programs and a user's own have tests of their own. */
const samples: Record<Exclude<VerifierName, 'code' | 'module' | 'command'>, Samples> = {
  auto: { spec: { kind: 'auto' }, one: '7', other: '3' },
  math: { spec: { kind: 'math' }, one: 'x^2', other: '3' },
  number: { spec: { kind: 'number' }, one: '7', other: '3' },
  choice: { spec: { kind: 'choice' }, one: 'A', other: 'C' },
  text: { spec: { kind: 'text' }, one: 'north', other: 'south' },
  json: { spec: { kind: 'json' }, one: '{"a": 1}', other: '[2]' },
  regex: { spec: { kind: 'regex' }, one: 'north', other: 'south', isOneSided: true },
  steps: { spec: { kind: 'steps' }, one: '7', other: '3' },
};

for (const [name, sample] of Object.entries(samples)) {
  verifierContract(name, sample, inlineVerifier, 200);
}
verifierContract('auto, in the pool', samples.auto, openVerifier, 60);

it('refuses a name it does not know', async () => {
  await expect(openVerifier({ kind: 'maths' })).rejects.toThrow(UserError);
  await expect(judgeFor({ kind: 'maths' })).rejects.toThrow(/auto, math, number, choice, text/);
});

it('passes the settings of a kind on to it', async () => {
  const text = await judgeFor({ kind: 'text', text: { caseMatters: true } });
  expect(await text.compare('NaCl', 'nacl')).toMatchObject({ verdict: 'wrong' });
  const near = await judgeFor({
    kind: 'number',
    math: { tolerance: { relative: 0.01, absolute: 0 } },
  });
  expect(await near.compare('\\pi', '3.14')).toMatchObject({ verdict: 'right' });
  const several = await judgeFor({ kind: 'choice', choice: { several: true } });
  expect(await several.compare('A, C', 'C and A')).toMatchObject({ verdict: 'right' });
  const all = await judgeFor({ kind: 'steps', steps: { mode: 'all', inner: 'math' } });
  expect(await all.compare('x = 1\ny = 2', 'x=1\ny=3')).toMatchObject({ verdict: 'wrong' });
});

it('refuses to run programs unless it is told to', async () => {
  await expect(judgeFor({ kind: 'code' })).rejects.toThrow(/verify\.code\.enabled/);
});
