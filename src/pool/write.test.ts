// What is written is read back the same.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { isText } from './content.ts';
import { readPool } from './read.ts';
import { collected } from './test-helpers.ts';
import type { Message, Prompt } from './types.ts';
import { writeJsonl, writeParquet } from './write.ts';

const folder = mkdtempSync(join(tmpdir(), 'write-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function back(path: string): Promise<Prompt[]> {
  const entries = await collected(readPool(path));
  return entries.map((entry) => {
    if (entry.kind === 'reject') throw new Error(entry.reason);
    if (!isText(entry.prompt)) throw new Error('an image where there was none');
    return entry.prompt;
  });
}

const text = fc.string({ unit: 'grapheme' }).map((rest) => `t${rest.replaceAll('\0', '')}`);
const word = text.map((value) => value.trim());
const message = fc.record<Message>({
  role: fc.constantFrom('system', 'user', 'assistant', 'tool'),
  content: text,
});
const metadata = fc.record({
  level: fc.integer(),
  tags: fc.array(text, { maxLength: 3 }),
  more: fc.record({ deep: fc.constantFrom(null, true, 'x') }),
});
const poolOf = <T extends Prompt['prompt']>(prompt: fc.Arbitrary<T>) =>
  fc.array(fc.record({ id: word, prompt, source: word, metadata }), { minLength: 1, maxLength: 8 });
const pools = fc.oneof(poolOf(text), poolOf(fc.array(message, { minLength: 1, maxLength: 4 })));

it('as JSONL', async () => {
  const path = join(folder, 'pool.jsonl');
  await fc.assert(
    fc.asyncProperty(pools, async (prompts) => {
      await writeJsonl(path, prompts);
      expect(await back(path)).toEqual(prompts);
    }),
    { numRuns: 50 },
  );
});

it('as Parquet', async () => {
  const path = join(folder, 'pool.parquet');
  await fc.assert(
    fc.asyncProperty(pools, async (prompts) => {
      writeParquet(path, prompts);
      expect(await back(path)).toEqual(prompts);
    }),
    { numRuns: 50 },
  );
});

it('as Parquet, strings beside messages', async () => {
  const path = join(folder, 'mixed.parquet');
  const common = { source: 's', metadata: {} };
  const chat: Message[] = [{ role: 'user', content: 'there' }];
  writeParquet(path, [
    { id: 'a', prompt: 'hi', ...common },
    { id: 'b', prompt: chat, ...common },
  ]);
  expect((await back(path)).map(({ prompt }) => prompt)).toEqual([
    [{ role: 'user', content: 'hi' }],
    chat,
  ]);
});

it('leaves nothing behind when the prompts fail', async () => {
  async function* failing(): AsyncGenerator<Prompt> {
    yield { id: 'a', prompt: 'x', source: 's', metadata: {} };
    throw new Error('stopped');
  }
  await expect(writeJsonl(join(folder, 'failed.jsonl'), failing())).rejects.toThrow('stopped');
  expect(readdirSync(folder).filter((name) => name.startsWith('failed'))).toEqual([]);
});
