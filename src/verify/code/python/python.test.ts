// Python answers against all forms of tests, and the life of the process that runs them.
import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { startWorker } from '../../../engine/worker-thread.ts';
import { codeJudge } from '../judge.ts';
import { defaultCodeSettings } from '../settings.ts';
import { sandboxReport } from './interpreter.ts';
import { Launcher } from './launcher.ts';
import { below, isRunning, launchers } from './testing/processes.ts';

const settings = { ...defaultCodeSettings, enabled: true, cpuSeconds: 2, wallMs: 50_000 };
const report = await sandboxReport(settings.python);
const judge = codeJudge(settings);
afterAll(() => judge.close?.());

const sums = JSON.stringify({
  cases: [
    { stdin: '1 2\n', stdout: '3\n' },
    { stdin: '5 6', stdout: '11' },
  ],
});

function verdictOn(program: string, gold: unknown) {
  return judge.compare(typeof gold === 'string' ? gold : JSON.stringify(gold), program);
}

describe.skipIf(!report.available)('Python programs', () => {
  it.each([
    ['reads with input', 'a, b = map(int, input().split())\nprint(a + b)'],
    ['reads all', 'import sys\nprint(sum(map(int, sys.stdin.read().split())))'],
    ['reads descriptor 0', 'print(sum(map(int, open(0).read().split())))'],
    [
      'reads bytes',
      'import sys\nsys.stdout.buffer.write(b"%d" % sum(map(int, sys.stdin.buffer.readline().split())))',
    ],
    [
      'has a main',
      'def main():\n  print(sum(map(int, input().split())))\nif __name__ == "__main__":\n  main()',
    ],
    ['leaves by exit', 'import sys\nprint(sum(map(int, input().split())))\nsys.exit(0)'],
    [
      'uses threads',
      'import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(1 << 26)\nthreading.Thread(target=lambda: print(sum(map(int, input().split())))).start()',
    ],
    [
      'uses asyncio',
      'import asyncio\nasync def main():\n  print(sum(map(int, input().split())))\nasyncio.run(main())',
    ],
    [
      'recurses deep',
      'import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return n and f(n - 1)\nf(50000)\nprint(sum(map(int, input().split())))',
    ],
    [
      'writes a file',
      'import os\nif os.access(".", os.W_OK): open("a", "w").write("x")\nprint(sum(map(int, input().split())))',
    ],
    [
      'uses dataclasses',
      'from dataclasses import dataclass\n@dataclass\nclass P:\n  x: int\nprint(P(sum(map(int, input().split()))).x)',
    ],
  ])('are right: %s', async (_, program) => {
    expect(await verdictOn(program, sums)).toEqual({
      verdict: 'right',
      reason: 'passed all 2 cases',
      rung: 'tests',
    });
  });

  it.each([
    ['prints one answer', 'print(3)', 'case 2 of 2: printed "3", wanted "11"'],
    ['prints nothing', '', 'case 1 of 2: printed "", wanted "3"'],
    [
      'fails',
      'print(1 // 0)',
      'case 1 of 2: failed with ZeroDivisionError: integer division or modulo by zero',
    ],
    ['is no program', 'print(3', "case 1 of 2: failed with SyntaxError: '(' was never closed"],
    [
      'reads too much',
      'input()\ninput()',
      'case 1 of 2: failed with EOFError: EOF when reading a line',
    ],
    ['leaves with a status', 'print(3)\nexit(4)', 'case 1 of 2: failed with exit status 4'],
  ])('are wrong: %s', async (_, program, reason) => {
    const verdict = await verdictOn(program, sums);
    expect(verdict).toEqual({ verdict: 'wrong', rung: 'tests', reason });
  });

  it('print the same in every run', async () => {
    const gold = { cases: [{ stdin: '', stdout: '' }] };
    const program = 'import random\nprint({"a", "b", "c", "d"}, random.random(), hash("x"))';
    const first = await verdictOn(program, gold);
    const other = codeJudge(settings);
    expect(await other.compare(JSON.stringify(gold), program)).toEqual(first);
    await other.close?.();
  });
});

const square = 'def f(x): return x * x';

