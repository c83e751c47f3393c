// Every file of test/files/pool gives what its .expected.json says; and what must hold for any file.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { cutRecords } from './lines.ts';
import { readPool } from './read.ts';
import { collected } from './test-helpers.ts';
import type { PoolEntry, PoolOptions } from './types.ts';

const files = fileURLToPath(new URL('../../test/files/pool', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const expectedSchema = z.strictObject({
  options: z.strictObject({
    columns: z.record(z.string(), z.string()).optional(),
    maxLineBytes: z.int().optional(),
    maxRawChars: z.int().optional(),
  }),
  error: z.string().optional(),
  entries: z.array(z.array(z.unknown())).optional(),
});

async function all(path: string, options?: PoolOptions): Promise<PoolEntry[]> {
  return await collected(readPool(path, options));
}

function written(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** An entry in the form of the expected files: [line, prompt, answer, what is not the default] or [line, refusal]. */
function brief(entry: PoolEntry, file: string): unknown[] {
  if (entry.kind === 'reject') {
    // What the JSON parser says differs between versions of Node.
    const refused = entry.reason.replace(/^(not valid JSON): .*/su, '$1');
    return [entry.at.line, { refused, raw: entry.raw }];
  }
  const { id, source, metadata, prompt } = entry.prompt;
  const rest = {
    ...(/^[0-9a-f]{24}$/.test(id) ? {} : { id }),
    ...(source === file ? {} : { source }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(entry.withheld.length === 0 ? {} : { withheld: entry.withheld }),
  };
  return [entry.at.line, prompt, entry.answer ?? null, rest];
}

describe('files', () => {
  const names = readdirSync(files).filter((name) => !name.endsWith('.json'));

  it.each(names)('%s', async (name) => {
    const text = readFileSync(join(files, `${name}.expected.json`), 'utf8');
    const { options, error, entries } = expectedSchema.parse(JSON.parse(text));
    const reading = all(join(files, name), options);
    if (error !== undefined) {
      await expect(reading).rejects.toThrow(UserError);
      await expect(reading).rejects.toThrow(error);
    } else expect((await reading).map((entry) => brief(entry, name))).toEqual(entries);
  });

  it('of a folder, in the order of their names', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'b'), { recursive: true });
    writeFileSync(join(tree, 'c.csv'), 'prompt\nthree');
    writeFileSync(join(tree, 'b', 'x.jsonl'), '{"prompt":"two"}');
    writeFileSync(join(tree, 'a.NDJSON'), '{"prompt":"one"}');
    writeFileSync(join(tree, 'readme.txt'), 'not a pool');
    const prompts = (await all(tree)).map((entry) => entry.kind === 'row' && entry.prompt.prompt);
    expect(prompts).toEqual(['one', 'two', 'three']);
    mkdirSync(join(folder, 'bare'));
    await expect(all(join(folder, 'bare'))).rejects.toThrow(/a folder without such files/);
  });
});

describe('paths', () => {
  it.each([
    ['missing.jsonl', undefined, /ENOENT/],
    ['words.txt', 'x', /wanted a pool file \(.jsonl, .ndjson, .csv, .tsv, .parquet\).*\.txt/],
    [
      'cut.parquet',
      readFileSync(join(files, 'row-groups-gzip.parquet')).subarray(0, 900),
      /Parquet/,
    ],
  ])('%s is refused by name', async (name, content, message) => {
    const path = content === undefined ? join(folder, name) : written(name, content);
    await expect(all(path)).rejects.toThrow(UserError);
    await expect(all(path)).rejects.toThrow(message);
    await expect(all(path)).rejects.toThrow(name);
  });

  it('a Parquet file with damaged pages is refused by name', async () => {
    const bytes = Buffer.from(readFileSync(join(files, 'row-groups-gzip.parquet')));
    bytes.fill(0x5a, 4, 200);
    await expect(all(written('damaged.parquet', bytes))).rejects.toThrow(/damaged\.parquet/);
  });
});

it('rejects and rows are the lines, in their order', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((prompt) => JSON.stringify({ prompt })),
    fc.constantFrom('{', '[]', '{"prompt":""}', '{"x":1}', 'null', '"'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.boolean(), async (lines, crlf) => {
      const good = JSON.stringify({ prompt: 'good' });
      const path = written('any.jsonl', [good, ...lines].join(crlf ? '\r\n' : '\n'));
      const entries = await all(path);
      expect(entries.map(({ at }) => at.line)).toEqual([good, ...lines].map((_, at) => at + 1));
      for (const [at, entry] of entries.slice(1).entries()) {
        if (entry.kind === 'reject') expect(entry.raw).toBe(lines[at]);
        else expect(JSON.parse(lines[at])).toEqual({ prompt: entry.prompt.prompt });
      }
    }),
    { numRuns: 100 },
  );
});

