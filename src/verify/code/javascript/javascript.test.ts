// JavaScript and TypeScript answers against all forms of tests, and programs that try to get out.
import { afterAll, describe, expect, it } from 'vitest';
import { codeJudge } from '../judge.ts';
import { type CodeLanguage, defaultCodeSettings } from '../settings.ts';

const settings = {
  ...defaultCodeSettings,
  enabled: true,
  cpuSeconds: 1,
  wallMs: 20_000,
  memoryMb: 64,
  outputKb: 64,
};
const judges = {
  javascript: codeJudge({ ...settings, language: 'javascript' }),
  typescript: codeJudge({ ...settings, language: 'typescript' }),
};
afterAll(async () => {
  for (const judge of Object.values(judges)) await judge.close?.();
});

function verdictOn(
  program: string,
  gold: unknown,
  language: Exclude<CodeLanguage, 'python'> = 'javascript',
) {
  const tests = typeof gold === 'string' ? gold : JSON.stringify(gold);
  return judges[language].compare(tests, program);
}

const sums = {
  cases: [
    { stdin: '1 2\n', stdout: '3\n' },
    { stdin: '5 6', stdout: '11' },
  ],
};
const sum = (line: string) => `${line}.trim().split(' ').map(Number).reduce((a, b) => a + b)`;

describe('JavaScript programs', () => {
  it.each([
    ['reads the file 0', `console.log(${sum("require('fs').readFileSync(0, 'utf8')")})`],
    [
      'reads /dev/stdin',
      `print(${sum("require('node:fs').readFileSync('/dev/stdin').toString()")})`,
    ],
    ['reads a line', `console.log(${sum('readline()')})`],
    [
      'hears lines',
      `require('readline').createInterface({ input: process.stdin }).on('line', (l) => console.log(${sum('l')}))`,
    ],
    [
      'hears data',
      `let all = ''; process.stdin.on('data', (d) => { all += d; }); process.stdin.on('end', () => console.log(${sum('all')}))`,
    ],
    [
      'awaits lines',
      `(async () => { for await (const l of require('readline').createInterface({ input: process.stdin })) console.log(${sum('l')}); })()`,
    ],
    [
      'asks',
      `const rl = require('readline').createInterface({}); rl.question('', (l) => { console.log(${sum('l')}); rl.close(); })`,
    ],
    ['imports', `import fs from 'node:fs'; console.log(${sum("fs.readFileSync(0, 'utf8')")})`],
    [
      'waits',
      `const l = readline(); setTimeout(() => Promise.resolve().then(() => console.log(${sum('l')})), 5000)`,
    ],
    ['leaves', `console.log(${sum('readline()')}); process.exit(0); console.log('no')`],
    ['writes', `process.stdout.write(String(${sum('readline()')}))`],
    ['recurses', `const f = (n) => n && f(n - 1); f(500); console.log(${sum('readline()')})`],
  ])('are right: %s', async (_, program) => {
    expect(await verdictOn(program, sums)).toEqual({
      verdict: 'right',
      reason: 'passed all 2 cases',
      rung: 'tests',
    });
  });

  it.each([
    ["console.log([1, 'a'], { b: null, 'c d': [2] })", "[ 1, 'a' ] { b: null, 'c d': [ 2 ] }"],
    ["console.log('%s is %d', 'x', 3, true)", 'x is 3 true'],
    [
      'console.log(1n, -0, undefined, new Map([[1, 2]]), new Set())',
      '1n -0 undefined Map(1) { 1 => 2 } Set(0) {}',
    ],
    ['console.error("x"); console.log()', ''],
  ])('print as in Node: %s', async (program, stdout) => {
    expect((await verdictOn(program, { cases: [{ stdout }] })).verdict).toBe('right');
  });

  it.each([
    ['prints one answer', 'console.log(3)', 'case 2 of 2: printed "3", wanted "11"'],
    ['throws', 'null.x', "case 1 of 2: failed with TypeError: cannot read property 'x' of null"],
    ['throws a text', 'throw "no"', 'case 1 of 2: failed with no'],
    ['is no program', 'let = = 3', /case 1 of 2: failed with SyntaxError/],
    [
      'throws later',
      'setTimeout(() => { throw new Error("late"); })',
      'case 1 of 2: failed with Error: late',
    ],
    ['leaves with a status', 'console.log(3); process.exit(2)', 'case 1 of 2: ended with status 2'],
  ])('are wrong: %s', async (_, program, reason) => {
    const said = reason instanceof RegExp ? expect.stringMatching(reason) : reason;
    expect(await verdictOn(program, sums)).toEqual({
      verdict: 'wrong',
      rung: 'tests',
      reason: said,
    });
  });

  it('print the same in every run', async () => {
    const gold = { cases: [{ stdout: '' }] };
    const first = await verdictOn('console.log(Math.random())', gold);
    expect(await verdictOn('console.log(Math.random())', gold)).toEqual(first);
  });
});

