import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HOSTILE, LONG } from '../../../src/server/testing/view-fixture.ts';
import { toBase64, wireTrace } from '../../../src/server/wire-traces.ts';
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

/** Where pictures of the pages go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';
const long = `prompt=${encodeURIComponent(LONG.id)}&round=0&sample=0`;

describe.skipIf(!PRESENT)(inChromium('the trace viewer'), { timeout: 120_000 }, () => {
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
  beforeEach(() => {
    views.twist = (_, answer) => answer;
  });

  const picked = (page: Page) => page.locator('.tokens .at');
  const query = (page: Page) => new URL(page.url()).searchParams;

  for (const width of [1200, 360])
    for (const colorScheme of ['light', 'dark'] as const)
      it(`is without serious barriers at ${width} px in ${colorScheme}`, async () => {
        const options = { viewport: { width, height: 900 }, colorScheme };
        const { page, complaints, close } = await watch(browser, views.stub.url, options);
        for (const [name, path] of [
          ['traces', '/traces'],
          ['trace', `/traces?${long}&token=9000&find=right`],
          ['two', '/traces?prompt=p3&sample=0&with_prompt=p3&with_sample=1&column=L2H3&token=9'],
        ]) {
          await page.goto(views.stub.url + path);
          await page
            .locator(name === 'traces' ? '.trace-list li' : '.tokens .at')
            .first()
            .waitFor();
          if (name === 'two') await page.locator('.inspector', { hasText: 'head 3' }).waitFor();
          if (PICTURES !== '')
            await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) });
          expect(await seriousViolations(page)).toEqual([]);
          expect(await smallTargets(page)).toEqual([]);
          await expectNoSidewaysScroll(page);
        }
        expect(complaints).toEqual([]);
        await close();
      });

  it('searches, filters and opens a trace with what was searched for', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces`);
    await expect.poll(() => page.locator('.trace-list li').count()).toBe(25);
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => page.locator('.trace-list li').count()).toBe(50);
    await page.getByLabel('Search').fill('answer: 8');
    // p6 (second response) and p7 (first).
    await expect.poll(() => page.locator('.trace-list li').count()).toBe(2);
    await page.getByLabel('Answer').selectOption('wrong');
    await expect.poll(() => page.locator('.trace-list li').count()).toBe(1);
    expect([query(page).get('text'), query(page).get('verdict')]).toEqual(['answer: 8', 'wrong']);
    await page.locator('.trace-list a').first().click();
    await page.locator('.tokens .hit').first().waitFor();
    expect(query(page).get('find')).toBe('answer: 8');
    await page.goBack();
    await expect.poll(() => page.locator('.trace-list li').count()).toBe(1);
    await close();
  });

  it('opens a link at its token, and puts what is picked into the address', async () => {
    const { page, complaints, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?${long}&signal=far_mass&token=12000`);
    await picked(page).waitFor();
    expect(await page.locator('.inspector').innerText()).toContain('Token 12,001');
    const seen: unknown = await page.evaluate(`(() => {
      const box = document.querySelector('.tokens').getBoundingClientRect();
      const token = document.querySelector('.tokens .at').getBoundingClientRect();
      return token.top >= box.top && token.bottom <= box.bottom;
    })()`);
    expect(seen).toBe(true);
    await page.locator('.tokens').focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => query(page).get('token')).toBe('12001');
    await page.keyboard.press('n');
    await expect.poll(() => page.locator('.inspector .pivot').count()).toBe(1);
    await expect.poll(() => Number(query(page).get('token'))).toBeGreaterThan(12_001);
    await page.keyboard.press('End');
    await expect.poll(() => query(page).get('token')).toBe(String(LONG.tokens - 1));
    await page.getByLabel('Signal').selectOption('distance');
    await expect.poll(() => query(page).get('signal')).toBe('distance');
    expect(await page.locator('.inspector').innerText()).toContain(`Token 16,000`);
    await page.getByRole('slider').first().focus();
    await page.keyboard.press('Home');
    await expect.poll(() => query(page).get('token')).toBe('0');
    expect(complaints).toEqual([]);
    await close();
  });

  it('colours by heads and layers, shows the token under the pointer, and finds text', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?prompt=p5&sample=0`);
    await page.locator('.tokens .t').first().waitFor();
    const colours = () =>
      page.evaluate(`[...document.querySelectorAll('.tokens .t')].map((t) => t.className).join()`);
    const mean = await colours();
    await page.getByLabel('Head or layer').selectOption('L2H3');
    await expect.poll(colours).not.toBe(mean);
    expect(query(page).get('column')).toBe('L2H3');
    await page.getByLabel('Colour by').selectOption('change');
    await expect.poll(() => query(page).get('by')).toBe('change');
    await page.locator('.tokens .t').nth(2).hover();
    await page.locator('.inspector', { hasText: 'Token 3' }).waitFor();
    await page.locator('.inspector', { hasText: 'layer 2, head 3' }).waitFor();
    await page.keyboard.press('f');
    await page.keyboard.type('right');
    await page.getByText('8 places').waitFor();
    expect(await page.locator('.tokens .hit').count()).toBe(8);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.tokens .hit.at').count()).toBe(1);
    await close();
  });

  it('sets two traces beside each other, chosen by sample or from the list', async () => {
    const { page, complaints, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?prompt=p5&sample=0&round=0`);
    await page.getByLabel('Compare with').selectOption('1');
    await expect.poll(() => page.locator('.pane .tokens').count()).toBe(2);
    await page.getByText(/Their first \d+ tokens are the same/).waitFor();
    await page.getByRole('button', { name: 'Only the first' }).click();
    await expect.poll(() => page.locator('.pane .tokens').count()).toBe(1);
    await page.getByLabel('Compare with').selectOption('list');
    await page.getByText('Choose the trace to set beside').waitFor();
    await page.locator('.trace-list a').first().click();
    await expect.poll(() => page.locator('.pane .tokens').count()).toBe(2);
    expect([query(page).get('prompt'), query(page).get('with_prompt')]).toEqual(['p5', 'p0']);
    expect(complaints).toEqual([]);
    await close();
  });

  it('runs nothing that a prompt, an answer or a token says', async () => {
    views.twist = (sent, answer) => {
      if (sent.path !== '/api/trace') return answer;
      const trace = wireTrace.parse(answer);
      const text = `${HOSTILE}${'<svg onload=complain("ran")>'.repeat(3)}`;
      const ends = Int32Array.from({ length: 16 }, (_, t) =>
        Math.round(((t + 1) * text.length) / 16),
      );
      const mean = toBase64(new Float32Array(16));
      return {
        ...{ ...trace, text, ends: toBase64(ends), ids: toBase64(ends), changes: null },
        ...{
          answer: HOSTILE,
          label: HOSTILE,
          verdict: 'wrong',
          route: '"><script>',
          source: HOSTILE,
        },
        prompt: [{ role: HOSTILE, text: `[x](javascript:complain("ran")) ${HOSTILE}` }],
        signals: trace.signals.map((signal) => ({ ...signal, mean })),
      };
    };
    const { page, complaints, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?prompt=p3&sample=0`);
    await page.locator('.tokens .t').nth(15).waitFor();
    await page.getByText('Question, figures and scores').click();
    expect(await page.locator('.tokens').textContent()).toContain('<script>');
    // The character that turns the direction of writing is shown as a code point.
    expect(await page.locator('.tokens').textContent()).toContain('[U+202E]');
    expect(await page.evaluate('document.querySelectorAll("main script, main img").length')).toBe(
      0,
    );
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(complaints).toEqual([]);
    await close();
  });

  it('draws a chart of 16,000 tokens by some hundred points, and lays out only what is in sight', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?${long}`);
    await page.locator('.tokens .t').first().waitFor();
    expect(await page.locator('.tokens .t').count()).toBe(LONG.tokens);
    const drawn: unknown = await page.evaluate(
      `Math.max(...[...document.querySelectorAll('.plane .line')].map((line) => line.getAttribute('d').length))`,
    );
    expect(drawn).toBeLessThan(20_000);
    const skipped: unknown = await page.evaluate(
      `[...document.querySelectorAll('.tokens .chunk')].filter((chunk) =>
        !chunk.checkVisibility({ contentVisibilityAuto: true }) ||
        !chunk.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length`,
    );
    expect(skipped).toBeGreaterThan(20);
    await close();
  });

  it('says what is wrong where a trace is not there', async () => {
    const { page, close } = await watch(browser, views.stub.url);
    await page.goto(`${views.stub.url}/traces?prompt=nobody`);
    await page.getByText('has no trace of sample 0').waitFor();
    await page.getByRole('link', { name: 'All traces' }).click();
    await page.locator('.trace-list li').first().waitFor();
    await close();
  });
});
