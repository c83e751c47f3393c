/** Rooms import only from rooms below them (docs/architecture.md). Imports of types count too. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOMS = [
  'core endpoint engine model rollout trace verify reward stats uncertainty',
  'triage pool store label method train export cluster report server cli',
]
  .join(' ')
  .split(' ');

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

interface Import {
  file: string;
  /** Path of what is imported, from the root of the package. */
  target: string;
}

/** Static, dynamic and type imports, re-exports, and modules named by URL (worker threads). */
const IMPORT = /(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*'(\.[^']*)'/g;

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => ({
    file: relative(root, path),
    target: relative(root, join(dirname(path), match[1])),
  }));
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(tsx?|mjs)$/.test(name))
  .map((name) => join(source, name));
const imports = files.flatMap(importsOf);
const roomOf = (path: string) => path.split(sep)[1];
const isForTests = (path: string) =>
  path.includes('.test.') || path.includes(`${sep}testing${sep}`);

it('knows every room', () => {
  const rooms = new Set(files.map((path) => roomOf(relative(root, path))));
  expect([...rooms].filter((room) => !ROOMS.includes(room))).toEqual([]);
  expect(imports.length).toBeGreaterThan(300);
});

it('no import goes up', () => {
  const wrong = imports
    .filter(({ target }) => target.startsWith(`src${sep}`))
    .filter(({ file, target }) => ROOMS.indexOf(roomOf(target)) > ROOMS.indexOf(roomOf(file)))
    .map(({ file, target }) => `${file} imports ${target}`);
  expect(wrong).toEqual([]);
});

it('only tests import code from outside the sources', () => {
  const wrong = imports
    .filter(({ file, target }) => !isForTests(file) && !target.startsWith(`src${sep}`))
    .filter(({ target }) => /\.(tsx?|m?js)$/.test(target))
    .map(({ file, target }) => `${file} imports ${target}`);
  expect(wrong).toEqual([]);
});

it('no code but tests imports what is for tests', () => {
  const wrong = imports
    .filter(({ file, target }) => !isForTests(file) && isForTests(target))
    .map(({ file, target }) => `${file} imports ${target}`);
  expect(wrong).toEqual([]);
});