const double = 'const f = (x) => x * 2;';

describe('JavaScript functions', () => {
  it.each([
    ['assert', 'assert(f(2) === 4); assert.equal(f(2), 4); assert.strictEqual(f(1), 2)', double],
    [
      'assert of Node',
      "const assert = require('node:assert'); assert.deepStrictEqual(g(2), { a: [2] })",
      'function g(x) { return { a: [x] }; }',
    ],
    ['console.assert', 'console.assert(f(2) === 4)', double],
    ['throws', 'assert.throws(() => f())', 'function f() { throw new Error(); }'],
    ['calls', { fn_name: 'f', inputs: [[2], [3]], outputs: [4, [6]] }, double],
    ['calls in lines', { fn_name: 'f', inputs: ['2'], outputs: ['4'] }, double],
    [
      'calls of a method',
      { fn_name: 'f', inputs: [[2]], outputs: [4] },
      'class Solution { f(x) { return x * 2; } }',
    ],
    [
      'calls of an export',
      { fn_name: 'f', inputs: [[2]], outputs: [4] },
      'module.exports = { f: (x) => x * 2 }',
    ],
    [
      'values in JSON',
      { fn_name: 'f', inputs: [[1]], outputs: [{ b: [1, null], a: 'x' }] },
      'function f(x) { return { a: "x", b: [x, undefined] }; }',
    ],
  ])('are right: %s', async (_, gold, program) => {
    expect(await verdictOn(program, gold)).toMatchObject({ verdict: 'right', rung: 'tests' });
  });

  it.each([
    [
      'a wrong value',
      { fn_name: 'f', inputs: [[1], [2]], outputs: [2, 4] },
      'const f = () => 2',
      'f(2) fails: got "2", wanted "4"',
    ],
    [
      'a number as text',
      { fn_name: 'f', inputs: [[1]], outputs: [2] },
      'const f = () => "2"',
      'f(1) fails: got "\\"2\\"", wanted "2"',
    ],
    [
      'a failed assertion',
      'assert.deepEqual(f([1]), [2])',
      'const f = (x) => x',
      'failed with AssertionError: [ 1 ] is not [ 2 ]',
    ],
    [
      'no function',
      { fn_name: 'f', inputs: [[1]], outputs: [2] },
      '',
      'failed in f(1) with ReferenceError: no function f is defined',
    ],
    [
      'an exception',
      { fn_name: 'f', inputs: [[1]], outputs: [2] },
      'const f = (x) => x.y.z',
      "failed in f(1) with TypeError: cannot read property 'z' of undefined",
    ],
    [
      'an early end',
      'assert(true)',
      'process.exit(0)',
      'ended with status 0 before its tests were over',
    ],
    [
      'an end in a test',
      'f(); assert(false)',
      'const f = () => process.exit(0)',
      'ended with status 0 before its tests were over',
    ],
  ])('are wrong: %s', async (_, gold, program, reason) => {
    expect(await verdictOn(program, gold)).toEqual({ verdict: 'wrong', rung: 'tests', reason });
  });

  it.each([
    ['its own assert', 'const assert = () => {}; const f = (x) => x;'],
    ['a global assert', 'globalThis.assert = () => {}; var f = (x) => x;'],
    [
      'its own require',
      'globalThis.require = () => new Proxy(() => {}, { get: () => () => {} }); var f = (x) => x;',
    ],
    [
      'other built-ins',
      'Object.is = () => true; Object.keys = () => []; JSON.stringify = () => "[4]"; Array.isArray = () => true; var f = (x) => x;',
    ],
    [
      'a tampered assert',
      "Object.assign(require('assert'), { equal() {}, deepEqual() {} }); var f = (x) => x;",
    ],
  ])('cannot cheat with %s', async (_, program) => {
    const assertions =
      "require('assert').equal(f(2), 4); assert.deepEqual([f(2)], [4]); assert(f(2) === 4)";
    expect(await verdictOn(program, { assertions })).toMatchObject({ verdict: 'wrong' });
    const calls = { fn_name: 'f', inputs: [[2]], outputs: [4] };
    expect(await verdictOn(program, calls)).toMatchObject({ verdict: 'wrong' });
  });

  it('with tests that cannot be read are undecided', async () => {
    const gold = { fn_name: 'f', inputs: ['{'], outputs: ['1'] };
    expect(await verdictOn(double, gold)).toMatchObject({ verdict: 'undecided', rung: 'gold' });
  });
});

