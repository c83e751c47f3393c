// docs/guide/methods.md has a row for every method, with its surface, its paper and its settings as they are.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { methods } from '../src/method/registry.ts';

const page = readFileSync(new URL('../docs/guide/methods.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it('lists every method once', () => {
  const listed = rows.map(([, name]) => name.replaceAll('`', ''));
  expect(listed.toSorted()).toEqual(methods.map(({ name }) => name).toSorted());
});

it.each(methods.map((method) => [method.name, method] as const))('describes %s', (name, method) => {
  const row = rows.find(([, cell]) => cell === `\`${name}\``);
  const defaults = Object.entries(Object(method.settings.parse({})));
  const settings = defaults.map(([key, value]) => `\`${key}\` ${value}`).join(', ') || 'none';
  const paper = /arXiv (\d{4}\.\d{5})/.exec(method.source)?.[1];
  expect(row?.slice(2, 3)).toEqual([method.surface]);
  expect(row?.[3]).toContain(paper);
  expect(row?.[4]).toBe(settings);
});
