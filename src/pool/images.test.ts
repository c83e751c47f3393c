import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { contentHash, isText, textOf } from './content.ts';
import { imageFault, isShownImage, LARGEST_IMAGE } from './images.ts';
import { ingest } from './ingest.ts';
import { readPool } from './read.ts';
import { collected } from './test-helpers.ts';
import { dataUrl, PIXEL } from './testing/images.ts';
import type { Content, PoolPrompt } from './types.ts';
import { writeJsonl } from './write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-images-'));
});

const image = (url: unknown, more = {}) => ({ type: 'image_url', image_url: { url }, ...more });
const said = (text: string) => ({ type: 'text', text });

/** What becomes of one user message with this content. */
async function read(content: unknown): Promise<PoolPrompt | string> {
  const path = join(folder, 'pool.jsonl');
  writeFileSync(path, `${JSON.stringify({ id: 'a', prompt: [{ role: 'user', content }] })}\n`);
  const [entry] = await collected(readPool(path));
  return entry.kind === 'row' ? entry.prompt : entry.reason;
}

async function contentRead(content: unknown): Promise<Content | string> {
  const prompt = await read(content);
  if (typeof prompt === 'string' || typeof prompt.prompt === 'string') return `refused: ${prompt}`;
  return prompt.prompt[0].content;
}

describe('messages with images', () => {
  it('keep text and images in their order', async () => {
    const content = [said('Look: '), image(PIXEL), said('Which colour?')];
    expect(await contentRead(content)).toEqual(content);
    const elsewhere = [image('https://host.example/a.png?b=1#c')];
    expect(await contentRead(elsewhere)).toEqual(elsewhere);
  });

  it('take the address as a text too, drop the hint for detail and the empty keys that Parquet has', async () => {
    const canonical = [image(PIXEL)];
    expect(await contentRead([{ type: 'image_url', image_url: PIXEL }])).toEqual(canonical);
    const hinted = { type: 'image_url', image_url: { url: PIXEL, detail: 'low' }, text: null };
    expect(await contentRead([hinted])).toEqual(canonical);
  });

  it('that hold text alone are texts, a line for each part', async () => {
    expect(await contentRead([said('one'), said('two')])).toBe('one\ntwo');
    expect(await read([said(' ')])).toBe('prompt[0].content is empty');
    expect(await read([])).toBe('prompt[0].content is empty');
  });

  it('are refused with the reason where an image may run something or is none', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
    const kinds = 'no PNG, JPEG, WebP or GIF image in base64';
    for (const [url, reason] of [
      [dataUrl('svg+xml', svg), kinds],
      [`data:image/svg+xml,${encodeURIComponent(svg.toString())}`, kinds],
      ['data:text/html;base64,AAAA', kinds],
      ['DATA:image/png;base64,AAAA', kinds],
      [dataUrl('png', svg), 'no png image, as it says it is'],
      [`${PIXEL}!`, 'no valid base64'],
      ['javascript:alert(1)', 'neither a data: URL nor an http(s) address'],
      ['file:///etc/passwd', 'neither a data: URL nor an http(s) address'],
      ['pictures/a.png', 'neither a data: URL nor an http(s) address'],
      ['https://ann:secret@host/a.png', 'neither a data: URL nor an http(s) address'],
      ['https://host/\u202egnp.exe', 'neither a data: URL nor an http(s) address'],
      [`https://host/${'a'.repeat(2_000)}`, 'an address of more than 2000 characters'],
    ]) {
      expect(await read([said('Look'), image(url)])).toContain(`prompt[0].content[1] is ${reason}`);
    }
    expect(await read([image(null)])).toBe('prompt[0].content[0].image_url has no url');
    expect(await read([{ type: 'video' }])).toContain('type is neither "text" nor "image_url"');
    expect(await read([said('a'), 'b'])).toBe('prompt[0].content[1] is no part of a message');
    expect(await read([image(PIXEL, { alt: 'x' })])).toContain('a key that is not supported: alt');
  });

  it('take an image of 3 MiB and none that is larger', () => {
    const png = (bytes: number) =>
      dataUrl('png', Buffer.concat([Buffer.from(PIXEL.slice(22), 'base64'), Buffer.alloc(bytes)]));
    const around = Buffer.from(PIXEL.slice(22), 'base64').byteLength;
    expect(imageFault(png(LARGEST_IMAGE - around))).toBeNull();
    expect(imageFault(png(LARGEST_IMAGE))).toBe('an image of more than 3 MiB');
    expect(isShownImage(png(1_000))).toBe(true);
    expect(isShownImage('https://host.example/a.png')).toBe(false);
  });

  it('are the same prompt where text and images are, however the text is spaced', () => {
    const hash = (...content: Content[]) =>
      contentHash(content.map((one) => ({ role: 'user' as const, content: one })));
    const parts = (text: string, url: string): Content => [
      { type: 'text', text },
      { type: 'image_url', image_url: { url } },
    ];
    expect(hash(parts('a  b', PIXEL))).toBe(hash(parts(' a b', PIXEL)));
    expect(hash(parts('a b', PIXEL))).not.toBe(hash(parts('a b', 'https://host/a.png')));
    expect(hash(parts('a b', PIXEL))).not.toBe(hash('a b'));
  });

  it('are merged as duplicates, and come back from a file as they went in', async () => {
    const path = join(folder, 'pool.jsonl');
    const rows = ['Look', ' Look '].map((text, i) => ({
      id: `row ${i}`,
      prompt: [{ role: 'user', content: [said(text), image(PIXEL)] }],
    }));
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
    const taken: PoolPrompt[] = [];
    const summary = await ingest([path], { workspace: folder, name: 'main' }, async (prompts) => {
      taken.push(...prompts);
    });
    expect(summary).toMatchObject({ rows: 1, merged: 1, rejected: 0 });
    const again = join(folder, 'again.jsonl');
    await writeJsonl(again, taken);
    const [entry] = await collected(readPool(again));
    expect(entry).toMatchObject({ kind: 'row', prompt: taken[0] });
    expect(readFileSync(again, 'utf8')).toContain(PIXEL);
  });

  it('are handed on before they fill the memory', async () => {
    const path = join(folder, 'pool.jsonl');
    const large = dataUrl(
      'png',
      Buffer.concat([Buffer.from(PIXEL.slice(22), 'base64'), Buffer.alloc(3_000_000)]),
    );
    const row = (i: number) =>
      JSON.stringify({ prompt: [{ role: 'user', content: [said(`${i}`), image(large)] }] });
    writeFileSync(path, Array.from({ length: 12 }, (_, i) => row(i)).join('\n'));
    const batches: number[] = [];
    const options = { workspace: folder, name: 'main' };
    await ingest([path], options, async ({ length }) => void batches.push(length));
    expect(batches.reduce((sum, count) => sum + count)).toBe(12);
    expect(Math.max(...batches)).toBeLessThan(12);
  });
});

it('a prompt with an image is no text; as text the image is a word', () => {
  const prompt = { id: 'a', source: 's', metadata: {} };
  const content: Content = [
    { type: 'text', text: 'Look' },
    { type: 'image_url', image_url: { url: PIXEL } },
    { type: 'image_url', image_url: { url: 'https://host/a.png' } },
  ];
  expect(isText({ ...prompt, prompt: [{ role: 'user', content }] })).toBe(false);
  expect(isText({ ...prompt, prompt: [{ role: 'user', content: 'Look' }] })).toBe(true);
  expect(isText({ ...prompt, prompt: 'Look' })).toBe(true);
  expect(textOf(content)).toBe('Look\n[image]\n[image: https://host/a.png]');
});
