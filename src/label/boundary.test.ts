/** The training side cannot reach the sealed answers: checked on the sources themselves. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '..');
const rooms = ['train', 'reward', 'rollout', 'trace', 'triage', 'model', 'engine', 'uncertainty'];
const sealed = join(source, 'label', 'answer-file.ts');

function filesUnder(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
    .map((name) => join(directory, name));
}

/** The project's own modules that `file` loads, by whatever form of import. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const names = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...names].map(([, name]) => resolve(dirname(file), name)).filter(existsSync);
}

function reachableFrom(files: readonly string[]): Map<string, string> {
  const via = new Map(files.map((file) => [file, file]));
  for (const file of via.keys()) {
    for (const next of importsOf(file)) if (!via.has(next)) via.set(next, file);
  }
  return via;
}

const training = rooms.flatMap((room) => filesUnder(join(source, room)));

test('no module of the training side reaches the answer file, directly or through others', () => {
  expect(training.length).toBeGreaterThan(10);
  const via = reachableFrom(training);
  expect(via.has(sealed), `imported by ${via.get(sealed)}`).toBe(false);
});

test('the search for imports sees what it must', () => {
  expect(reachableFrom([join(import.meta.dirname, 'desk.test.ts')]).has(sealed)).toBe(true);
});

test('no module of the training side names the directory of the answers', () => {
  const naming = training.filter((file) =>
    /answers\/|\/answers\b|['"`]answers['"`]|answer-file|ledger/.test(readFileSync(file, 'utf8')),
  );
  expect(naming.map((file) => relative(source, file))).toEqual([]);
});

test('of the label room only the answer file opens the ledger and reads sealed records', () => {
  const importers = (name: string) =>
    filesUnder(join(source, 'label'))
      .filter((file) => importsOf(file).includes(join(source, 'label', name)))
      .map((file) => relative(join(source, 'label'), file))
      .filter((file) => !file.includes('testing'))
      .sort();
  expect(importers('ledger.ts')).toEqual(['answer-file.ts']);
  expect(importers('records.ts')).toEqual(['answer-file.ts']);
});
