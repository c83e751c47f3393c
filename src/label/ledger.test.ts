/** The ledger under several processes at once. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openLedger } from './ledger.ts';

const seller = join(import.meta.dirname, 'testing/seller.ts');

test('processes that sell at once lose no sale, cut none in two and count none twice', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-ledger-'));
  const path = join(folder, 'ledger.jsonl');
  const sold = await Promise.all(
    [0, 10, 20, 30].map(async (from) => {
      const child = spawn(process.execPath, ['--import', 'tsx', seller, path, `${from}`, '20'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return Number(await text(child.stdout));
    }),
  );
  expect(sold.reduce((sum, one) => sum + one)).toBe(50);
  const ids = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line).prompt_id);
  expect(new Set(ids).size).toBe(50);
  expect(ids).toHaveLength(50);
  expect(openLedger(path).entries).toHaveLength(50);
  expect(readdirSync(folder)).toEqual(['ledger.jsonl']);
});

test('what another process has sold meanwhile is known before the next sale', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'pivottrace-ledger-')), 'ledger.jsonl');
  const [one, other] = [openLedger(path), openLedger(path)];
  const entry = { account: 'arm', run: null, step: null, source: 'file', cost: 1, noisy: false };
  expect(one.append([{ ...entry, prompt_id: 'p1' }])).toBe(1);
  expect(other.append([{ ...entry, prompt_id: 'p1' }])).toBe(0);
  expect(
    other.append([
      { ...entry, prompt_id: 'p2' },
      { ...entry, prompt_id: 'p2' },
    ]),
  ).toBe(1);
  expect(one.append([{ ...entry, prompt_id: 'p3' }])).toBe(1);
  expect(one.entries.map(({ prompt_id: id }) => id)).toEqual(['p1', 'p2', 'p3']);
});
