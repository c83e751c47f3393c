/**
 * Bad input and bad disks through the command line: each is said clearly, ends with 1 and changes nothing.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openStore } from '../src/store/store.ts';

// Every test starts processes, which share the machine with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin/pivottrace.mjs');
const reasoner = join(root, 'models/reasoner');
const goodRow = (id: string) => `${JSON.stringify({ id, prompt: `what is 1 + ${id}?` })}\n`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-bad-'));
  writeFileSync(join(folder, 'good.jsonl'), ['1', '2', '3'].map(goodRow).join(''));
  expect(run('pool', 'good.jsonl', 'workspace=template')).toMatchObject({ status: 0, stderr: '' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** NODE_OPTIONS of a process that says its peak memory, in MiB, on its last line of stderr. */
const saysMemory = (() => {
  const code =
    "process.on('exit',()=>process.stderr.write('peak '+Math.round(process.resourceUsage().maxRSS/1024)+'\\n'))";
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
})();

function run(...words: string[]) {
  return runWith({}, ...words);
}

function runWith(env: Record<string, string>, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...words, '--quiet'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', ...env },
    timeout: 200_000,
    killSignal: 'SIGKILL',
  });
  return { status, stdout, stderr };
}

let copies = 0;

/** A workspace with three prompts, and what it holds. */
function workspace(): string {
  const path = join(folder, `w${copies++}`);
  cpSync(join(folder, 'template'), path, { recursive: true });
  return path;
}

/** Files beside the database with their content, and every row of every table. */
async function contents(path: string): Promise<string[]> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('db/') && name !== 'costs.json')
    .map((name) => `${name}: ${readFileSync(join(path, name), 'utf8')}`);
  const rows: string[] = [];
  const store = await openStore(path);
  try {
    for await (const row of store.dump()) rows.push(JSON.stringify(row));
  } finally {
    await store.close();
  }
  return [...files.sort(), ...rows];
}

let untouched: string[];
beforeAll(async () => {
  untouched = await contents(join(folder, 'template'));
});

/** Runs a command in a copy of the workspace, which it must refuse with `message` and leave as it was. */
async function refused(message: RegExp, ...words: string[]): Promise<void> {
  const path = workspace();
  const { status, stderr, stdout } = run(...words, `workspace=${path}`);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('fault in pivottrace');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(await contents(path)).toEqual(untouched);
}

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

test('an empty pool', async () => {
  const message = /empty\.jsonl: wanted a pool with at least one good row, found no rows/;
  await refused(message, 'pool', file('empty.jsonl', '\n\n'));
});

test('a line of 1 GB, in memory that does not grow with it', async () => {
  const long = join(folder, file('long.jsonl', goodRow('4')));
  truncateSync(long, 2 ** 30);
  appendFileSync(long, `\n${goodRow('5')}`);
  const path = workspace();
  const { status, stderr, stdout } = runWith(saysMemory, 'pool', long, `workspace=${path}`);
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('2 prompts added');
  expect(stdout).toMatch(/long\.jsonl:2: longer than 16777216 bytes/);
  expect(Number(/peak (\d+)/.exec(stderr)?.[1])).toBeLessThan(1000);

  const only = join(folder, file('only-long.jsonl', ''));
  truncateSync(only, 2 ** 26);
  await refused(
    /only rows that were refused \(1\): .*only-long\.jsonl:1: longer than/,
    'pool',
    only,
  );
});

test('broken UTF-8: the row is set aside, and a file of nothing else is refused', async () => {
  const broken = Buffer.from('{"prompt": "caf\xe9"}\n', 'latin1');
  const mixed = file('mixed.jsonl', Buffer.concat([Buffer.from(goodRow('6')), broken]));
  const path = workspace();
  const { status, stdout } = run('pool', mixed, `workspace=${path}`);
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/mixed\.jsonl:2: not valid UTF-8/),
  });
  const [reject] = readFileSync(join(path, 'rejects/mixed.jsonl'), 'utf8').trim().split('\n');
  expect(JSON.parse(reject)).toMatchObject({ line: 2, reason: 'not valid UTF-8' });

  const message = /only rows that were refused \(1\): .*broken\.jsonl:1: not valid UTF-8/;
  await refused(message, 'pool', file('broken.jsonl', broken));
});

test('wrong columns', async () => {
  const rows = file('columns.jsonl', '{"question": "what is 1 + 1?", "answer": "2"}\n');
  await refused(
    /columns\.jsonl: wanted a column "prompt".*columns\.prompt=question/s,
    'pool',
    rows,
  );
});

test('a misspelt key in the configuration', async () => {
  const config = file('config.yaml', 'seed: 1\ntriage:\n  estimater: random\n');
  await refused(/config\.yaml:3:3.*Did you mean "?triage\.estimator"?/s, 'triage', config);
});

test('a safetensors file that is cut short', async () => {
  const model = join(folder, 'cut');
  cpSync(reasoner, model, { recursive: true });
  const weights = join(model, 'model.safetensors');
  truncateSync(weights, Math.floor(statSync(weights).size * 0.6));
  const message = /cut\/model\.safetensors.*tensor model\.\S+.*wanted/s;
  await refused(message, 'trace', `model=${model}`);
  truncateSync(weights, 5);
  await refused(/cut\/model\.safetensors.*wanted/, 'trace', `model=${model}`);
});

