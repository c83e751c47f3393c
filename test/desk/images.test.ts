/**
 * Prompts with images from the file to the label: what the pool takes is shown on the page, what could run or would tell
 * who looks is not, and models here are not asked about them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/cli/config.ts';
import { exportLabels } from '../../src/cli/stages/label-export.ts';
import { leftOutText, poolPrompts } from '../../src/cli/stages/observations.ts';
import { ingestFiles } from '../../src/cli/stages/pool.ts';
import { silent } from '../../src/core/progress.ts';
import { dataUrl, picture } from '../../src/pool/testing/images.ts';
import type { PoolPrompt } from '../../src/pool/types.ts';
import { openStore } from '../../src/store/store.ts';
import { freshWorkspace } from '../../src/store/testing/workspace.ts';
import type { Store } from '../../src/store/types.ts';
import {
  expectNoSidewaysScroll,
  inChromium,
  launch,
  PRESENT,
  seriousViolations,
  type Watched,
} from '../../web/testing/chromium.ts';
import { closeAll } from './close.ts';
import { asked, eventually, newcomer, openSite, press, type Site } from './site.ts';

/** Where pictures of the pages go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';

const PICTURE = picture(240, 120);
const ADDRESS = 'https://images.example/chart.png?user=1';
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="window.__hit = 1"/>');

const content = (text: string, ...urls: string[]) => [
  { type: 'text' as const, text },
  ...urls.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
];
const line = (id: string, text: string, ...urls: string[]) =>
  JSON.stringify({ id, prompt: [{ role: 'user', content: content(text, ...urls) }], answer: '2' });

describe.skipIf(!PRESENT)(inChromium('prompts with images'), { timeout: 300_000 }, () => {
  let browser: Browser;
  let workspace: string;
  let store: Store;
  let site: Site;
  let ada: Watched;
  const config = () => loadConfig({ cwd: workspace, overrides: settings() }).config;
  const settings = () => [`workspace=${workspace}`, 'label.images=true'];

  beforeAll(async () => {
    workspace = await freshWorkspace();
    store = await openStore(workspace);
    const file = join(workspace, 'pool.jsonl');
    const lines = [
      line('shown', 'How many colours has the picture?', PICTURE),
      line('elsewhere', 'How many bars has the chart?', ADDRESS),
      line('svg', 'What runs?', dataUrl('svg+xml', SVG)),
      line('disguised', 'What runs?', dataUrl('png', SVG)),
      line('script', 'What runs?', 'javascript:window.__hit=1'),
      JSON.stringify({ id: 'text', prompt: 'What is 1 + 1?', answer: '2' }),
    ];
    writeFileSync(file, lines.join('\n'));
    const { signal: stop } = new AbortController();
    const stage = { store, config: config(), files: [file], progress: silent, stop };
    expect(await ingestFiles(stage)).toMatchObject({ added: 3, rejected: 3 });
    // A program that fills the store by itself may put anything there.
    const urls = [dataUrl('svg+xml', SVG), 'javascript:window.__hit=1', dataUrl('png', SVG)];
    const smuggled: PoolPrompt = {
      ...{ id: 'smuggled', source: 'pool', metadata: {} },
      prompt: [{ role: 'user', content: content('What is this?', ...urls) }],
    };
    await store.prompts.add([smuggled]);
    site = await openSite({ workspace, store }, 'label.images=true');
    browser = await launch();
    ada = await newcomer(browser, site, { role: 'admin', name: 'Ada' });
  }, 300_000);
  afterAll(() => closeAll(browser, site, store));

  const picturesOn = () =>
    ada.page.evaluate(
      `[...document.querySelectorAll('.question img')].map((one) => [one.naturalWidth, one.naturalHeight])`,
    );

  it('are asked of people without a plan, and the image is there to be seen', async () => {
    const { page, complaints } = ada;
    await eventually(() => asked(page)).toContain('How many colours has the picture?');
    await eventually(picturesOn).toEqual([[240, 120]]);
    expect(await seriousViolations(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    if (PICTURES !== '') {
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, 'image-360.png'), fullPage: true });
    }
    await page.setViewportSize({ width: 1200, height: 800 });
    if (PICTURES !== '') await page.screenshot({ path: join(PICTURES, 'image-1200.png') });
    await page.keyboard.type('2');
    await press(page, 'Enter');
    expect(await store.labels.owned(site.account, ['shown'])).toMatchObject([{ answer: '2' }]);
    expect(complaints).toEqual([]);
  });

  it('show the address of an image elsewhere and do not load it', async () => {
    const { page, complaints } = ada;
    await eventually(() => asked(page)).toContain('How many bars has the chart?');
    expect(await asked(page)).toContain(ADDRESS);
    expect(await asked(page)).toContain('does not load');
    expect(await picturesOn()).toEqual([]);
    if (PICTURES !== '') await page.screenshot({ path: join(PICTURES, 'image-elsewhere.png') });
    expect(complaints).toEqual([]);
    await press(page, 'Alt+s');
  });

  it('show nothing that may run, whoever put it into the store', async () => {
    const { page, complaints } = ada;
    await eventually(() => asked(page)).toContain('What is this?');
    expect(await page.locator('.question .no-image').count()).toBe(3);
    expect(await picturesOn()).toEqual([]);
    expect(await page.evaluate('window.__hit')).toBeUndefined();
    expect(complaints).toEqual([]);
    expect(site.faults).toEqual([]);
  });

  it('are left out of what models here are asked, and said to be', async () => {
    expect((await poolPrompts(store)).map(({ id }) => id)).toEqual(['text']);
    expect(await leftOutText(store)).toContain('3 prompts hold images');
  });

  it('go out to other tools with their messages whole', async () => {
    const path = join(workspace, 'tasks.jsonl');
    await exportLabels(store, config(), { path, what: 'tasks', withVotes: false });
    const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
    const [first] = rows.map((row): unknown => JSON.parse(row));
    expect(first).toMatchObject({
      id: 'elsewhere',
      question: `How many bars has the chart?\n[image: ${ADDRESS}]`,
      messages: [{ role: 'user', content: content('How many bars has the chart?', ADDRESS) }],
    });
  });
});
