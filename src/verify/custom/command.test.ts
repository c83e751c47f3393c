// A program of its own as a verifier: the protocol, its faults, and that nothing is left behind.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { startWorker } from '../../engine/worker-thread.ts';
import { defaultBounds, type Judge } from '../types.ts';
import { commandJudge } from './command.ts';
import type { Frame } from './custom-judge.ts';

let folder: string;
const open: Judge[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-command-'));
});
afterEach(async () => {
  for (const judge of open.splice(0)) await judge.close?.();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const frame: Frame = { extract: () => [], bounds: defaultBounds };

/** A program that sends what `body` gives for each request `r`; `n` counts them. */
function program(body: string, before = ''): string {
  const path = join(folder, `program-${Math.abs(hash(body + before))}.mjs`);
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline';
     const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
     ${before}
     let n = 0;
     for await (const line of createInterface({ input: process.stdin })) {
       const r = JSON.parse(line);
       ${body}
       n++;
     }`,
  );
  return path;
}

function hash(text: string): number {
  return [...text].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) | 0, 7);
}

function judgeOf(body: string, before = ''): Judge {
  const judge = commandJudge({ command: [process.execPath, program(body, before)] }, frame);
  open.push(judge);
  return judge;
}

const equal = "say({ id: r.id, verdict: r.gold === r.response ? 'right' : 'wrong' });";

it('asks and is answered', async () => {
  const judge = judgeOf("say({ id: r.id, verdict: 'wrong', reason: JSON.stringify(r) });");
  const { reason, ...rest } = await judge.verify('\\frac{1}{2}', 'two\nlines "\u00e9" \u2028');
  expect(rest).toEqual({ verdict: 'wrong', rung: 'custom' });
  expect(JSON.parse(reason)).toEqual({
    id: 1,
    gold: '\\frac{1}{2}',
    response: 'two\nlines "\u00e9" \u2028',
    bare: false,
  });
  expect(JSON.parse((await judge.compare('1', '2')).reason)).toMatchObject({ id: 2, bare: true });
});

it('carries long responses, lone surrogates and many requests at a time', async () => {
  const judge = judgeOf(
    "say({ id: r.id, verdict: r.response.length === Number(r.gold) ? 'right' : 'wrong' });",
  );
  expect(await judge.verify('1000000', '\u00e9'.repeat(1_000_000))).toMatchObject({
    verdict: 'right',
  });
  expect(await judge.verify('1', '\ud800')).toMatchObject({ verdict: 'right' });
  const many = Array.from({ length: 50 }, (_, i) => judge.verify(`${i}`, 'x'.repeat(i)));
  for (const verdict of await Promise.all(many)) expect(verdict.verdict).toBe('right');
});

it('is warm only when the program answers, and asks it nothing twice', async () => {
  const judge = judgeOf("say({ id: r.id, verdict: 'right', reason: 'request ' + n });");
  await judge.warm?.();
  await judge.warm?.();
  expect((await judge.verify('1', '1')).reason).toBe('request 1');
});

describe('a program that breaks the protocol is undecided once, and replaced', () => {
  it.each([
    ['ends', 'console.error("out of memory"); process.exit(3)', /code 3.*: out of memory/],
    ['writes no JSON', 'console.log("so, well")', /it wrote so, well/],
    ['gives another verdict', 'say({ id: r.id, verdict: "maybe" })', /no verdict/],
    [
      'answers something else',
      'say({ id: r.id - 1, verdict: "right" })',
      /answered \d+, asked was/,
    ],
    ['gives no id', 'say({ verdict: "right" })', /no verdict/],
    ['writes without end', 'process.stdout.write("x".repeat(2_000_000))', /beyond 1000000/],
    ['is killed', 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})', /SIGKILL/],
  ])('%s', async (_, fault, reason) => {
    const judge = judgeOf(`if (r.gold === 'fault') { ${fault} } else { ${equal} }`);
    expect(await judge.verify('2', '2')).toMatchObject({ verdict: 'right' });
    const verdict = await judge.verify('fault', '2');
    expect(verdict).toMatchObject({ verdict: 'undecided', rung: 'custom' });
    expect(verdict.reason).toMatch(reason);
    expect(await judge.verify('3', '3')).toMatchObject({ verdict: 'right' });
    expect(await judge.verify('3', '4')).toMatchObject({ verdict: 'wrong' });
  });

  it('answers twice', async () => {
    const judge = judgeOf(`${equal} if (r.gold === 'twice') ${equal}`);
    expect(await judge.verify('twice', 'twice')).toMatchObject({ verdict: 'right' });
    // The second answer may come before the next request, or be taken for what answers it: "right" it must not be.
    expect((await judge.verify('3', '4')).verdict).not.toBe('right');
    expect(await judge.verify('3', '3')).toMatchObject({ verdict: 'right' });
  });
});

describe('a program that does not start', () => {
  it.each([
    [['/no/such/program'], /ENOENT/],
    [[process.execPath, '-e', 'console.error("no license"); process.exit(1)'], /no license/],
    [[process.execPath, '-e', 'console.log("Welcome!"); setInterval(() => {}, 1000)'], /Welcome!/],
  ])('%j', async (command, message) => {
    const judge = commandJudge({ command }, frame);
    open.push(judge);
    await expect(judge.warm?.()).rejects.toThrow(UserError);
    await expect(judge.warm?.()).rejects.toThrow(message);
    expect(await judge.verify('1', '1')).toMatchObject({ verdict: 'undecided', rung: 'custom' });
  });

  it('is none', () => {
    expect(() => commandJudge({ command: [] }, frame)).toThrow(UserError);
  });
});

it('never goes through a shell, and runs where it is told', async () => {
  const path = program(
    "say({ id: r.id, verdict: 'right', reason: [process.argv[2], process.cwd()].join() });",
  );
  const judge = commandJudge(
    { command: [process.execPath, path, '$(touch x); *'], cwd: folder },
    frame,
  );
  open.push(judge);
  expect((await judge.verify('1', '1')).reason).toBe(`$(touch x); *,${folder}`);
});

/** Answers the trial, then writes its process id and hangs where no signal but a kill reaches it. */
const hangs = (pidFile: string) =>
  `if (n === 0) { ${equal} } else {
     process.on('SIGTERM', () => {});
     writeFileSync('${pidFile}', String(process.pid));
     for (;;) {}
   }`;
const withFiles = "import { writeFileSync } from 'node:fs';";

async function pidIn(file: string): Promise<number> {
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await wait(20);
  return Number(readFileSync(file, 'utf8'));
}

async function goneSoon(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await wait(20);
  }
  process.kill(pid, 'SIGKILL');
  return false;
}

describe('nothing is left behind', () => {
  it('when a judge is closed while its program hangs', async () => {
    const file = join(folder, 'closed.pid');
    const judge = judgeOf(hangs(file), withFiles);
    const verdict = judge.verify('1', '2');
    const pid = await pidIn(file);
    await judge.close?.();
    expect(await verdict).toMatchObject({ verdict: 'undecided', rung: 'custom' });
    expect(await goneSoon(pid)).toBe(true);
    expect(await judge.verify('1', '1')).toMatchObject({ verdict: 'undecided' });
  });

  const runner = (file: string) => {
    const path = join(folder, `runner-${Math.abs(hash(file))}.mjs`);
    const module = new URL('./command.ts', import.meta.url).href;
    const command = JSON.stringify([process.execPath, program(hangs(file), withFiles)]);
    writeFileSync(
      path,
      `const { commandJudge } = await import('${module}');
       const frame = { extract: () => [], bounds: ${JSON.stringify(defaultBounds)} };
       await commandJudge({ command: ${command} }, frame).verify('1', '2');`,
    );
    return new URL(`file://${path}`);
  };

  it('when its thread is terminated', async () => {
    const file = join(folder, 'thread.pid');
    const worker = startWorker(runner(file), undefined);
    const pid = await pidIn(file);
    await worker.terminate();
    expect(await goneSoon(pid)).toBe(true);
  });

  it('when the whole program is killed', async () => {
    const file = join(folder, 'program.pid');
    const entry = new URL('../../engine/worker-entry.mjs', import.meta.url);
    const parent = spawn(process.execPath, [entry.pathname, runner(file).href], {
      stdio: 'inherit',
    });
    const pid = await pidIn(file);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await goneSoon(pid)).toBe(true);
  });

  it('of what the program itself has started', async () => {
    const file = join(folder, 'grandchild.pid');
    const judge = judgeOf(
      `if (n === 1) {
         const child = spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' });
         writeFileSync('${file}', String(child.pid));
         process.exit(1);
       }
       ${equal}`,
      `${withFiles} import { spawn } from 'node:child_process';`,
    );
    await judge.verify('1', '2');
    expect(await goneSoon(await pidIn(file))).toBe(true);
  });
});

