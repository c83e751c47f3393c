/**
 * Hostile text on the real desk: in prompts that came by the pool's own door, in what the model said, in names, answers
 * and notes of annotators. Nothing runs, nothing asks another server, the policy of the page has nothing to refuse, and
 * people can go on working.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadConfig } from '../../src/cli/config.ts';
import { ingestFiles } from '../../src/cli/stages/pool.ts';
import { silent } from '../../src/core/progress.ts';
import { viewFixture } from '../../src/server/testing/view-fixture.ts';
import { rolloutRow, traceRow } from '../../src/store/testing/rows.ts';
import type { Store } from '../../src/store/types.ts';
import {
  expectNoSidewaysScroll,
  inChromium,
  launch,
  PRESENT,
  type Watched,
  watch,
} from '../../web/testing/chromium.ts';
import { closeAll } from './close.ts';
import { BROKEN, CHARACTERS, EXCESS, FORMULAS, INHERITED, MARKUP } from './hostile.ts';
import { asked, eventually, newcomer, openSite, press, type Site } from './site.ts';

/** Where pictures of the pages go, for people to look at; '' for nowhere. */
const PICTURES = process.env.PIVOTTRACE_SCREENSHOTS ?? '';

const ALL = [...MARKUP, ...FORMULAS, CHARACTERS].join('\n\n');
/** For fields that no stranger fills with what is no text: names of runs and accounts, kinds, evidence. */
const OWN = MARKUP.join(' ');
/** Names that the desk takes: it refuses what cannot be seen. */
const NAMES = [
  `<img src=x onerror="window.__hit=1">`,
  `"><svg onload=window.__hit=1> ' or 1=1 --`,
] as const;

/** A question per line of the file. Ids and sources are hostile as well; each text says which it is. */
const TEXTS = [ALL, ...EXCESS, ...INHERITED.map((name) => `Who is ${name}?`)].map(
  (text, i) => `Mark ${i}.\n\n${text}`,
);
const idAt = (i: number) =>
  INHERITED[i - 1 - EXCESS.length] ?? `${i} ${MARKUP[i % MARKUP.length]} ../../../etc/passwd`;
const sourceAt = (i: number) => INHERITED[i % INHERITED.length];

