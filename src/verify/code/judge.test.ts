import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { codeJudge } from './judge.ts';
import { defaultCodeSettings } from './settings.ts';

const settings = { ...defaultCodeSettings, language: 'javascript', enabled: true } as const;
const gold = JSON.stringify({ cases: [{ stdin: '', stdout: '3' }] });

describe('the judge of programs', () => {
  it('is refused unless the configuration turns it on', () => {
    expect(() => codeJudge({ ...settings, enabled: false })).toThrow(UserError);
    expect(() => codeJudge({ ...settings, enabled: false })).toThrow(/verify\.code\.enabled/);
    expect(() => codeJudge(defaultCodeSettings)).toThrow(UserError);
  });

  it.each(['cpuSeconds', 'wallMs', 'totalMs', 'memoryMb', 'outputKb'])(
    'needs a limit: %s',
    (name) => {
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => codeJudge({ ...settings, [name]: value })).toThrow(UserError);
      }
    },
  );

  it('takes the program from the response', async () => {
    const judge = codeJudge(settings);
    const response =
      'First a try:\n```js\nconsole.log(2)\n```\nBetter:\n```js\nconsole.log(3)\n```\nDone.';
    expect(await judge.verify(gold, response)).toMatchObject({ verdict: 'right' });
    expect(judge.candidates(response)[0]?.text).toBe('console.log(3)');
    expect(await judge.verify(gold, '')).toMatchObject({ verdict: 'wrong', rung: 'extract' });
  });

  it('reads programs that differ in blanks alone as one', () => {
    const judge = codeJudge(settings);
    const reading = judge.read('if (x)  \r\n  y()\n\n');
    expect(reading).toEqual(judge.read('\nif (x)\n  y()'));
    expect(reading).toMatchObject({ bucket: 'code', kind: 'program' });
    expect(judge.read('if (x)\n    y()')?.key).not.toBe(reading?.key);
    expect(judge.read(' \n ')).toBeNull();
  });

  it('bounds the time of all cases together', async () => {
    const judge = codeJudge({ ...settings, totalMs: 1 });
    const program = 'const end = Date.now() + 20; while (Date.now() < end); console.log(3)';
    const cases = [1, 2, 3].map(() => ({ stdin: '', stdout: '3' }));
    expect(await judge.compare(JSON.stringify({ cases }), program)).toEqual({
      verdict: 'wrong',
      rung: 'wall',
      reason: 'case 2 of 3: no time left of 0.001 s for all cases',
    });
  });

  it('calls tests that cannot be read undecided', async () => {
    const verdict = await codeJudge(settings).compare('4', 'console.log(4)');
    expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'gold' });
  });
});