describe('TypeScript', () => {
  it.each([
    [
      'a program',
      "import * as fs from 'fs';\nconst [a, b]: number[] = fs.readFileSync(0, 'utf8').split(' ').map(Number);\nenum Mode { Sum }\nif (Mode.Sum === 0) console.log((a as number) + b!);",
      sums,
    ],
    [
      'a function',
      'interface P { x: number }\nexport function f<T extends P>(p: T): number { return p.x satisfies number; }',
      { fn_name: 'f', inputs: [[{ x: 4 }]], outputs: [4] },
    ],
    [
      'a class',
      'class Solution { private n = 1; constructor(readonly m: number = 1) {} f(x: number): number { return x + this.n + this.m; } }',
      { fn_name: 'f', inputs: [[1]], outputs: [3] },
    ],
  ])('is right: %s', async (_, program, gold) => {
    expect(await verdictOn(program, gold, 'typescript')).toMatchObject({ verdict: 'right' });
  });

  it.each([
    ['no program', 'const x: = 3', 'case 1 of 2: SyntaxError: Unexpected "="'],
    [
      'nested too deep',
      `${'('.repeat(70_000)}`,
      'case 1 of 2: the program is longer than 65536 characters',
    ],
    [
      'a wrong program',
      'const x: number = 3; console.log(x)',
      'case 2 of 2: printed "3", wanted "11"',
    ],
  ])('is wrong: %s', async (_, program, reason) => {
    const verdict = await verdictOn(program, sums, 'typescript');
    expect(verdict).toEqual({ verdict: 'wrong', rung: 'tests', reason });
  });
});

describe('a JavaScript program that misbehaves', () => {
  const escaped = { cases: [{ stdin: '', stdout: 'escaped' }] };

  it.each([
    ['loops', 'while (true);', 'cpu'],
    ['loops and catches', 'for (;;) try { while (true); } catch {}', 'cpu'],
    ['loops in promises', '(function again() { Promise.resolve().then(again); })()', 'cpu'],
    ['loops in timers', '(function again() { setTimeout(again); })()', 'cpu'],
    ['loops in a regular expression', '/(a+)+$/.test("a".repeat(40) + "b")', 'cpu'],
    ['loops in a sort', '[1, 2, 3].sort(() => { for (;;); })', 'cpu'],
    ['fills the memory', 'const all = []; for (;;) all.push(new Array(1e5).fill(1));', 'memory'],
    [
      'fills the memory with text',
      'const all = []; for (;;) all.push("x".repeat(1e6) + all.length);',
      'memory',
    ],
    ['recurses for ever', 'const f = () => f() + 1; f()', 'memory'],
    [
      'recurses in JSON',
      'let all = []; for (let n = 0; n < 1e5; n++) all = [all]; JSON.stringify(all)',
      'memory',
    ],
    ['prints for ever', 'for (;;) console.log("x".repeat(100))', 'output'],
    [
      'prints for ever and catches',
      'for (;;) try { console.log("x".repeat(100)); } catch {}',
      'output',
    ],
  ])('is stopped: it %s', async (_, program, rung) => {
    const verdict = await verdictOn(program, escaped);
    expect(verdict).toMatchObject({ verdict: 'wrong', rung });
    expect(await verdictOn('console.log("escaped")', escaped)).toMatchObject({ verdict: 'right' });
  });

  it.each([
    ['require', "require('child_process'); console.log('escaped')"],
    ['require of a constructor', "require('constructor'); console.log('escaped')"],
    ['import', "import('fs').then(() => console.log('escaped'), () => {})"],
    ['files', "require('fs').readFileSync('/etc/passwd'); console.log('escaped')"],
    ['writing', "require('fs').writeFileSync('/tmp/x', 'x'); console.log('escaped')"],
    [
      'constructors',
      "const g = console.log.constructor('return globalThis')(); console.log(g.process.mainModule || g.process.binding ? 'escaped' : '')",
    ],
    [
      'errors of the host',
      "try { require('fs').readFileSync('/x') } catch (e) { const p = e.constructor.constructor('return process')(); console.log(p.pid || p.kill ? 'escaped' : '') }",
    ],
    [
      'functions of the host',
      "const w = process.stdout.write.constructor('return this')(); console.log(w.WebAssembly || w.Buffer || w.fetch || w.Worker || w.Deno ? 'escaped' : '')",
    ],
    [
      'prototypes',
      "Object.prototype.then = (f) => f('x'); Object.prototype.escaped = 1; console.log('')",
    ],
    ['the environment', "console.log(Object.keys(process.env).length ? 'escaped' : '')"],
    ['qjs modules', "import * as std from 'std'; std.exit(0); console.log('escaped')"],
  ])('reaches nothing by %s', async (_, program) => {
    expect((await verdictOn(program, escaped)).verdict).toBe('wrong');
    expect(Object.hasOwn(Object.prototype, 'escaped')).toBe(false);
  });

  it('leaves nothing to the next case', async () => {
    const gold = { cases: [{ stdout: '1' }, { stdout: '1' }] };
    const program =
      'globalThis.n = (globalThis.n ?? 0) + 1; Array.n = (Array.n ?? 0) + n; console.log(Array.n)';
    expect(await verdictOn(program, gold)).toMatchObject({ verdict: 'right' });
  });
});