const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
const adapter = new URL('./adapters/math-verify.py', import.meta.url).pathname;

describe.skipIf(python === undefined)(
  'the adapter of math-verify, on a package that stands in for it',
  () => {
    const stand = `
import time
def parse(text, parsing_timeout=5):
    print("noise on stdout")
    if "boom" in text: raise RuntimeError("boom")
    text = text.strip("$")
    return [] if text == "" or "nothing" in text else [text.split()[-1]]
def verify(gold, answer, timeout_seconds=5, raise_on_error=False):
    return gold == answer
`;
    it('speaks the protocol', async () => {
      writeFileSync(join(folder, 'math_verify.py'), stand);
      const command = ['env', `PYTHONPATH=${folder}`, python ?? '', adapter, '--timeout', '2'];
      const judge = commandJudge({ command }, frame);
      open.push(judge);
      await judge.warm?.();
      expect(await judge.verify('5', 'it is 5')).toMatchObject({ verdict: 'right' });
      expect(await judge.verify('5', 'it is 6')).toMatchObject({ verdict: 'wrong' });
      expect(await judge.verify('5', 'nothing')).toMatchObject({
        verdict: 'wrong',
        reason: expect.stringMatching(/no answer/),
      });
      expect(await judge.verify('nothing', '5')).toMatchObject({ verdict: 'undecided' });
      expect(await judge.verify('5', 'boom')).toMatchObject({
        verdict: 'undecided',
        reason: expect.stringMatching(/boom/),
      });
      expect(await judge.verify('\ud800', '\ud800')).toMatchObject({ verdict: 'right' });
      expect(await judge.compare('7', '7')).toMatchObject({ verdict: 'right' });
    });
  },
);