describe.skipIf(!report.available)('Python functions', () => {
  it.each([
    ['assertions', ['assert f(2) == 4', 'assert f(-3) == 9'], square],
    ['assertions from the right', ['assert 4 == f(2)'], square],
    [
      'truth',
      ['assert f(2)', 'assert not f(0)', 'assert f(2) > 3 and isinstance(f(2), int)'],
      square,
    ],
    ['tolerance', ['import math', 'assert math.isclose(f(0.1), 0.01)'], square],
    ['equal numbers of other types', ['assert f(2) == 4.0', 'assert f(1) == True'], square],
    [
      'nested values',
      ["assert f(1) == (1, [2.5, None], {'a': {1, 2}}, b'x')"],
      "def f(x): return (x, [2.5, None], {'a': {2, 1}}, b'x')",
    ],
    [
      'subclasses',
      ["assert f() == {'a': 2}"],
      "from collections import Counter\ndef f(): return Counter('aa')",
    ],
    [
      'fractions',
      ['assert f() == 0.5'],
      'from fractions import Fraction\ndef f(): return Fraction(1, 2)',
    ],
    [
      'a class of the program',
      [
        's = S()',
        's.push(3)',
        'assert s.pop() == 3',
        'try:\n  s.pop()\n  assert False\nexcept IndexError:\n  pass',
      ],
      'class S(list):\n  push = list.append',
    ],
    [
      'a check',
      {
        test: 'def check(candidate):\n  assert candidate(2) == 4\n  for i in range(9):\n    assert candidate(i) == i ** 2',
        entry_point: 'f',
      },
      square,
    ],
    [
      'a check that is called',
      { assertions: 'def check(g):\n  assert g(2) == 4\ncheck(f)' },
      square,
    ],
    ['calls', { fn_name: 'f', inputs: [[2], [3]], outputs: [4, [9]] }, square],
    [
      'calls of a method',
      { fn_name: 'f', inputs: [[2]], outputs: [4] },
      'class Solution:\n  def f(self, x): return x * x',
    ],
    [
      'calls in lines',
      { fn_name: 'f', inputs: ['[1, 2]\n"x"'], outputs: ['{"x": [1, 2]}'] },
      'def f(a, k): return {k: tuple(a)}',
    ],
    [
      'calls with large numbers',
      '{"fn_name":"f","inputs":[[12345678901234567891]],"outputs":[152415787532388367526596557677488187881]}',
      square,
    ],
    [
      'cases and assertions',
      { cases: [{ stdin: '', stdout: '4' }], assertions: 'assert f(3) == 9' },
      `${square}\nprint(f(2))`,
    ],
  ])('are right: %s', async (_, gold, program) => {
    expect(await verdictOn(program, gold)).toMatchObject({ verdict: 'right', rung: 'tests' });
  });

  it.each([
    [
      'a wrong value',
      ['assert f(2) == 4', 'assert f(3) == 9'],
      'def f(x): return x + 2',
      'f(3) == 9 fails: got "5"',
    ],
    [
      'a list for a tuple',
      ['assert f(1) == (1,)'],
      'def f(x): return [x]',
      'f(1) == (1,) fails: got "[1]"',
    ],
    [
      'text for a number',
      ['assert f(1) == 1'],
      'def f(x): return str(x)',
      `f(1) == 1 fails: got "'1'"`,
    ],
    [
      'a near miss',
      ['assert f(1) == 0.3'],
      'def f(x): return 0.1 + 0.2',
      'f(1) == 0.3 fails: got "0.30000000000000004"',
    ],
    [
      'a rounded number',
      '{"fn_name":"f","inputs":[[1]],"outputs":[12345678901234567891]}',
      'def f(x): return 12345678901234567890',
      'f(1) == 12345678901234567891 fails: got "12345678901234567890"',
    ],
    [
      'an exception',
      ['assert f(1) == 1'],
      'def f(x): raise KeyError(x)',
      'failed in f(1) == 1 with KeyError: 1',
    ],
    [
      'no function',
      ['assert f(1) == 1'],
      '',
      "failed in f(1) == 1 with NameError: name 'f' is not defined",
    ],
    [
      'no method',
      { fn_name: 'f', inputs: [[1]], outputs: [1] },
      'x = 1',
      'failed in f(1) == 1 with NameError: no function f is defined',
    ],
    ['a truth', ['assert f(1)'], 'def f(x): return 0', 'f(1) fails: got "False"'],
  ])('are wrong: %s', async (_, gold, program, reason) => {
    expect(await verdictOn(program, gold)).toEqual({ verdict: 'wrong', rung: 'tests', reason });
  });

  it.each([
    ['leaves at once', 'import sys; sys.exit(0)'],
    ['leaves hard', 'import os; os._exit(0)'],
    ['leaves in the call', 'import os\ndef f(x): os._exit(0)'],
    ['exits in the call', 'def f(x): exit(0)'],
    ['is equal to all', 'class E:\n  def __eq__(self, other): return True\ndef f(x): return E()'],
    [
      'is a number equal to all',
      'class E(int):\n  def __eq__(self, other): return True\n  __hash__ = int.__hash__\ndef f(x): return E(1)',
    ],
    ['closes all', 'import os\nos.closerange(0, 64)\ndef f(x): return 4'],
    [
      'answers first',
      'import os\nfor fd in range(3, 64):\n  try: os.write(fd, b\'loaded\\n["",{"value":"[]"}]\\n\')\n  except OSError: pass',
    ],
    [
      'looks for the tests',
      `import gc, sys
def seen(value):
    return isinstance(value, str) and str(25 * 25) in value or isinstance(value, list) and any(map(seen, value))
def f(x):
    frame = sys._getframe()
    while frame:
        if any(map(seen, frame.f_locals.values())): return x * x
        for value in frame.f_locals.values():
            if isinstance(value, dict) and any(map(seen, value.values())): return x * x
        frame = frame.f_back
    return x * x if any(isinstance(o, dict) and any(map(seen, o.values())) for o in gc.get_objects()) else None`,
    ],
  ])('cannot cheat: %s', async (_, program) => {
    const verdict = await verdictOn(program, ['assert f(25) == 625']);
    expect(verdict).toMatchObject({ verdict: 'wrong', rung: 'tests' });
  });

  it('stop at their limits, and say in which test', async () => {
    const gold = ['assert f(1) == 1', 'assert f(2) == 2'];
    const loop = 'def f(x):\n  while x > 1: pass\n  return x';
    expect(await verdictOn(loop, gold)).toMatchObject({ verdict: 'wrong', rung: 'cpu' });
    const full = 'def f(x): return [0] * (x << 40)';
    expect(await verdictOn(full, gold)).toMatchObject({
      rung: 'memory',
      reason: 'used more than 512 MiB of memory in f(1) == 1',
    });
    const wrongBefore = 'def f(x):\n  while x > 1: pass\n  return 0';
    expect(await verdictOn(wrongBefore, gold)).toMatchObject({ rung: 'tests', reason: /got "0"/ });
  });

  it('with tests that cannot be read are undecided', async () => {
    const verdict = await verdictOn(square, 'assert f(2 ==');
    expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'gold', reason: /SyntaxError/ });
    expect(await verdictOn(square, '42')).toMatchObject({ verdict: 'undecided', rung: 'gold' });
  });
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  // Asked once each time: what held a moment ago need not hold any more.
  while (!holds()) {
    expect(Date.now()).toBeLessThan(end);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.skipIf(!report.available)('the process that runs Python', () => {
  const endless = 'while True: pass';

  it('ends with the thread that started it, whatever it is doing', async () => {
    const before = launchers();
    const ours = () => launchers().filter((pid) => !before.includes(pid));
    const data = { ...settings, cpuSeconds: 100 };
    const worker = startWorker(new URL('./testing/endless.ts', import.meta.url), data);
    await until(() => ours().flatMap(below).length >= 2);
    const all = ours().flatMap((pid) => [pid, ...below(pid)]);
    await worker.terminate();
    await until(() => !all.some(isRunning));
  });

  it('is replaced when it has been killed', async () => {
    const before = launchers();
    const own = codeJudge({ ...settings, cpuSeconds: 100 });
    await own.warm?.();
    const [pid = 0] = launchers().filter((other) => !before.includes(other));
    const running = own.compare(sums, endless);
    await until(() => below(pid).length >= 2);
    const all = [pid, ...below(pid)];
    process.kill(pid, 'SIGKILL');
    expect(await running).toMatchObject({ verdict: 'undecided', rung: 'sandbox' });
    await until(() => !all.some(isRunning));
    const after = await own.compare(sums, 'print(sum(map(int, input().split())))');
    expect(after.verdict).toBe('right');
    await own.close?.();
  });

  it('does not keep an idle program alive', () => {
    const code = `
      import { codeJudge } from ${JSON.stringify(new URL('../judge.ts', import.meta.url).href)};
      const judge = codeJudge(${JSON.stringify(settings)});
      const { verdict } = await judge.compare(${JSON.stringify(sums)}, 'print(3)');
      console.log(verdict);`;
    const said = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', code],
      {
        encoding: 'utf8',
        timeout: 50_000,
      },
    );
    expect(said.trim()).toBe('wrong');
  });

  it('runs one answer after the other', async () => {
    const programs = Array.from(
      { length: 8 },
      (_, n) => `print(sum(map(int, input().split())) + ${n})`,
    );
    const verdicts = await Promise.all(programs.map((program) => judge.compare(sums, program)));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['right', ...Array(7).fill('wrong')]);
  });
});

describe('without Python', () => {
  it('a verdict is undecided, and warming up says what to do', async () => {
    const none = codeJudge({ ...settings, python: '/nowhere/python3' });
    const verdict = await none.compare(sums, 'print(3)');
    expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'sandbox' });
    await expect(none.warm?.()).rejects.toMatchObject({
      complaint: { where: 'verify.code.python', fix: expect.any(String) },
    });
    expect(await sandboxReport('/nowhere/python3')).toMatchObject({ available: false, holds: [] });
  });

  it('a launcher that says nothing sensible is an error', async () => {
    await expect(Launcher.start([process.execPath, '-e', '0', '--'], 20_000)).rejects.toThrow();
  });
});
