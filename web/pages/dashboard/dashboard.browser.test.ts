import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, logEvaluation, stepLine } from '../../../src/server/testing/view-fixture.ts';
import {
  expectNoSidewaysScroll,
  inChromium,
  launch,
  PRESENT,
  seriousViolations,
  smallTargets,
  watch,
} from '../../testing/chromium.ts';
import { startViews, type Views } from '../../testing/views.ts';

/** Where pictures of the page go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';

describe.skipIf(!PRESENT)(inChromium('the dashboard'), { timeout: 120_000 }, () => {
  let browser: Browser;
  let views: Views;

  beforeAll(async () => {
    views = await startViews();
    browser = await launch();
    if (PICTURES !== '') mkdirSync(PICTURES, { recursive: true });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await views?.close();
  });

  for (const width of [1200, 360])
    for (const colorScheme of ['light', 'dark'] as const)
      it(`is without serious barriers at ${width} px in ${colorScheme}`, async () => {
        const options = { viewport: { width, height: 900 }, colorScheme };
        const { page, complaints, close } = await watch(browser, views.stub.url, options);
        await page.goto(`${views.stub.url}/dashboard`);
        await page.getByText('Plan manifest').waitFor();
        await page.getByText('The whole pool by score and route').waitFor();
        await page.getByText('Labels over training steps').waitFor();
        await page.getByText('dynamic:mastered').first().waitFor({ state: 'attached' });
        await page.locator('#runs-title ~ .table tbody tr').nth(1).waitFor();
        if (PICTURES !== '')
          await page.screenshot({
            path: join(PICTURES, `dashboard-${width}-${colorScheme}.png`),
            fullPage: true,
          });
        expect(await seriousViolations(page)).toEqual([]);
        expect(await smallTargets(page)).toEqual([]);
        await expectNoSidewaysScroll(page);
        expect(complaints).toEqual([]);
        await close();
      });

  it('moves a curve when a run logs a step, fetches only what is new, and bears a half-written line', async () => {
    const { page, complaints, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/dashboard`);
    const row = page.locator('#runs-title ~ .table tbody tr', { hasText: 'alpha' });
    await row.getByText('12 of 40').waitFor();
    const curve = page.locator('#runs-title ~ figure .wide .curve').first();
    const before = await curve.getAttribute('d');
    append(
      views.fixture.workspace,
      'alpha',
      'metrics.jsonl',
      stepLine(13) + stepLine(14).slice(0, 20),
    );
    logEvaluation(views.fixture.workspace, 'alpha', 13, 0.9);
    views.stub.sent.length = 0;
    views.stub.tell('runs');
    await row.getByText('13 of 40').waitFor();
    await row.getByText('90.0').waitFor();
    await expect.poll(() => curve.getAttribute('d')).not.toBe(before);
    const asked = views.stub.sent.find(({ path }) => path === '/api/dashboard/runs');
    expect(decodeURIComponent(asked?.query ?? '')).toMatch(/"alpha":"[^"]+:12:2"/);
    append(views.fixture.workspace, 'alpha', 'metrics.jsonl', stepLine(14).slice(20));
    views.stub.tell('runs');
    await row.getByText('14 of 40').waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it('draws the runs that are ticked', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/dashboard`);
    const lines = page.locator('#runs-title ~ .legend li');
    await expect.poll(() => lines.count()).toBe(2);
    await page.getByRole('checkbox', { name: 'beta' }).uncheck();
    await expect.poll(() => lines.count()).toBe(1);
    await close();
  });

  it('filters the log of transitions, shows its evidence, and leads to the trace', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/dashboard`);
    const rows = page.locator('#transitions-title ~ .table tbody tr');
    await expect.poll(() => rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await expect.poll(() => rows.count()).toBeGreaterThan(50);
    await page.getByLabel('Rule').selectOption('dynamic:mastered');
    await expect.poll(() => rows.count()).toBe(1);
    expect(await rows.innerText()).toMatch(/hits 15/);
    await rows.getByRole('link').click();
    await page.locator('.tokens .t').first().waitFor();
    await close();
  });

  it('offers the files that one may take away, by addresses of this server', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/dashboard`);
    await page.getByText('Plan manifest').waitFor();
    const links = page.locator('#exports-title ~ ul a');
    const hrefs = await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expect(hrefs).toContain('/api/exports/plan.json?plan=main');
    expect(hrefs).toContain('/api/exports/labels.csv?account=main');
    expect(await links.first().getAttribute('download')).toBe('');
    await close();
  });
});
