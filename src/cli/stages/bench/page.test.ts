import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { BenchData } from '../../../report/bench/data.ts';
import { renderBench } from '../../../report/bench/page.tsx';
import { benchMarkdown } from './markdown.ts';
import { summaryOf } from './summary.ts';
import { resultText } from './terminal.ts';
import { sampleBench } from './testing/cells.ts';

const data = sampleBench();
const HOSTILE = '<script>alert(1)</script>"&\u202e|';

function hostile(): BenchData {
  const [first, ...pools] = data.pools;
  const [arm, ...arms] = first.arms;
  const spoilt = { ...arm, title: HOSTILE, note: HOSTILE, group: HOSTILE };
  return {
    ...data,
    ...{ name: HOSTILE, command: HOSTILE, base: [[HOSTILE, HOSTILE]] },
    pools: [{ ...first, title: HOSTILE, arms: [spoilt, ...arms] }, ...pools],
  };
}

/** Seeds that cannot be compared: one of each, and an arm alone. */
function sparse(): BenchData {
  const [pool] = data.pools;
  const arms = pool.arms.slice(1, 2).map((arm) => ({
    ...arm,
    ...{ start: null, greedy: null, greedyChange: null, labelsVisited: null },
    ...{ minusReference: null, minusRandom: null, convergence: null },
    final: { value: 0.7, low: null, high: null },
  }));
  const alone = { ...pool, target: null, prompts: null, redundancy: null, arms };
  return { ...data, budget: null, k: null, testPrompts: null, machine: null, pools: [alone] };
}

test('the page is whole and closed: no script, nothing loaded, every table and chart there', () => {
  const html = renderBench(data);
  const { document } = parseHTML(html);
  expect(document.querySelectorAll('script, img, iframe, object, form')).toHaveLength(0);
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
  expect(policy?.getAttribute('content')).toContain("default-src 'none'");
  expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
  // Two tables over pools, three of each pool.
  expect(document.querySelectorAll('table')).toHaveLength(2 + 3 * 4);
  // Over pools 2; of each pool two forests, an overview, eight single curves and the labels.
  expect(document.querySelectorAll('figure')).toHaveLength(2 + 4 * 12);
  expect(html).toBe(renderBench(sampleBench()));
  for (const link of document.querySelectorAll('nav a')) {
    expect(document.querySelector(link.getAttribute('href') ?? '')).not.toBeNull();
  }
});

test('foreign words are only ever text', () => {
  const html = renderBench(hostile());
  expect(html).not.toContain('<script');
  expect(html).not.toContain('\u202e');
  expect(html).toContain('&lt;script');
});

test('what was not measured is a dash, on the page and in the tables', () => {
  for (const one of [sparse(), { ...data, pools: [] }]) {
    for (const text of [renderBench(one), benchMarkdown(one), resultText(one, 'bench.html')]) {
      expect(text).not.toMatch(/NaN|undefined|Infinity|null|\[object/);
    }
  }
});

test('the figures are those of the data, and a bound is called one', () => {
  const [pool] = data.pools;
  const byId = new Map(pool.arms.map((arm) => [arm.id, arm]));
  const pivots = byId.get('pivots');
  expect(pivots?.convergence).toMatchObject({ reached: 2, seeds: 5 });
  const markdown = benchMarkdown(data);
  const rows = markdown.split('\n').filter((line) => line.startsWith('| PivotTrace, fixed'));
  expect(rows[2]).toContain('| ≤ 1.00× [0.95×, 1.06×] |');
  expect(
    markdown.split('\n').find((line) => line.startsWith('| Majority vote only | 4,')),
  ).toContain('| never |');
  expect(markdown).toContain('4 cells have no result: r40/oracle/105');
});

test('the summary has every arm of the first pool by name, and all pools', () => {
  const { full, pivottrace, seeds, missing, pools } = Object(summaryOf(data));
  const [{ arms }] = data.pools;
  const arm = arms.find(({ id }) => id === 'pivottrace');
  expect(full).toMatchObject({ accuracy: arms[0].final.value, labels: 1 });
  expect(full).not.toHaveProperty('minus_full');
  expect(pivottrace).toMatchObject({
    accuracy: arm?.final.value,
    labels: 320 / 2000,
    minus_full: arm?.minusReference?.difference.value,
    minus_full_low: arm?.minusReference?.difference.low,
    minus_full_bound: arm?.minusReference?.bound,
    minus_random_low: arm?.minusRandom?.difference.low,
    convergence: arm?.convergence?.rollouts.value,
    convergence_low: arm?.convergence?.rollouts.low,
    convergence_reached: 5,
  });
  expect({ seeds, missing, pools: Object.keys(pools) }).toEqual({
    seeds: 4,
    missing: 4,
    pools: ['r40', 'r60', 'r75', 'r87'],
  });
  expect(pools.r75.redundancy).toBe(0.75);
});

test('a title with a bar does not break a table', () => {
  const row = benchMarkdown(hostile())
    .split('\n')
    .find((line) => line.startsWith('| <script'));
  expect(row?.split(/(?<!\\)\|/)).toHaveLength(13);
});

const EXECUTABLE = process.env.PIVOTTRACE_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];

describe.skipIf(!existsSync(EXECUTABLE))('the page in Chromium', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bench-page-'));
    writeFileSync(join(folder, 'sample.html'), renderBench(data));
    writeFileSync(join(folder, 'hostile.html'), renderBench(hostile()));
    writeFileSync(join(folder, 'sparse.html'), renderBench(sparse()));
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const file of ['sample.html', 'hostile.html', 'sparse.html']) {
    for (const width of [360, 1200]) {
      it(`${file} fits ${width} px in light and dark without a complaint`, async () => {
        for (const colorScheme of ['light', 'dark'] as const) {
          const viewport = { width, height: 800 };
          const context = await browser.newContext({ viewport, colorScheme });
          const page = await context.newPage();
          const said: string[] = [];
          page.on('console', (message) => said.push(message.text()));
          page.on('pageerror', (error) => said.push(String(error)));
          await page.goto(pathToFileURL(join(folder, file)).href);
          const size = 'document.documentElement.scrollWidth';
          expect(await page.evaluate(size)).toBeLessThanOrEqual(width);
          expect(await page.evaluate(CLIPPED)).toEqual([]);
          expect(said).toEqual([]);
          await context.close();
        }
      });
    }
  }
});

/** Texts of charts that leave the page at the right or left. */
const CLIPPED = `[...document.querySelectorAll('svg text')].filter((text) => {
  const box = text.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth || box.left < 0);
}).map((text) => text.textContent)`;
