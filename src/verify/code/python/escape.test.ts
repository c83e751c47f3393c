// Python programs that try to get out of the sandbox, in every way to confine them that this machine has.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeJudge } from '../judge.ts';
import { type CodeSettings, defaultCodeSettings } from '../settings.ts';
import { sandboxReport } from './interpreter.ts';
import { Launcher } from './launcher.ts';
import { escapes, type Targets } from './testing/escapes.ts';
import { below, launchers } from './testing/processes.ts';

const settings: CodeSettings = {
  ...defaultCodeSettings,
  enabled: true,
  cpuSeconds: 1,
  wallMs: 50_000,
  memoryMb: 256,
  outputKb: 64,
};
const limits = { cpu: 1, memory: 256 * 2 ** 20, output: 64 * 1024 };
const report = await sandboxReport(settings.python);
const without = fileURLToPath(new URL('./testing/without.py', import.meta.url));
const mark = `pivottrace-escape-${process.pid}`;

const made: string[] = [];
let server: Server;
let connections = 0;
let targets: Targets;

function secretIn(place: string): string {
  const folder = mkdtempSync(join(place, 'pivottrace-secret-'));
  made.push(folder);
  const path = join(folder, 'secret.txt');
  writeFileSync(path, 'the sealed answer is 42', { mode: 0o644 });
  return path;
}

beforeAll(async () => {
  server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  process.env.PIVOTTRACE_TEST_SECRET = 'a key';
  targets = {
    secrets: [
      ...[tmpdir(), homedir(), process.cwd()].map(secretIn),
      '/etc/shadow',
      '/etc/passwd',
      '/root/.bashrc',
      join(process.cwd(), 'package.json'),
      fileURLToPath(import.meta.url),
    ],
    folders: [tmpdir(), homedir(), process.cwd(), '/', '/tmp', '/var/tmp', '/dev/shm', '/usr/lib'],
    mark,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    pid: process.pid,
  };
});

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
  server.close();
});

function nothingIsLeft(): void {
  for (const folder of targets.folders) expect(existsSync(join(folder, mark))).toBe(false);
  expect(connections).toBe(0);
  expect(launchers()).not.toEqual([]);
  expect(launchers().flatMap(below)).toEqual([]);
}

it.skipIf(process.platform !== 'linux')(
  'the sandbox works, or the machine does not grant it',
  () => {
    if (report.available) return;
    expect(report.summary).toMatch(/does not answer|no way to confine/);
    expect(report.summary).not.toContain('self-test');
  },
);

describe.skipIf(!report.available)('a program in the sandbox', () => {
  const patient = codeJudge(settings);
  const hasty = codeJudge({ ...settings, wallMs: 2000 });
  afterAll(async () => {
    await patient.close?.();
    await hasty.close?.();
  });

  it.each(escapes)('$name, and is stopped', async ({ program, rung, reason, wallMs }) => {
    const judge = wallMs === 2000 ? hasty : patient;
    const gold = { cases: [{ stdin: JSON.stringify(targets), stdout: 'escaped' }] };
    const verdict = await judge.compare(JSON.stringify(gold), program);
    expect(verdict).toMatchObject({
      verdict: 'wrong',
      rung,
      reason: expect.stringMatching(reason),
    });
    nothingIsLeft();
    const next = { cases: [{ stdin: '20', stdout: '21' }] };
    const after = await judge.compare(JSON.stringify(next), 'print(int(input()) + 1)');
    expect(after.verdict).toBe('right');
  });
});

/** A launcher on a machine that grants less; undefined where even that cannot be had here. */
async function lesser(taken: string[]): Promise<Launcher | undefined> {
  const python =
    process.getuid?.() === 0 && existsSync('/usr/bin/python3')
      ? '/usr/bin/python3'
      : settings.python;
  try {
    const { stdout } = await promisify(execFile)(python, [
      '-c',
      'import sys; print(sys.executable)',
    ]);
    const launcher = await Launcher.start([stdout.trim(), without, ...taken, '--'], 20_000);
    if (launcher.survey.mode !== null) return launcher;
    await launcher.close();
  } catch {
    // No interpreter that this user may read.
  }
  return undefined;
}

const isRoot = process.getuid?.() === 0;
const machines = [
  { title: 'without namespaces', taken: ['namespaces'], mode: 'landlock' },
  ...(isRoot
    ? [
        { title: 'as an ordinary user', taken: ['user'], mode: 'namespaces' },
        {
          title: 'as an ordinary user without namespaces',
          taken: ['user', 'namespaces'],
          mode: 'landlock',
        },
      ]
    : []),
];

describe.skipIf(!report.available).each(machines)('$title', async ({ taken, mode }) => {
  const launcher = await lesser(taken);
  afterAll(() => launcher?.close());

  it.skipIf(launcher === undefined)('is confined in another way', () => {
    expect(launcher?.survey.mode).toBe(mode);
  });

  it.skipIf(launcher === undefined).each(escapes)(
    'a program that $name is stopped',
    async ({ program, wallMs = 50_000 }) => {
      const request = { program, stdin: JSON.stringify(targets), ...limits, wall: wallMs / 1000 };
      const ended = await launcher?.run(request);
      expect(ended?.out).not.toContain('escaped');
      expect(ended?.refused).toBeUndefined();
      nothingIsLeft();
      const after = await launcher?.run({ ...request, program: 'print(1 + 1)' });
      expect(after).toMatchObject({ out: '2\n', code: 0 });
    },
  );
});
