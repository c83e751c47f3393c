/** The annotation desk in Chromium against the real server: from the one-time link to the label, and all its pages. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logEvaluation, logStep, viewFixture } from '../../src/server/testing/view-fixture.ts';
import type { Store } from '../../src/store/types.ts';
import {
  expectNoSidewaysScroll,
  inChromium,
  launch,
  PRESENT,
  seriousViolations,
  smallTargets,
  type Watched,
  watch,
} from '../../web/testing/chromium.ts';
import { closeAll } from './close.ts';
import { addToPool, bundledAnswers, bundledPrompts } from './pool.ts';
import {
  asked,
  eventually,
  newcomer,
  openSite,
  PASSWORD,
  press,
  type Site,
  signIn,
} from './site.ts';

/** Where pictures of the pages go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';

describe.skipIf(!PRESENT)(inChromium('the desk'), { timeout: 300_000 }, () => {
  let browser: Browser;
  let fixture: { workspace: string; store: Store };
  let site: Site;
  let ada: Watched;
  const prompts = bundledPrompts(40);
  const answers = bundledAnswers();

  beforeAll(async () => {
    if (PICTURES !== '') mkdirSync(PICTURES, { recursive: true });
    fixture = await viewFixture();
    await addToPool(fixture.store, prompts);
    site = await openSite(fixture, 'label.budget=200');
    await site.queue.order(
      prompts.map(({ id: promptId }, i) => ({
        ...{ promptId, utility: 100 - i, run: 'alpha', step: 3, reason: 'group_disagrees' },
      })),
    );
    browser = await launch();
  }, 300_000);
  afterAll(() => closeAll(browser, site, fixture?.store));

  const labelOf = async (at: number) => {
    const [label] = await fixture.store.labels.owned(site.account, [prompts[at].id]);
    return label;
  };
  const taskOf = async (at: number) => (await site.queue.tasks([prompts[at].id]))[0];
  const lastSaid = async () => (await site.queue.annotations()).at(-1);

  it('opens by a one-time link, and by the password that was chosen there', async () => {
    ada = await newcomer(browser, site, { role: 'admin', name: 'Ada' });
    const { page } = ada;
    expect(new URL(page.url()).hash).toBe('');
    await eventually(() => asked(page)).toContain(prompts[0].prompt);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, 'Ada');
    await eventually(() => asked(page)).toContain(prompts[0].prompt);
    expect(ada.complaints).toEqual([]);
  });

  it('takes twenty labels from the keyboard alone', async () => {
    const { page, complaints } = ada;
    for (let at = 0; at < 20; at++) {
      const id = await site.held('Ada');
      expect(id).toBe(prompts[at].id);
      await page.keyboard.type(answers.get(prompts[at].id) ?? '');
      await press(page, 'Enter');
    }
    const owned = await fixture.store.labels.owned(
      site.account,
      prompts.map(({ id }) => id),
    );
    expect(
      owned.map(({ promptId, answer, source, run }) => [promptId, answer, source, run]),
    ).toEqual(prompts.slice(0, 20).map(({ id }) => [id, answers.get(id), 'Ada', 'alpha']));
    await page.getByText('you: 20 today').waitFor();
    expect(complaints).toEqual([]);
  });

  it('reveals the policy’s answers on demand, and keeps that with the label and on the audit log', async () => {
    const { page, complaints } = ada;
    expect(await page.locator('.classes li').count()).toBe(0);
    await page.keyboard.press('Alt+r');
    await page.locator('.classes li').nth(1).waitFor();
    expect(await page.locator('.classes .count').allTextContents()).toEqual(['3', '2']);
    await page.keyboard.type('7');
    await press(page, 'Enter');
    expect(await lastSaid()).toMatchObject({ promptId: prompts[20].id, revealed: true });
    const entries = await fixture.store.auditLog.page(5);
    expect(entries.map(({ action }) => action)).toContain('label.reveal');
    expect(complaints).toEqual([]);
  });

  it('takes a label back, and gives its question and its text again', async () => {
    const { page, complaints } = ada;
    await page.keyboard.type('12');
    await press(page, 'Enter');
    expect((await labelOf(21))?.answer).toBe('12');
    await press(page, 'Alt+u');
    expect(await asked(page)).toContain(prompts[21].prompt);
    expect(await page.locator('#answer').inputValue()).toBe('12');
    expect(await labelOf(21)).toBeUndefined();
    await page.locator('#answer').press('End');
    await page.keyboard.type('3');
    await press(page, 'Enter');
    expect((await labelOf(21))?.answer).toBe('123');
    expect(complaints).toEqual([]);
  });

  it('skips, and closes questions that have no answer or are wrong', async () => {
    const { page, complaints } = ada;
    await press(page, 'Alt+s');
    await press(page, 'Alt+x');
    await page.keyboard.press('Alt+n');
    await page.keyboard.type('no such thing');
    await press(page, 'Alt+w');
    expect(await taskOf(22)).toMatchObject({ state: 'open', outcome: null });
    expect(await taskOf(23)).toMatchObject({ state: 'done', outcome: 'no_answer' });
    expect(await taskOf(24)).toMatchObject({ state: 'done', outcome: 'bad_question' });
    expect(await lastSaid()).toMatchObject({ kind: 'bad_question', note: 'no such thing' });
    expect([await labelOf(22), await labelOf(23), await labelOf(24)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(complaints).toEqual([]);
  });

  it('lets an admin invite somebody, and settle what two people see differently', async () => {
    const { page } = ada;
    await page.goto(`${site.url}/people`);
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.locator('#one-time').inputValue();
    // Another server on the same database: who is known to one is known to both.
    const pairs = await openSite(fixture, 'triage.plan=pairs', 'serve.overlap=2');
    const bob = await watch(browser, pairs.url);
    const judge = await watch(browser, pairs.url);
    try {
      const same = { run: null, step: null, reason: 'undecided' };
      await pairs.queue.order([
        { promptId: 'p1', utility: 3, ...same },
        { promptId: 'p2', utility: 2, ...same },
        { promptId: 'p3', utility: 1, ...same },
      ]);
      await bob.page.goto(link.replace(site.url, pairs.url));
      await bob.page.getByLabel('Your name').fill('Bob');
      await bob.page.getByLabel('Choose a password').fill(PASSWORD);
      await bob.page.getByLabel('The password again').fill(PASSWORD);
      await bob.page.keyboard.press('Enter');
      await judge.page.goto(pairs.url);
      await signIn(judge.page, 'Ada');
      for (const [who, given] of [
        [bob.page, ['2', '4']],
        [judge.page, ['2.0', '3']],
      ] as const) {
        for (const [at, answer] of given.entries()) {
          await eventually(() => asked(who)).toContain(`What is ${at + 1} + 1?`);
          await who.keyboard.type(answer);
          await press(who, 'Enter');
        }
      }
      const [agreed] = await fixture.store.labels.owned('pairs');
      expect(agreed).toMatchObject({ promptId: 'p1', answer: '2', source: 'Ada+Bob' });
      await judge.page.getByRole('link', { name: 'Adjudicate' }).click();
      await judge.page.locator('.card-choice', { hasText: 'Bob' }).waitFor();
      if (PICTURES !== '')
        await judge.page.screenshot({ path: join(PICTURES, 'desk-dispute.png') });
      expect(await seriousViolations(judge.page)).toEqual([]);
      await judge.page.keyboard.press('2');
      await judge.page.keyboard.press('Enter');
      await judge.page.getByText('No answers disagree').waitFor();
      const settled = (await fixture.store.labels.owned('pairs', ['p2']))[0];
      expect(settled).toMatchObject({ answer: '3', source: 'Ada' });
      expect(await pairs.queue.agreement()).toMatchObject({ questions: 2, percent: 0.5 });
      expect([...bob.complaints, ...judge.complaints, ...pairs.faults]).toEqual([]);
    } finally {
      await bob.close();
      await judge.close();
      await pairs.close();
    }
  });

  it('moves the curves of a run as it logs', async () => {
    const { page, complaints } = ada;
    await page.goto(`${site.url}/dashboard`);
    const row = page.locator('#runs-title ~ .table tbody tr', { hasText: 'alpha' });
    await row.getByText('12 of 40').waitFor();
    const curve = page.locator('#runs-title ~ figure .wide .curve').first();
    const before = await curve.getAttribute('d');
    logStep(fixture.workspace, 'alpha', 13);
    logEvaluation(fixture.workspace, 'alpha', 13, 0.95);
    await row.getByText('13 of 40').waitFor();
    await row.getByText('95.0').waitFor();
    await eventually(() => curve.getAttribute('d')).not.toBe(before);
    expect(complaints).toEqual([]);
  });

  it('opens a trace from the list, and by its address', async () => {
    const { page, complaints } = ada;
    await page.getByRole('link', { name: 'Traces' }).click();
    await page.locator('.trace-list a').first().click();
    await page.locator('.tokens .t').first().waitFor();
    const tokens = await page.locator('.tokens .t').count();
    const text = await page.locator('.tokens').innerText();
    await page.reload();
    await page.locator('.tokens .t').first().waitFor();
    expect(await page.locator('.tokens .t').count()).toBe(tokens);
    expect(await page.locator('.tokens').innerText()).toBe(text);
    expect(complaints).toEqual([]);
  });

  const pages: [string, string, string][] = [
    ['annotate', '/', '#understood'],
    ['adjudicate', '/adjudicate', 'text=No answers disagree'],
    ['people', '/people', '#audit-title ~ .table td'],
    ['traces', '/traces', '.trace-list li'],
    ['trace', '/traces?prompt=p3&round=0&sample=0&token=5', '.tokens .at'],
    ['dashboard', '/dashboard', 'text=Plan manifest'],
    ['account', '/account', '#current'],
  ];
  const looks: [string, BrowserContextOptions][] = [
    ['in the dark on a phone', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
    ['in the light on a desk', { viewport: { width: 1200, height: 800 }, colorScheme: 'light' }],
  ];
  for (const [where, options] of looks) {
    const dark = options.colorScheme === 'dark';

    it(`has no serious barrier on any page ${where}`, async () => {
      const signedIn = await ada.page.context().storageState();
      const inside = await watch(browser, site.url, { ...options, storageState: signedIn });
      const outside = await watch(browser, site.url, options);
      const look = async ({ page }: Watched, name: string, path: string, sign: string) => {
        await page.goto(site.url + path);
        await page.locator(sign).first().waitFor();
        if (PICTURES !== '') {
          const file = `desk-${name}-${dark ? 'dark-360' : 'light-1200'}.png`;
          await page.screenshot({ path: join(PICTURES, file), fullPage: true });
        }
        const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect([name, background === 'rgb(20, 23, 27)']).toEqual([name, dark]);
        expect([name, ...(await seriousViolations(page))]).toEqual([name]);
        expect([name, ...(await smallTargets(page))]).toEqual([name]);
        await expectNoSidewaysScroll(page);
      };
      for (const [name, path, sign] of pages) await look(inside, name, path, sign);
      const [, hash] = (await site.link('viewer')).split('#');
      await look(outside, 'sign-in', '/sign-in', '#password');
      await look(outside, 'join', `/join#${hash}`, '#again');
      expect([...inside.complaints, ...outside.complaints]).toEqual([]);
      await inside.close();
      await outside.close();
    });
  }

  it('was served without a fault', () => {
    expect(site.faults).toEqual([]);
  });
});