describe.skipIf(!PRESENT)(inChromium('the desk among hostile text'), { timeout: 300_000 }, () => {
  let browser: Browser;
  let fixture: { workspace: string; store: Store };
  let site: Site;
  let eve: Watched;
  let bob: Watched;

  beforeAll(async () => {
    if (PICTURES !== '') mkdirSync(PICTURES, { recursive: true });
    fixture = await viewFixture();
    await fill(fixture);
    site = await openSite(fixture, 'serve.overlap=2', 'label.budget=1000');
    await site.queue.order(
      TEXTS.map((_, i) => ({
        ...{ promptId: idAt(i), utility: 1000 - i, run: OWN, step: 1, reason: INHERITED[1] },
      })),
    );
    browser = await launch();
    eve = await newcomer(browser, site, { role: 'admin', name: NAMES[0] });
    bob = await newcomer(browser, site, { role: 'annotator', name: NAMES[1] });
  }, 300_000);
  afterAll(() => closeAll(browser, site, fixture?.store));

  const expectNothingRan = async ({ page, complaints }: Watched) => {
    expect(await page.evaluate('window.__hit')).toBeUndefined();
    expect(complaints).toEqual([]);
  };

  it('is watched by tests that hear of what runs and of what the policy refuses', async () => {
    const { page, complaints, close } = await watch(browser, site.url);
    await page.goto(`${site.url}/sign-in`);
    await page.locator('#password').waitFor();
    await page.evaluate('alert(1)');
    await page.evaluate(`document.body.append(
      Object.assign(document.createElement('script'), { textContent: 'window.__hit = 1' }))`);
    await eventually(
      () => complaints.filter((one) => one.startsWith('csp: script-src')).length,
    ).toBe(1);
    expect(complaints).toContain('it ran');
    expect(await page.evaluate('window.__hit')).toBeUndefined();
    await close();
  });

  it('asks every question of the pool, however it is written, and takes what is said of it', async () => {
    const { page } = eve;
    for (const [i] of TEXTS.entries()) {
      await eventually(() => asked(page)).toContain(`Mark ${i}.`);
      if (PICTURES !== '' && i < 8) {
        await page.screenshot({ path: join(PICTURES, `hostile-${i}.png`) });
      }
      await expectNoSidewaysScroll(page);
      await expectNothingRan(eve);
      await press(page, 'Alt+s');
    }
    // The first one again, for an answer.
    for (const _ of TEXTS) await press(page, 'Alt+u');
    expect(await asked(page)).toContain('Mark 0.');
    expect(await asked(page)).toContain('<script>');
    expect(await asked(page)).toContain('[U+202E]');
    expect(site.faults).toEqual([]);
  });

  it('shows what the model said on demand', async () => {
    const { page } = eve;
    await page.keyboard.press('Alt+r');
    await page.locator('.classes li').first().waitFor();
    await expectNoSidewaysScroll(page);
    await expectNothingRan(eve);
  });

  it('takes hostile answers and notes of people with hostile names, and shows them to those who settle', async () => {
    for (const [i, who] of [eve, bob].entries()) {
      const { page } = who;
      await eventually(() => asked(page)).toContain('Mark 0.');
      await page.keyboard.press('Alt+n');
      await page.locator('#note').fill(ALL.slice(0, 4_000));
      await page.locator('#answer').fill(`${i} ${[...MARKUP, ...FORMULAS].join(' ')}`);
      await page.locator('#answer').focus();
      await press(page, 'Enter');
      await expectNothingRan(who);
    }
    const { page } = eve;
    await page.getByRole('link', { name: 'Adjudicate' }).click();
    await page.locator('.card-choice', { hasText: NAMES[1] }).waitFor();
    await page.locator('.reads').nth(1).waitFor();
    await expectNoSidewaysScroll(page);
    await expectNothingRan(eve);
    if (PICTURES !== '') {
      await page.screenshot({ path: join(PICTURES, 'hostile-dispute.png'), fullPage: true });
    }
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText('No answers disagree').waitFor();
    const [label] = await fixture.store.labels.owned(site.account, [idAt(0)]);
    expect(label.answer).toMatch(/^[01] <script>/);
    expect(NAMES).toContain(label.source);
  });

  it('bears it on the pages for admins, in traces and on the dashboard', async () => {
    const { page } = eve;
    const prompt = encodeURIComponent(idAt(0));
    for (const [path, sign] of [
      ['/people', '#audit-title ~ .table td'],
      ['/traces?text=%3Cscript', '.trace-list li'],
      [`/traces?prompt=${prompt}&round=0&sample=0`, '.tokens .t'],
      [`/traces?prompt=%3Cscript%3E&signal=__proto__&column=constructor&find=${prompt}`, 'main'],
      ['/dashboard', '#runs-title ~ .table tbody tr >> text=constructor'],
      ['/dashboard?plan=__proto__&account=constructor', '#runs-title ~ .table tbody tr'],
      ['/account', '#current'],
    ] as const) {
      await page.goto(site.url + path);
      await page.locator(sign).first().waitFor();
      await expectNoSidewaysScroll(page);
      expect([path, await page.evaluate('window.__hit')]).toEqual([path, undefined]);
    }
    // A trace that is not there is refused, which the browser mentions.
    const complaints = eve.complaints.filter((one) => !one.includes('status of 40'));
    expect(complaints).toEqual([]);
    expect(site.faults).toEqual([]);
  });

  it('refuses what is no text, too long or of another form, without a fault', async () => {
    const { page } = bob;
    await page.goto(site.url);
    await page.locator('#understood').waitFor();
    const promptId = await site.held(NAMES[1]);
    const body = { promptId, kind: 'answer', answer: '1', note: '', revealed: false };
    const sent: [unknown, string][] = [
      [400, JSON.stringify({ ...body, answer: 'a\u0000b' })],
      [400, `${JSON.stringify(body).slice(0, -1)},"note":"\\ud800"}`],
      [400, JSON.stringify({ ...body, answer: 'a'.repeat(10_001) })],
      [413, JSON.stringify({ ...body, note: 'a'.repeat(1_000_000) })],
      [400, `${JSON.stringify(body).slice(0, -1)},"__proto__":{"role":"admin"}}`],
      [400, JSON.stringify({ ...body, promptId: { $ne: null } })],
      [400, JSON.stringify({ ...body, kind: 'constructor' })],
      [400, '['.repeat(30_000)],
      [409, JSON.stringify({ ...body, promptId: '__proto__' })],
    ];
    for (const [status, text] of sent) {
      expect([text.slice(0, 200), await post(page, '/api/queue/submit', text)]).toEqual([
        text.slice(0, 200),
        status,
      ]);
    }
    expect(await site.held(NAMES[1])).toBe(promptId);
    expect(site.faults).toEqual([]);
  });
});