it('CSV gives back what was quoted, however the bytes arrive', async () => {
  const cell = fc.array(fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é', '5'), {
    maxLength: 8,
  });
  const row = fc.tuple(cell, cell).map((cells) => cells.map((parts) => parts.join('')));
  const quotedCell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 12 }), async (rows) => {
      const filled = rows.map(([prompt, note]) => [`p${prompt}`, note]);
      const lines = [['prompt', 'note'], ...filled].map((cells) => cells.map(quotedCell).join(','));
      const entries = await all(written('any.csv', `${lines.join('\n')}\n`));
      const read = entries.map((entry) =>
        entry.kind === 'row' ? [entry.prompt.prompt, entry.prompt.metadata.note] : entry.reason,
      );
      expect(read).toEqual(filled);
    }),
    { numRuns: 200 },
  );
});

describe('records', () => {
  async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const cut = async (chunks: AsyncIterable<Buffer>, quoted: boolean, maxBytes = 40) =>
    (await collected(cutRecords(chunks, { maxBytes, quoted, delimiter: 44 }))).map(
      ({ line, bytes, refused }) => [line, bytes.toString('latin1'), refused],
    );

  it('are the same for every size of the chunks', async () => {
    const part = fc.constantFrom('a', '"', '""', ',', '\n', '\r\n', '"x\ny"', 'b'.repeat(30));
    const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (all, size, quoted) => {
          const bytes = Buffer.from(all);
          const whole = await cut(chunked(bytes, 1), quoted, 1000);
          expect(await cut(chunked(bytes, size), quoted, 1000)).toEqual(whole);
          const small = await cut(chunked(bytes, 1), quoted);
          const lines = small.map(([line]) => Number(line));
          expect(lines).toEqual([...lines].sort((a, b) => a - b));
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([true, false])(
    'refuse a line of 1 GB without holding it (quoted: %s)',
    async (quoted) => {
      const block = Buffer.alloc(1024 * 1024, 'x');
      async function* endless(): AsyncGenerator<Buffer> {
        yield Buffer.from('first\n');
        for (let at = 0; at < (quoted ? 64 : 1024); at++) yield block;
        yield Buffer.from('\nlast\n');
      }
      const records = await cut(endless(), quoted, 4 * 1024 * 1024);
      expect(records.map(([line, , refused]) => [line, refused])).toEqual([
        [1, undefined],
        [2, 'longer than 4194304 bytes'],
        [3, undefined],
      ]);
      expect(records[1][1]).toHaveLength(4096);
    },
  );

  it('cost a bounded number of passes where every line opens a quote', async () => {
    const bytes = Buffer.from('"open,\n'.repeat(20_001));
    const records = await cut(chunked(bytes, 65_536), true, 100_000);
    const takenBack = records.filter(([, , refused]) =>
      refused?.toString().includes('never closed'),
    );
    expect(takenBack.length).toBeGreaterThanOrEqual(100);
    expect(takenBack.length).toBeLessThanOrEqual(101);
  });
});
