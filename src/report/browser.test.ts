import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from './report.tsx';
import { sampleReport } from './testing/fixture.ts';

const EXECUTABLE = process.env.PIVOTTRACE_CHROMIUM ?? '/usr/bin/chromium';
const PRESENT = existsSync(EXECUTABLE);
const NAME = PRESENT
  ? 'the report in Chromium'
  : `the report in Chromium (skipped: no ${EXECUTABLE}; install chromium or set PIVOTTRACE_CHROMIUM)`;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A report with words that cannot be broken and long tables. */
function wideReport() {
  const data = sampleReport();
  data.run.title = `Report ${'w'.repeat(120)}`;
  data.run.command = `npx pivottrace demo ${'x'.repeat(300)}`;
  const example = data.examples?.[0];
  if (example !== undefined) {
    example.promptId = 'p'.repeat(200);
    example.prompt = 'q'.repeat(2000);
    example.tokens[0] = { text: '<script>'.repeat(60), signal: 1, change: 1, pivot: true };
  }
  for (const arm of data.comparison?.arms ?? []) arm.label += ` ${'l'.repeat(60)}`;
  for (const move of data.routing?.latest ?? []) move.evidence.key = 'v'.repeat(300);
  return data;
}

describe.skipIf(!PRESENT)(NAME, () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'report-browser-'));
    writeReport(join(folder, 'sample.html'), sampleReport());
    writeReport(join(folder, 'wide.html'), wideReport());
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const file of ['sample.html', 'wide.html']) {
    for (const width of [360, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        it(`${file} fits ${width} px in ${colorScheme} without a complaint`, async () => {
          const context = await browser.newContext({
            viewport: { width, height: 800 },
            colorScheme,
          });
          const page = await context.newPage();
          const said: string[] = [];
          const asked: string[] = [];
          page.on('console', (message) => said.push(message.text()));
          page.on('pageerror', (error) => said.push(String(error)));
          page.on('request', (request) => asked.push(request.url()));
          const url = pathToFileURL(join(folder, file)).href;
          await page.goto(url);
          const size = 'document.documentElement.scrollWidth';
          expect(await page.evaluate(size)).toBeLessThanOrEqual(width);
          expect(said).toEqual([]);
          expect(asked.filter((to) => to !== url && !to.startsWith('data:'))).toEqual([]);
          const box = await page.locator('#training .plot svg:visible').first().boundingBox();
          expect(box?.width).toBeGreaterThan(width === 360 ? 300 : 900);
          expect(await page.evaluate(CLIPPED)).toEqual([]);
          const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
          expect(background).toBe(
            colorScheme === 'dark' ? 'rgb(20, 23, 27)' : 'rgb(255, 255, 255)',
          );
          await context.close();
        });
      }
    }
  }

  it('text has a contrast of 4.5 or more with its background in both schemes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ colorScheme });
      const page = await context.newPage();
      await page.goto(pathToFileURL(join(folder, 'sample.html')).href);
      expect(await page.evaluate(FAINT)).toEqual([]);
      await context.close();
    }
  });
});

/** Texts of charts that leave the page at the right or left. */
const CLIPPED = `[...document.querySelectorAll('svg text')].filter((text) => {
  const box = text.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth || box.left < 0);
}).map((text) => text.textContent)`;

/** Texts on opaque backgrounds with a contrast below WCAG AA; SVG text counts with its fill. */
const FAINT = `(() => {
  const parse = (color) => (color.match(/[0-9.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, under) => top.length < 4
    ? top : [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const behind = (element) => {
    const chain = [];
    for (let at = element; at !== null; at = at.parentElement) chain.unshift(at);
    return chain.reduce((color, at) => over(parse(getComputedStyle(at).backgroundColor), color), [255, 255, 255]);
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element === null || walker.currentNode.data.trim() === '') continue;
    if (element.tagName === 'title') continue;
    const style = getComputedStyle(element);
    const svg = element.closest('svg') !== null;
    const bar = svg ? element.parentElement?.querySelector('rect') ?? null : null;
    const under = bar === null ? behind(element) : parse(getComputedStyle(bar).fill);
    const [a, b] = [light(parse(svg ? style.fill : style.color)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.add(element.className + ' ' + element.tagName + ' ' + ratio.toFixed(2));
  }
  return [...faint];
})()`;
