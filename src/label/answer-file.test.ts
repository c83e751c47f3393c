import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { openAnswerFile, sealAnswers } from './answer-file.ts';
import { mistakeFor } from './mistakes.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pivottrace-label-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const buyer = { account: 'arm', run: 'r1', step: 3 };

async function sealed(count = 5): Promise<string> {
  const path = join(directory, 'pool.jsonl');
  await sealAnswers(
    path,
    Array.from({ length: count }, (_, i) => ({ id: `p${i}`, answer: String(100 + i) })),
  );
  return path;
}

const ledgerText = () => readFileSync(join(directory, 'ledger.jsonl'), 'utf8');

describe('the answer file', () => {
  test('sells what it has and counts each sale once per account, also after reopening', async () => {
    const path = await sealed();
    const source = await openAnswerFile({ path });
    const labels = await source.buy(['p1', 'nobody', 'p3', 'p1'], buyer);
    expect(labels).toEqual([
      { promptId: 'p1', answer: '101', source: 'file', cost: 1, noisy: false },
      { promptId: 'p3', answer: '103', source: 'file', cost: 1, noisy: false },
    ]);
    const again = await openAnswerFile({ path });
    expect(await again.buy(['p3', 'p4'], { ...buyer, step: 9 })).toHaveLength(2);
    await again.buy(['p3'], { ...buyer, account: 'other' });
    expect(again.sold('arm')).toBe(3);
    expect(again.sold('other')).toBe(1);
    expect(again.ledger('arm')[1]).toEqual({
      account: 'arm',
      prompt_id: 'p3',
      run: 'r1',
      step: 3,
      source: 'file',
      cost: 1,
      noisy: false,
    });
    expect(ledgerText()).not.toMatch(/10\d/);
  });

  test('a ledger line cut short by a crash is dropped, a broken one is refused', async () => {
    const path = await sealed();
    await (await openAnswerFile({ path })).buy(['p0'], buyer);
    const whole = ledgerText();
    appendFileSync(join(directory, 'ledger.jsonl'), whole.slice(0, 20));
    const source = await openAnswerFile({ path });
    expect(source.sold('arm')).toBe(1);
    await source.buy(['p1'], buyer);
    expect(ledgerText().trim().split('\n')).toHaveLength(2);
    appendFileSync(join(directory, 'ledger.jsonl'), 'nonsense\n');
    await expect(openAnswerFile({ path })).rejects.toThrow(/ledger\.jsonl:3/);
  });

  test('sealing adds, refuses contradictions whole, and keeps the file to its owner', async () => {
    const path = await sealed(2);
    expect(
      await sealAnswers(path, [
        { id: 'p1', answer: ' 101 ' },
        { id: 'p7', answer: '7' },
      ]),
    ).toBe(1);
    const before = readFileSync(path, 'utf8');
    const wrong = [
      { id: 'p8', answer: '8' },
      { id: 'p1', answer: '5' },
    ];
    await expect(sealAnswers(path, wrong)).rejects.toThrow(UserError);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['{"id": "a", "answer": "1"}\n{"id": "b"}\n', /pool\.jsonl:2: .*answer/],
    ['{"id": "a", "answer": "1"}\n\nnot json\n', /pool\.jsonl:3: .*no JSON/],
    ['{"id": "a", "answer": "1"}\n{"id": "a", "answer": "2"}\n', /pool\.jsonl:2: .*line 1/],
    ['{"id": "a", "answer": " "}\n', /pool\.jsonl:1: .*empty answer/],
  ])('a bad file is refused with its line: %j', async (text, message) => {
    const path = join(directory, 'pool.jsonl');
    writeFileSync(path, text);
    await expect(openAnswerFile({ path })).rejects.toThrow(message);
  });

  test('a file that is not there is refused by name', async () => {
    const path = join(directory, 'nothing.jsonl');
    await expect(openAnswerFile({ path })).rejects.toThrow(/nothing\.jsonl: .*ENOENT/);
  });

  test('simulated mistakes are the same for every buyer and marked in the ledger', async () => {
    const path = await sealed(400);
    const ids = Array.from({ length: 400 }, (_, i) => `p${i}`);
    const source = await openAnswerFile({ path, mistakes: { rate: 0.25, seed: 1 } });
    const first = await source.buy(ids, buyer);
    const second = await source.buy([...ids].reverse(), { ...buyer, account: 'other' });
    expect([...second].reverse()).toEqual(first);
    const wrong = first.filter((label, i) => label.answer !== String(100 + i));
    expect(wrong.length).toBeGreaterThan(60);
    expect(wrong.length).toBeLessThan(140);
    expect(first.filter((label) => label.noisy)).toEqual(wrong);
    expect(source.ledger('arm').filter((entry) => entry.noisy)).toHaveLength(wrong.length);
  });
});

describe('a simulated mistake', () => {
  const always = (answer: string, promptId: string, others: string[] = [answer]) =>
    mistakeFor(promptId, answer, { rate: 1, seed: 4 }, others);

  test('of a number is another number of the same form', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.string(), (value, id) => {
        const wrong = always(String(value), id);
        expect(wrong).toMatch(/^-?\d+$/);
        expect(BigInt(wrong ?? value)).not.toBe(value);
      }),
    );
    expect(always('7/12', 'a')).toMatch(/^\d+\/12$/);
    expect(always('3.50', 'a')).toMatch(/^\d+\.50$/);
  });

  test('of a choice is another letter in the same dress', () => {
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(always('(B)', id)).toMatch(/^\([ACD]\)$/);
      expect(always('e', id)).toMatch(/^[a-d]$/);
    }
  });

  test('of a text is the answer of another prompt', () => {
    expect(always('red', 'a', ['red', ' RED', 'blue'])).toBe('blue');
    expect(always('red', 'a')).not.toBe('red');
  });

  test('never comes at rate 0', () => {
    expect(mistakeFor('a', '5', { rate: 0, seed: 1 }, ['6'])).toBeUndefined();
  });
});
