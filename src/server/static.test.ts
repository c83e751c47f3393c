/** The page and its files, through real HTTP: bundled from sources, compressed, kept for ever where that is right. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import { freshPath } from '../store/testing/workspace.ts';
import { bundleApp } from './bundle.ts';
import { acceptedBy } from './static.ts';
import { openTestDesk } from './testing/desk.ts';

vi.setConfig({ testTimeout: 300_000 });

function appFolder(files: Record<string, string>): string {
  const folder = freshPath();
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const small = {
  'main.tsx': `import './main.css';
    import { shared } from './shared.ts';
    document.title = shared;
    void import('./late.ts');
    // ${'a long comment that is not sent '.repeat(50)}`,
  'shared.ts': 'export const shared: string = "shared";',
  'late.ts':
    'import "./late.css"; import { shared } from "./shared.ts"; console.log(shared, "late");',
  'main.css': '@font-face { font-family: f; src: url(./f.woff2) } body { color: red }',
  'late.css': 'p { color: blue }',
  'f.woff2': 'not really a font',
};

test('the page has the tags of its scripts and styles, and nothing inline', async () => {
  const desk = await openTestDesk({ assets: await bundleApp(appFolder(small)) });
  const browser = desk.browser();
  const pages = await Promise.all(
    ['/', '/traces/p1', '/join'].map((path) => browser.send('GET', path)),
  );
  const [html, ...others] = await Promise.all(pages.map((page) => page.text()));
  expect(others).toEqual([html, html]);
  expect(pages[0].headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(pages[0].headers.get('cache-control')).toBe('no-cache');
  expect(html).not.toMatch(/<style|style=|<script[^>]*>[^<]/);
  const scripts = [...html.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, src]) => src);
  const styles = [...html.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].map(([, to]) => to);
  expect(scripts).toEqual([expect.stringMatching(/^\/assets\/main-/)]);
  expect(html.match(/<link rel="modulepreload"/g)).toHaveLength(1);
  expect(styles).toHaveLength(2);
  for (const path of [...scripts, ...styles]) {
    const response = await browser.send('GET', path);
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(response.headers.get('content-type')).toMatch(/^text\/(javascript|css); charset=utf-8$/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(path).toMatch(/^\/assets\/[\w-]+-[A-Z0-9]{8}\.(js|css)$/);
  }
  const css = await (
    await browser.send('GET', styles.find((path) => /main/.test(path)) ?? '')
  ).text();
  const font = /url\("?([^")]+)/.exec(css)?.[1].replace('./', '/assets/') ?? '';
  const sent = await browser.send('GET', font);
  expect(sent.headers.get('content-type')).toBe('font/woff2');
  expect(await sent.text()).toBe('not really a font');
  for (const missing of ['/assets/none.js', '/favicon.ico', '/assets/../package.json']) {
    expect((await browser.send('GET', missing)).status, missing).toBe(404);
  }
  expect((await browser.send('POST', '/', {})).status).toBe(404);
});

test('text is sent compressed to who takes it, and not again to who has it', async () => {
  const assets = await bundleApp(
    appFolder({ 'main.tsx': `document.title = ${JSON.stringify('many words '.repeat(500))};` }),
  );
  const [[path, file]] = [...assets.files];
  expect(file.brotli?.byteLength).toBeLessThan(200);
  expect(brotliDecompressSync(file.brotli ?? new Uint8Array())).toEqual(Buffer.from(file.body));
  const desk = await openTestDesk({ assets });
  const codingFor = async (accepted: string) => {
    const headers = { 'accept-encoding': accepted };
    return (await desk.browser().send('GET', path, undefined, headers)).headers;
  };
  expect((await codingFor('gzip, br')).get('content-encoding')).toBe('br');
  expect((await codingFor('gzip')).get('content-encoding')).toBe('gzip');
  const plain = await codingFor('br;q=0, identity');
  expect(plain.get('content-encoding')).toBe(null);
  expect(plain.get('vary')).toBe('accept-encoding');
  const etag = plain.get('etag') ?? '';
  const again = await desk.browser().send('GET', path, undefined, { 'if-none-match': etag });
  expect(again.status).toBe(304);
  expect(acceptedBy('gzip;q=0.5')('gzip')).toBe(true);
});

test('an app that cannot be bundled is refused with the reason', async () => {
  const broken = bundleApp(appFolder({ 'main.tsx': 'import "./none.ts";\nconst x = ;' }));
  await expect(broken).rejects.toThrow(UserError);
  await expect(broken).rejects.toThrow(/main\.tsx:\d+: /);
  await expect(bundleApp(freshPath())).rejects.toThrow(/browser app/);
  const twice = appFolder({ 'main.tsx': '', 'index.html': '<!--app--><!--app-->' });
  await expect(bundleApp(twice)).rejects.toThrow(/2 times/);
});