test('a tokenizer that does not fit the model', async () => {
  const model = join(folder, 'unfit');
  cpSync(reasoner, model, { recursive: true });
  const path = join(model, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(path, 'utf8'));
  tokenizer.model.vocab.zzz = 5000;
  writeFileSync(path, JSON.stringify(tokenizer));
  const message = /unfit\/tokenizer\.json: wanted token ids below .*found ids up to 5000/;
  await refused(message, 'trace', `model=${model}`);
  writeFileSync(path, '{}');
  await refused(/unfit\/tokenizer\.json: wanted a tokenizer/, 'trace', `model=${model}`);
});

test('a prompt longer than the context is refused, or cut where that is set', async () => {
  const path = workspace();
  const prompt = `what is ${'1 + '.repeat(200)}1?`;
  const long = file('long-prompt.jsonl', `${JSON.stringify({ id: 'long', prompt })}\n`);
  expect(run('pool', long, `workspace=${path}`).status).toBe(0);
  const before = await contents(path);
  const words = ['trace', `workspace=${path}`, `model=${reasoner}`, 'trace.traces_per_prompt=1'];
  const { status, stderr } = run(...words);
  expect(stderr).toMatch(/prompt long: wanted a prompt of at most \d+ tokens.*found \d+ tokens/);
  expect(stderr).toContain('rollout.long_prompts');
  expect(status).toBe(1);
  expect(await contents(path)).toEqual(before);
  expect(run(...words, 'rollout.long_prompts=cut', 'rollout.max_tokens=8')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('4 prompts traced'),
  });
});

test('a workspace that cannot be made, or is a file', () => {
  for (const bad of ['/proc/nowhere/w', join(folder, 'good.jsonl')]) {
    const { status, stderr } = run('pool', 'good.jsonl', `workspace=${bad}`);
    expect(stderr).toMatch(/wanted a .*folder|wanted a workspace/);
    expect(stderr).toContain(bad);
    expect(status).toBe(1);
  }
});

test('files that killed commands left are removed by the next one', async () => {
  const path = workspace();
  const { pid } = spawnSync(process.execPath, ['--version']);
  mkdirSync(join(path, 'plans'));
  const left = [
    `answers/x.jsonl.${pid}.tmp`,
    `rejects/x.jsonl.${pid}.tmp`,
    `plans/x.json.${pid}.tmp`,
  ];
  for (const name of left) writeFileSync(join(path, name), 'half');
  const foreign = `notes.${pid}.tmp`;
  writeFileSync(join(path, foreign), 'not ours');
  expect(run('pool', 'good.jsonl', `workspace=${path}`).status).toBe(0);
  expect(left.filter((name) => existsSync(join(path, name)))).toEqual([]);
  expect(existsSync(join(path, foreign))).toBe(true);
});

// A private mount namespace: no rights are needed where user namespaces are allowed.
const unshared = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-euc'];
const canMount = inNamespace('mount -t tmpfs -o size=1m none /mnt').status === 0;
const unmountable = canMount ? '' : ' (skipped: no private mount namespace can be made here)';

function inNamespace(script: string, ...words: string[]) {
  const [command, ...rest] = unshared;
  return spawnSync(command, [...rest, script, 'sh', ...words], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    timeout: 200_000,
    killSignal: 'SIGKILL',
  });
}

test.skipIf(!canMount)(`a read-only workspace${unmountable}`, async () => {
  const path = workspace();
  const script =
    'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; "$2" "$3" pool "$4" "workspace=$1" && exit 9 || echo "status $?"';
  const words = [path, process.execPath, bin, join(folder, 'good.jsonl')];
  const { stdout, stderr } = inNamespace(script, ...words);
  expect(stderr).toMatch(
    /wanted a workspace that can be written to, found a read-only file system/,
  );
  expect(stdout).toBe('status 1\n');
  expect(await contents(path)).toEqual(untouched);
});

test.skipIf(!canMount)(`a disk that fills up while a pool is read${unmountable}`, async () => {
  const path = workspace();
  const big = join(folder, 'big.jsonl');
  for (let i = 0; i < 40; i++) {
    appendFileSync(big, `${JSON.stringify({ id: `b${i}`, prompt: noise(1_000_000, i) })}\n`);
  }
  const after = join(folder, 'after-full');
  // What is left of the disk is copied out, so that it can be looked at with room to spare.
  const script = `size=$(($(du -sm "$1" | cut -f1) + 44)); mount -t tmpfs -o size=\${size}m none /mnt; cp -r "$1" /mnt/w
    "$2" "$3" pool "$4" workspace=/mnt/w --quiet && exit 9 || echo "status $?"
    cp -r /mnt/w "$5"`;
  const { stdout, stderr } = inNamespace(script, path, process.execPath, bin, big, after);
  expect(stderr).toMatch(/wanted room on the disk.*found no space left|disk is full/);
  expect(stdout).toBe('status 1\n');
  expect(await contents(after)).toEqual(untouched);
});

/** Text that does not compress: the database compresses long values. */
function noise(length: number, seed: number): string {
  let state = seed + 1;
  const parts: string[] = [];
  while (parts.length * 6 < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    parts.push(state.toString(36).padStart(7, '0').slice(0, 6));
  }
  return parts.join('');
}