/** The Python of an environment that has math-verify. */
const { PIVOTTRACE_MATH_VERIFY: environment } = process.env;

it.skipIf(environment === undefined)('math-verify itself', async () => {
  const judge = commandJudge({ command: [environment ?? '', adapter] }, frame);
  open.push(judge);
  await judge.warm?.();
  expect(await judge.verify('1/2', 'so it is $0.5$')).toMatchObject({ verdict: 'right' });
  expect(await judge.verify('\\frac{1}{2}', '\\boxed{\\frac{2}{3}}')).toMatchObject({
    verdict: 'wrong',
  });
  expect(await judge.compare('x^2+2x+1', '(x+1)^2')).toMatchObject({ verdict: 'right' });
  const alike = [
    ['45', 'it is 45'],
    ['5', 'So x = 5'],
    ['x=5', '$x=5$'],
    ['\\frac{1}{2}', '\\frac{1}{2}'],
    ['1+x^2', 'x^2+1'],
    ['a(b+c)', 'ab+ac'],
    ['a(b+c)', 'ab + ac'],
  ];
  for (const [gold, response] of alike) {
    const verdict = await judge.verify(gold, response);
    expect({ response, ...verdict }).toMatchObject({ response, verdict: 'right' });
  }
  expect(await judge.verify('', '5')).toMatchObject({ verdict: 'undecided' });
});
