// What goes in, what is merged, what is set aside, and that answers stay apart.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { contentHash, normalContent } from './content.ts';
import { type IngestOptions, ingest } from './ingest.ts';
import type { PoolPrompt } from './types.ts';

let workspace = '';
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'ingest-'));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

function pool(name: string, ...rows: unknown[]): string {
  const path = join(workspace, name);
  const lines = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function taken(paths: string[], options: Partial<IngestOptions> = {}) {
  const batches: PoolPrompt[][] = [];
  const summary = await ingest(paths, { workspace, name: 'main', ...options }, async (batch) => {
    batches.push(batch);
  });
  return { summary, batches, prompts: batches.flat() };
}

function jsonl(path: string): unknown[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('seals the answers apart from the prompts', async () => {
  const secret = 'the-answer-45';
  const row = {
    id: 'a',
    prompt: 'one',
    answer: secret,
    solution: secret,
    x: { gold: secret, n: 1 },
  };
  const { summary, prompts } = await taken([pool('p.jsonl', row, { prompt: 'two' })]);
  expect(JSON.stringify(prompts)).not.toContain(secret);
  expect(prompts[0]).toEqual({
    id: 'a',
    prompt: 'one',
    source: 'p.jsonl',
    metadata: { x: { n: 1 } },
  });
  expect(jsonl(join(workspace, 'answers/main.jsonl'))).toEqual([{ id: 'a', answer: secret }]);
  expect(summary).toMatchObject({ rows: 2, merged: 0, rejected: 0, answers: 1, rejectsFile: null });
  expect(summary.withheld).toEqual(['solution', 'x.gold']);
  expect(readdirSync(join(workspace, 'rejects'))).toEqual([]);
});

it('merges rows with the same content: the first wins, conflicts are said', async () => {
  const file = pool(
    'p.jsonl',
    { id: 'a', prompt: 'caf\u00e9  au lait', answer: '1' },
    { id: 'b', prompt: ' cafe\u0301 au\nlait ', answer: '1 ' },
    { id: 'c', prompt: [{ role: 'user', content: 'caf\u00e9 au lait' }], answer: '2' },
    { id: 'd', prompt: 'Caf\u00e9 au lait' },
    { id: 'e', prompt: 'Caf\u00e9 au lait', answer: '7' },
  );
  const { summary, prompts } = await taken([file]);
  expect(prompts.map(({ id }) => id)).toEqual(['a', 'd']);
  expect(summary).toMatchObject({ rows: 2, merged: 3, conflicts: 1, answers: 2 });
  expect(summary.duplicates.map(({ id, at, conflict }) => [id, at.line, conflict])).toEqual([
    ['a', 2, false],
    ['a', 3, true],
    ['d', 5, false],
  ]);
  expect(jsonl(summary.answersFile)).toEqual([
    { id: 'a', answer: '1' },
    { id: 'd', answer: '7' },
  ]);
});

it('sets bad rows aside with file and line, and takes the rest', async () => {
  const first = pool('a.jsonl', { id: 'a', prompt: 'one' }, '{broken', {
    id: 'a',
    prompt: 'other',
  });
  const second = pool('b.jsonl', { prompt: 'two' }, { prompt: '' });
  const { summary, prompts } = await taken([first, second]);
  expect(prompts.map(({ prompt }) => prompt)).toEqual(['one', 'two']);
  expect(summary.rejectsFile).toBe(join(workspace, 'rejects/main.jsonl'));
  expect(jsonl(join(workspace, 'rejects/main.jsonl'))).toMatchObject([
    { file: first, line: 2, raw: '{broken' },
    { file: first, line: 3, reason: 'the id "a" belongs to another prompt already' },
    { file: second, line: 2, reason: 'prompt is empty' },
  ]);
});

it('hands prompts on in batches, in the order of the rows', async () => {
  const rows = Array.from({ length: 25 }, (_, at) => ({ prompt: `number ${at}` }));
  const { batches, prompts } = await taken([pool('p.jsonl', ...rows)], { batch: 10 });
  expect(batches.map((batch) => batch.length)).toEqual([10, 10, 5]);
  expect(prompts.map(({ prompt }) => prompt)).toEqual(rows.map(({ prompt }) => prompt));
});

it('replaces an earlier pool of the same name', async () => {
  await taken([pool('p.jsonl', { id: 'a', prompt: 'one', answer: '1' }, '{')]);
  const { summary } = await taken([pool('p.jsonl', { id: 'b', prompt: 'two', answer: '2' })]);
  expect(jsonl(summary.answersFile)).toEqual([{ id: 'b', answer: '2' }]);
  expect(existsSync(join(workspace, 'rejects/main.jsonl'))).toBe(false);
});

describe('leaves nothing half-written', () => {
  const left = () => readdirSync(workspace, { recursive: true, encoding: 'utf8' }).sort();

  it.each([
    ['an empty file', [], /at least one good row, found no rows/],
    ['only bad rows', ['{'], /only rows that were refused \(1\): .*p\.jsonl:1: not valid JSON/],
    ['wrong columns', [{ question: 'x' }], /columns\.prompt=question/],
  ])('with %s', async (_name, rows, message) => {
    const reading = taken([pool('p.jsonl', ...rows)]);
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(message);
    expect(left()).toEqual(['answers', 'p.jsonl', 'rejects']);
  });

  it('where the sink fails', async () => {
    const before = await taken([pool('p.jsonl', { id: 'a', prompt: 'one', answer: '1' })]);
    const failing = ingest(
      [pool('q.jsonl', { id: 'b', prompt: 'two', answer: '2' })],
      { workspace, name: 'main' },
      () => Promise.reject(new Error('no store')),
    );
    await expect(failing).rejects.toThrow('no store');
    expect(jsonl(before.summary.answersFile)).toEqual([{ id: 'a', answer: '1' }]);
    expect(left()).toEqual(['answers', 'answers/main.jsonl', 'p.jsonl', 'q.jsonl', 'rejects']);
  });

  it('where the workspace cannot be written', async () => {
    const file = pool('p.jsonl', { prompt: 'one' });
    writeFileSync(join(workspace, 'rejects'), 'a file where a folder should be');
    await expect(taken([file])).rejects.toThrow(/wanted a file that can be written/);
    mkdirSync(join(workspace, 'answers'), { recursive: true });
    expect(left()).toEqual(['answers', 'p.jsonl', 'rejects']);
  });

  it('under a name that is a path', async () => {
    const file = pool('p.jsonl', { prompt: 'one' });
    await expect(taken([file], { name: '../evil' })).rejects.toThrow(UserError);
    expect(left()).toEqual(['p.jsonl']);
  });
});

describe('content', () => {
  it('has the same hash in the same normal form only', () => {
    expect(contentHash('a  b')).toBe(contentHash([{ role: 'user', content: ' a b' }]));
    expect(contentHash('a b')).not.toBe(contentHash('A b'));
    expect(contentHash('a b')).not.toBe(contentHash([{ role: 'system', content: 'a b' }]));
    expect(normalContent('x\t\ny')).toBe('[["user","x y"]]');
  });

  it('gives ids that stay', () => {
    expect(contentHash('What is 17 + 28?').slice(0, 24)).toMatchInlineSnapshot(
      `"239fb97a05f880afa64ba091"`,
    );
  });
});
