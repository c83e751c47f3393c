import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, Desk, PIXEL, questionOf } from './testing/canned.ts';
import {
  expectNoSidewaysScroll,
  inChromium,
  launch,
  PRESENT,
  seriousViolations,
  smallTargets,
  type Watched,
  watch,
} from './testing/chromium.ts';
import { type Stub, startStub } from './testing/stub.ts';

/** Where pictures of the pages go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';

interface Case {
  name: string;
  path: string;
  signedIn: boolean;
  /** Brings the page into the state that is looked at. */
  ready: (watched: Watched) => Promise<void>;
}

const CASES: readonly Case[] = [
  {
    name: 'annotate',
    path: '/',
    signedIn: true,
    async ready({ page }) {
      await page.locator('.question .katex').first().waitFor();
      await page.locator('#answer').fill(String.raw`\frac{3}{4}`);
      await page.locator('.typeset .katex').waitFor();
      await page.locator('#understood', { hasText: 'Reads as' }).waitFor();
      await page.getByRole('button', { name: 'Note' }).click();
      await page.getByRole('button', { name: 'Reveal' }).click();
      await page.locator('.classes .katex').first().waitFor();
    },
  },
  {
    name: 'annotate-unread',
    path: '/',
    signedIn: true,
    async ready({ page }) {
      await page.locator('#answer').fill('no idea');
      await page.locator('#understood', { hasText: 'Cannot read this' }).waitFor();
      await page.getByRole('button', { name: 'Submit' }).click();
      await page.getByText('Submit once more').waitFor();
    },
  },
  {
    name: 'annotate-help',
    path: '/',
    signedIn: true,
    async ready({ page }) {
      await page.getByRole('button', { name: 'Keys' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'adjudicate',
    path: '/adjudicate',
    signedIn: true,
    async ready({ page }) {
      await page.locator('.reads').nth(1).waitFor();
      await page.keyboard.press('2');
    },
  },
  {
    name: 'people',
    path: '/people',
    signedIn: true,
    async ready({ page }) {
      await page.getByText('1,200').waitFor();
      await page.getByText('sign in refused').waitFor();
      await page.getByRole('button', { name: 'Make a link' }).click();
      await page.locator('#one-time').waitFor();
    },
  },
  {
    name: 'account',
    path: '/account',
    signedIn: true,
    ready: ({ page }) => page.getByLabel('Current password').waitFor(),
  },
  {
    name: 'sign-in',
    path: '/sign-in',
    signedIn: false,
    async ready({ page }) {
      await page.getByLabel('Name').fill('Ada');
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('is wrong').waitFor();
    },
  },
  {
    name: 'join',
    path: '/join#secret-token',
    signedIn: false,
    ready: ({ page }) => page.getByLabel('Your name').waitFor(),
  },
  {
    name: 'nowhere',
    path: '/nowhere',
    signedIn: true,
    ready: ({ page }) => page.getByText('No such page').waitFor(),
  },
];

/** What the browser says by itself about a request that a test has refused. */
const expected = (complaint: string) => complaint.includes('status of 401');

describe.skipIf(!PRESENT)(inChromium('the pages'), () => {
  let browser: Browser;
  let stub: Stub;

  beforeAll(async () => {
    stub = await startStub(() => undefined);
    browser = await launch();
    if (PICTURES !== '') mkdirSync(PICTURES, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await stub?.close();
  });

  const fresh = (signedIn: boolean) => {
    const desk = new Desk(30, signedIn ? ada : null);
    desk.question = (at) => questionOf(at + 1);
    stub.handler = desk.handler;
    stub.sent.length = 0;
    return desk;
  };

  for (const one of CASES)
    for (const width of [1200, 360])
      for (const colorScheme of ['light', 'dark'] as const)
        it(`${one.name} is without serious barriers at ${width} px in ${colorScheme}`, async () => {
          fresh(one.signedIn);
          const watched = await watch(browser, stub.url, {
            viewport: { width, height: width === 360 ? 740 : 800 },
            colorScheme,
            reducedMotion: 'reduce',
          });
          await watched.page.goto(stub.url + one.path);
          await one.ready(watched);
          if (PICTURES !== '')
            await watched.page.screenshot({
              path: join(PICTURES, `${one.name}-${width}-${colorScheme}.png`),
              fullPage: true,
            });
          expect(await seriousViolations(watched.page)).toEqual([]);
          expect(await smallTargets(watched.page)).toEqual([]);
          await expectNoSidewaysScroll(watched.page);
          expect(watched.complaints.filter((text) => !expected(text))).toEqual([]);
          await watched.close();
        });

  it('are looked at by a checker that does find barriers', async () => {
    fresh(true);
    const { page, close } = await watch(browser, stub.url);
    await page.goto(stub.url);
    await page.locator('#answer').waitFor();
    await page.evaluate(`document.querySelector('label[for=answer]').remove();
      document.querySelector('.action.main').style.height = '20px';
      document.querySelector('.action.main').style.minHeight = '0'`);
    expect((await seriousViolations(page)).join()).toContain('label');
    expect((await smallTargets(page)).length).toBe(1);
    await close();
  });

  it('sign in and go on to the page that was wanted', async () => {
    fresh(false);
    const { page, close } = await watch(browser, stub.url);
    await page.goto(`${stub.url}/people`);
    await page.getByText('Sign in to open this page.').waitFor();
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'People' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/people');
    await close();
  });

  it('take a one-time link out of the address before anything is sent, and make an account', async () => {
    fresh(false);
    const { page, close } = await watch(browser, stub.url);
    await page.goto(`${stub.url}/join#secret-token`);
    await page.getByLabel('Your name').fill('Emmy');
    expect(page.url()).not.toContain('secret-token');
    await page.getByLabel('Choose a password').fill('a long enough one');
    await page.getByLabel('The password again').fill('another one, alas');
    await page.keyboard.press('Enter');
    await page.getByText('The two passwords differ.').waitFor();
    await page.getByLabel('The password again').fill('a long enough one');
    await page.keyboard.press('Enter');
    await page.getByText('and give the answer in terms of').waitFor();
    expect(stub.sent.find((one) => one.path === '/api/invitations/accept')?.body).toEqual({
      ...{ token: 'secret-token', name: 'Emmy', password: 'a long enough one' },
    });
    await close();
  });

  it('settle a dispute by keyboard: an answer of somebody, or one’s own', async () => {
    fresh(true);
    const { page, close } = await watch(browser, stub.url);
    await page.goto(`${stub.url}/adjudicate`);
    await page.getByText('Which answer is right?').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Choose an answer first').waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    const ruled = () =>
      stub.sent.filter((one) => one.method === 'POST' && one.path === '/api/adjudication');
    await expect.poll(() => ruled().length).toBe(1);
    await page.keyboard.press('j');
    await page.getByText('and give the answer in terms of').waitFor();
    await page.keyboard.press('o');
    await page.keyboard.type('pi/2');
    await page.locator('.reads', { hasText: 'pi/2' }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => ruled().length).toBe(2);
    expect(ruled().map((one) => one.body)).toEqual([
      { promptId: 'd0', kind: 'answer', answer: '-3', note: '' },
      { promptId: 'd1', kind: 'answer', answer: 'pi/2', note: '' },
    ]);
    await close();
  });

  it('change a role and let somebody in by a link', async () => {
    fresh(true);
    const { page, close } = await watch(browser, stub.url);
    await page.goto(`${stub.url}/people`);
    await page.getByLabel('Role of Grace').selectOption('viewer');
    await expect
      .poll(() => stub.sent.find((one) => one.method === 'PATCH')?.body)
      .toEqual({ role: 'viewer' });
    await page.getByRole('button', { name: 'Sign-in link for Grace' }).click();
    expect(await page.locator('#one-time').inputValue()).toContain('/join#');
    await close();
  });

  it('show images of messages, and keep the theme that was chosen', async () => {
    const desk = fresh(true);
    desk.question = (at) => ({
      ...questionOf(at),
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          parts: [
            { type: 'image', url: PIXEL, address: null },
            { type: 'image', url: null, address: null },
          ],
        },
      ],
    });
    const { page, complaints, close } = await watch(browser, stub.url, { colorScheme: 'light' });
    await page.goto(stub.url);
    await page.locator('.message img').waitFor();
    expect(await page.evaluate('document.querySelector(".message img").naturalWidth')).toBe(1);
    expect(await page.locator('.no-image').count()).toBe(1);
    await page.getByRole('button', { name: 'Colours: Auto' }).click();
    await page.getByRole('button', { name: 'Colours: Light' }).click();
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await background()).toBe('rgb(20, 23, 27)');
    await page.reload();
    await page.getByRole('button', { name: 'Colours: Dark' }).waitFor();
    expect(await background()).toBe('rgb(20, 23, 27)');
    expect(complaints).toEqual([]);
    await close();
  });

  it('lead from one to the other without a reload, by menu on a phone', async () => {
    fresh(true);
    const { page, close } = await watch(browser, stub.url, {
      viewport: { width: 360, height: 740 },
    });
    await page.goto(stub.url);
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('link', { name: 'People' }).click();
    await page.getByRole('heading', { name: 'People', exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'Adjudicate' }).isVisible()).toBe(false);
    await page.goBack();
    await page.locator('#answer').waitFor();
    expect(stub.sent.filter((one) => one.path === '/api/me').length).toBe(1);
    await close();
  });
});