/** The status of the answer to a request as the page would send it. */
async function post(page: Page, path: string, body: string): Promise<number> {
  const status: unknown = await page.evaluate(
    async ({ path, body }) => {
      const me: unknown = await (await fetch('/api/me')).json();
      const csrf = typeof me === 'object' && me !== null && 'csrf' in me ? String(me.csrf) : '';
      const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
      return (await fetch(path, { method: 'POST', headers, body })).status;
    },
    { path, body },
  );
  return z.number().parse(status);
}

/** The questions come as a file, as anybody's would; responses and traces as a run leaves them. */
async function fill({ workspace, store }: { workspace: string; store: Store }): Promise<void> {
  const file = join(workspace, 'hostile.jsonl');
  const lines = TEXTS.map((text, i) => {
    const prompt = i % 2 === 0 ? text : [{ role: 'user', content: text }];
    const line = JSON.stringify({ id: idAt(i), prompt, source: sourceAt(i), note: ALL });
    return `${line.slice(0, -1)},"__proto__":{"polluted":true}}`;
  });
  const broken = BROKEN.map((prompt, i) => JSON.stringify({ id: `broken ${i}`, prompt }));
  writeFileSync(file, [...lines, ...broken].join('\n'));
  const { config } = loadConfig({ cwd: workspace, overrides: [`workspace=${workspace}`] });
  const { signal } = new AbortController();
  const taken = await ingestFiles({ store, config, files: [file], progress: silent, stop: signal });
  expect(taken).toMatchObject({ added: TEXTS.length, rejected: BROKEN.length });
  expect((await store.prompts.list(TEXTS.map((_, i) => idAt(i)))).length).toBe(TEXTS.length);
  const [promptId] = TEXTS.map((_, i) => idAt(i));
  const said = [`${BROKEN.join(' ')}\n${ALL}`, EXCESS.join('\n'), INHERITED.join(' ')];
  await store.rollouts.put(
    0,
    said.map((text, sample) => ({
      ...{ ...rolloutRow(0, sample), promptId, text: `${text} answer: ${text}` },
      ...{ answer: text.slice(0, 5_000), answerClass: sample },
    })),
  );
  await store.traces.put(0, [{ ...traceRow(0), promptId }]);
  const run = { kind: OWN, plan: 'main', account: OWN, summary: null, config: {} };
  for (const name of [...INHERITED, MARKUP[0], '../../../etc']) {
    await store.runs.put({ ...run, name, status: 'running' });
  }
  const label = { source: OWN, cost: 1, noisy: false, run: MARKUP[0], step: 1 };
  await store.labels.add('main', [{ ...label, promptId: 'p40', answer: ALL }]);
  await store.transitions.append([
    {
      ...{ promptId: 'p1', from: null, to: 'annotate', rule: MARKUP[2], plan: 'main' },
      ...{ evidence: { [MARKUP[0]]: OWN, constructor: 1 }, round: 0, step: 9 },
    },
  ]);
}
