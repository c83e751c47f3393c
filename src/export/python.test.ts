// The Python side: it compiles, and decides as our verifier does. Without math-verify, which is not needed here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPairs, specOf } from '../../test/verify/pairs.ts';
import { openVerifier } from '../verify/open.ts';
import type { Verifier } from '../verify/types.ts';
import { pythonKinds } from './reward-settings.ts';

const root = fileURLToPath(new URL('./python/', import.meta.url));
const judge = fileURLToPath(new URL('./testing/judge.py', import.meta.url));

let cache: string;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'pivottrace-python-'));
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

function python(args: readonly string[], input = ''): string {
  const env = { ...process.env, PYTHONPYCACHEPREFIX: cache };
  const run = spawnSync('python3', args, { encoding: 'utf8', input, env, maxBuffer: 2 ** 26 });
  expect(run.error?.message ?? run.stderr.replace(/^math-verify is not.*\n/m, '')).toBe('');
  return run.stdout;
}

/** What judge.py says to each task. */
function judged(tasks: readonly object[]): unknown[] {
  const lines = tasks.map((task) => JSON.stringify(task)).join('\n');
  return python([judge], lines)
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

it('compiles', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.py'),
  );
  expect(files.length).toBeGreaterThan(8);
  python(['-m', 'py_compile', ...files.map((name) => join(root, name))]);
});

it('judges numbers, choices, texts, lists and JSON as our verifier does', async () => {
  const cases: [string, string, string, string?][] = [
    ['12', 'Adding up, the answer is 12.', 'right'],
    ['12', 'the answer is 12. Wait, that is wrong.\n\\boxed{13}', 'wrong'],
    ['12', '<think>maybe \\boxed{12}</think> It is \\boxed{13}.', 'wrong'],
    ['1/2', 'So $x = \\frac{1}{2}$.', 'right'],
    ['0.5', '#### 1/2', 'right'],
    ['1,234', '<answer>1234</answer>', 'right'],
    ['50%', '\\boxed{0.5}', 'right'],
    ['1.2e3', '\\boxed{1.2 \\times 10^{3}}', 'right'],
    ['5', '5 cm', 'right'],
    ['5 cm', '\\boxed{5 \\text{ kg}}', 'undecided', 'number'],
    ['x = 5', '\\boxed{y = 5}', 'wrong'],
    ['(1, 2)', '\\boxed{(2, 1)}', 'wrong'],
    ['1, 2', '\\boxed{2, 1}', 'right'],
    ['5 9', '5 9', 'right'],
    ['5 9', '9 5', 'wrong'],
    ['B', 'The answer is (B).', 'right'],
    ['B', '\\boxed{C}', 'wrong'],
    ['Paris', 'The capital is **paris**.', 'right', 'text'],
    ['Paris', 'The answer is Rome.', 'wrong', 'text'],
    ['{"a": [1, 2.0]}', '```json\n{"a": [1.0, 2]}\n```', 'right', 'json'],
    ['{"a": 1}', '{"a": true}', 'wrong', 'json'],
    ['12', 'I do not know.', 'wrong'],
    ['12', '', 'wrong'],
  ];
  // A deadline that a busy machine does not miss.
  const bounds = { deadlineMs: 30_000 };
  const kinds = [...new Set(cases.map(([, , , kind = 'auto']) => kind))];
  const verifiers = new Map<string, Verifier>();
  for (const kind of kinds)
    verifiers.set(kind, await openVerifier({ kind, bounds }, { workers: 1 }));
  const ours: string[] = [];
  for (const [gold, response, , kind = 'auto'] of cases) {
    const verdicts = (await verifiers.get(kind)?.verify(gold, [response])) ?? [];
    ours.push(...verdicts.map(({ verdict }) => verdict));
  }
  await Promise.all([...verifiers.values()].map((verifier) => verifier.close()));
  const theirs = judged(
    cases.map(([gold, response, , kind = 'auto']) => ({ gold, response, spec: { kind } })),
  );
  const named = theirs.map((one) =>
    one === null ? 'undecided' : one === true ? 'right' : 'wrong',
  );
  const table = (verdicts: readonly string[]) =>
    cases.map(([gold, response], i) => `${gold} | ${response} | ${verdicts[i]}`);
  expect(table(ours)).toEqual(table(cases.map(([, , verdict]) => verdict)));
  // Undecided is no reward either.
  const rewarded = (verdicts: readonly string[]) =>
    table(verdicts.map((one) => String(one === 'right')));
  expect(rewarded(named)).toEqual(rewarded(ours));
}, 120_000);

it('takes next to no wrong answer of our test pairs for right, also without math-verify', () => {
  const pairs = readPairs().filter((pair) => pythonKinds.includes(specOf(pair).kind));
  const verdicts = judged(
    pairs.map((pair) => {
      const { kind, math, choice } = specOf(pair);
      const relative = String(math?.tolerance?.relative ?? 0);
      return { gold: pair.gold, response: pair.response, spec: { kind, relative, ...choice } };
    }),
  );
  const rate = (expected: string) => {
    const own = verdicts.filter((_, i) => pairs[i].expected === expected);
    return own.filter((verdict) => verdict === true).length / own.length;
  };
  expect(pairs.length).toBeGreaterThan(1900);
  expect(rate('wrong')).toBeLessThan(0.01);
  expect(rate('right')).toBeGreaterThan(0.4);
});

it('finds the majority by equivalence, and none in a tie or below the share', () => {
  const responses = ['the answer is 1/2', '\\boxed{0.5}', '#### 0.50', '\\boxed{2}'];
  const tasks = [
    { responses, share: 0.75, spec: {} },
    { responses, share: 0.8, spec: {} },
    { responses: ['1', '1', '2', '2'], share: 0, spec: {} },
    { responses: ['', 'hm'], share: 0, spec: {} },
  ];
  expect(judged(tasks)).toEqual([
    { classes: [0, 0, 0, 1], winner: 0 },
    { classes: [0, 0, 0, 1], winner: null },
    { classes: [0, 0, 1, 1], winner: null },
    { classes: [-1, expect.any(Number)], winner: null },
  ]);
});

it('gets through long hostile responses in linear time', () => {
  const hostile = [
    ...[
      '\\boxed{',
      '\\boxed{1}, ',
      '{',
      '$',
      '$5 ',
      '\\[ \\( ',
      '<answer>',
      '#### ',
      '<think>',
      '9',
      '1,000',
    ],
    ...[
      'the answer is ',
      'Answer: ',
      'answer to ',
      '. ',
      '**',
      'so 1, ',
      '\n \t',
      'A ',
      '{"',
      '\\',
      '= ',
      '\ud800',
    ],
  ].map((piece) => piece.repeat(Math.ceil(4e5 / piece.length)));
  const tasks = hostile.flatMap((response) =>
    ['auto', 'text'].map((kind) => ({ gold: '7', response, spec: { kind } })),
  );
  const verdicts = judged(tasks);
  expect(verdicts.length).toBe(tasks.length);
  expect(verdicts.filter((verdict) => verdict === true)).toEqual([]);
}, 240_000);
