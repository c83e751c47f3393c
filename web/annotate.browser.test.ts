import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Desk, questionOf } from './testing/canned.ts';
import { inChromium, launch, PRESENT, type Watched, watch } from './testing/chromium.ts';
import { refuse, type Stub, startStub } from './testing/stub.ts';

/** Longest script that the first page may take, compressed, in bytes. */
const BUDGET = 250 * 1024;

describe.skipIf(!PRESENT)(inChromium('the annotate page'), () => {
  let browser: Browser;
  let stub: Stub;
  let desk: Desk;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    stub = await startStub(() => undefined);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stub?.close();
  });
  beforeEach(async () => {
    desk = new Desk(30);
    // Questions without formulas, so that answers can be told apart by their text.
    desk.question = (at) => questionOf(at, `What is ${at} + 1?`);
    stub.handler = desk.handler;
    stub.away = false;
    stub.sent.length = 0;
    watched = await watch(browser, stub.url);
    page = watched.page;
  });
  afterEach(async () => {
    await watched.close();
  });

  const open = async () => {
    await page.goto(stub.url);
    await asks(0);
  };
  const asks = (at: number) => page.getByText(`What is ${at} + 1?`).waitFor();
  const field = () => page.locator('#answer');
  const reads = (text: string) => page.locator('#understood', { hasText: text }).waitFor();
  const times = (path: string) => stub.sent.filter((one) => one.path === path).length;

  it('takes twenty answers from the keyboard alone, one request for each', async () => {
    await open();
    for (let at = 0; at < 20; at += 1) {
      await page.keyboard.type(String(at + 1));
      await page.keyboard.press('Enter');
      await asks(at + 1);
    }
    expect(desk.given.map((one) => one.answer)).toEqual(
      Array.from({ length: 20 }, (_, at) => String(at + 1)),
    );
    expect(times('/api/queue/next')).toBe(1);
    expect(watched.complaints).toEqual([]);
  });

  it('has a key for everything, with Alt while one types', async () => {
    await open();
    await page.keyboard.press('Alt+s');
    await asks(1);
    await page.keyboard.press('Alt+x');
    await asks(2);
    await page.keyboard.press('Alt+w');
    await asks(3);
    await page.keyboard.type('4');
    await page.keyboard.press('Alt+n');
    await page.keyboard.type('a note');
    await page.keyboard.press('Control+Enter');
    await asks(4);
    await page.keyboard.type('s');
    expect(await field().inputValue()).toBe('s');
    expect(desk.given.map(({ kind, note }) => [kind, note])).toEqual([
      ['skip', ''],
      ['no_answer', ''],
      ['bad_question', ''],
      ['answer', 'a note'],
    ]);
    await page.keyboard.press('Alt+u');
    await asks(3);
    expect([await field().inputValue(), await page.locator('#note').inputValue()]).toEqual([
      '4',
      'a note',
    ]);
  });

  it('takes single keys once the field is left, and none while one types', async () => {
    await open();
    await page.keyboard.type('sxwur?');
    expect(await field().inputValue()).toBe('sxwur?');
    await page.keyboard.press('Escape');
    await page.keyboard.press('s');
    await asks(1);
    await page.keyboard.press('s');
    await asks(2);
    await page.keyboard.press('a');
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    await asks(3);
    expect(desk.given.map((one) => one.kind)).toEqual(['skip', 'skip', 'answer']);
  });

  it('shows how the verifier reads the answer, and asks before it sends what cannot be read', async () => {
    await open();
    await page.keyboard.type('1');
    await reads('Reads as number 1');
    await page.keyboard.type(' or so');
    await reads('Cannot read this');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Submit once more').waitFor();
    expect(desk.given).toEqual([]);
    await page.keyboard.press('Enter');
    await asks(1);
    expect(desk.given[0]?.answer).toBe('1 or so');
  });

  it('sets the formula that is typed', async () => {
    await open();
    await page.keyboard.type(String.raw`\frac{1}{2}`);
    await page.locator('.typeset .katex .mfrac').waitFor();
    expect(watched.complaints).toEqual([]);
  });

  it('shows the policy’s answers on demand only, says that it biases, and tells it with the label', async () => {
    await open();
    expect(await page.getByText('Seeing them biases').count()).toBe(1);
    expect(await page.locator('.classes li').count()).toBe(0);
    await page.keyboard.press('Alt+r');
    await page.locator('.classes li').first().waitFor();
    expect(await page.locator('.classes .count').allTextContents()).toEqual(['9', '4', '2']);
    await page.keyboard.type('1');
    await page.keyboard.press('Enter');
    await asks(1);
    expect(await page.locator('.classes li').count()).toBe(0);
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');
    await asks(2);
    expect(desk.given.map((one) => one.revealed)).toEqual([true, false]);
  });

  it('keeps what is typed over a reload', async () => {
    await open();
    await page.keyboard.type('12');
    await page.reload();
    await asks(0);
    expect(await field().inputValue()).toBe('12');
  });

  it('keeps what is typed when the server goes away, says so, and sends it when it is back', async () => {
    await open();
    await page.keyboard.type('12');
    await reads('12');
    stub.away = true;
    await page.keyboard.press('Enter');
    await page.getByText('No connection to the server').waitFor();
    expect(await field().inputValue()).toBe('12');
    stub.away = false;
    await page.keyboard.press('Enter');
    await asks(1);
    await page.getByText('No connection to the server').waitFor({ state: 'detached' });
    expect(desk.given.map((one) => one.answer)).toEqual(['12']);
  });

  it('asks for a sign-in when the session has ended, and goes on where one was', async () => {
    await open();
    await page.keyboard.type('12');
    desk.user = null;
    await page.keyboard.press('Enter');
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('Name').fill('Ada');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.keyboard.press('Enter');
    await asks(0);
    expect(await field().inputValue()).toBe('12');
  });

  it('notices by itself that its session has ended', async () => {
    await open();
    desk.user = null;
    stub.cut();
    await page.getByText('Your session has ended').waitFor();
  });

  it('goes on with another question when its own is no longer its own', async () => {
    await open();
    await page.keyboard.type('12');
    desk.at = 5;
    await page.keyboard.press('Enter');
    await asks(5);
    await page.getByText('You do not hold this question any more.').waitFor();
    expect(desk.given).toEqual([]);
  });

  it('asks for more time while somebody is at work, and says when time runs out for one who is not', async () => {
    let left = 1_000;
    desk.question = (at) => ({
      ...questionOf(at, `What is ${at} + 1?`),
      expiresAt: Date.now() + left,
    });
    await page.goto(stub.url);
    await asks(0);
    await page.keyboard.type('7');
    left = 600_000;
    await expect.poll(() => times('/api/queue/next')).toBeGreaterThan(1);
    await page.locator('.lease').waitFor({ state: 'detached' });
    expect(await field().inputValue()).toBe('7');
    desk.before = (sent) =>
      sent.path === '/api/queue/next' && times(sent.path) > 1
        ? refuse(500, 'failed', 'no')
        : undefined;
    left = 8_000;
    stub.sent.length = 0;
    await page.reload();
    await page.getByText(/This question is yours for \d+ s more/).waitFor();
    await page.getByText('Your time with this question has run out').waitFor();
  });

  it('shows a question as soon as there is one', async () => {
    desk = new Desk(0);
    desk.question = (at) => questionOf(at, `What is ${at} + 1?`);
    stub.handler = (sent) => desk.handler(sent);
    await page.goto(stub.url);
    await page.getByText('All caught up').waitFor();
    const fuller = new Desk(1);
    fuller.question = desk.question;
    desk = fuller;
    stub.tell('queue');
    await asks(0);
  });

  it('takes no lease ahead of time', async () => {
    await open();
    await page.keyboard.type('1');
    await reads('1');
    stub.tell('queue');
    await expect.poll(() => times('/api/queue/progress')).toBeGreaterThan(0);
    expect(times('/api/queue/next')).toBe(1);
  });

  it('lists its keys', async () => {
    await open();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Reveal or hide').waitFor();
    await page.keyboard.press('s');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(desk.given).toEqual([]);
  });

  it('shows the first question with less script than its budget, and no KaTeX where there is no formula', async () => {
    const scripts = new Set<string>();
    page.on('request', (request) => {
      if (request.resourceType() === 'script') scripts.add(new URL(request.url()).pathname);
    });
    await open();
    await page.keyboard.type('1');
    await reads('1');
    const size = [...scripts].reduce((sum, path) => sum + stub.file(path).size, 0);
    expect(size).toBeGreaterThan(10_000);
    expect(size).toBeLessThan(BUDGET);
    expect(
      [...scripts].filter((path) => stub.file(path).text.includes('KaTeX parse error')),
    ).toEqual([]);
  });
});
