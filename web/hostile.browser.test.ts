import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WireQuestion } from '../src/server/wire.ts';
import { ada, Desk, questionOf } from './testing/canned.ts';
import { expectNoSidewaysScroll, inChromium, launch, PRESENT, watch } from './testing/chromium.ts';
import { ok, type Stub, startStub } from './testing/stub.ts';

const HURT = 'window.hurt += 1';
const HOSTILE = [
  `<script>${HURT}</script>`,
  `<img src=x onerror="${HURT}">`,
  `<svg onload="${HURT}"><script>${HURT}</script></svg>`,
  `[go](javascript:${HURT.replaceAll(' ', '')})`,
  `[go](data:text/html,<script>${HURT}</script>)`,
  '![dots](https://example.org/spy.png)',
  `<iframe srcdoc="<script>parent.${HURT}</script>"></iframe>`,
  `<style>*{display:none}</style><link rel=stylesheet href=//example.org/x.css>`,
  `"><input autofocus onfocus="${HURT}">`,
  '\u202egnp.exe\u202c \u2066 \u200f',
  `{{constructor.constructor('${HURT}')()}}`,
  `${'w'.repeat(3_000)}`,
].join('\n\n');

/** LaTeX that asks for more than a formula may have, and LaTeX that takes room, time or depth. */
const FORMULAS = [
  String.raw`\href{javascript:window.hurt=1}{x}`,
  String.raw`\url{javascript:window.hurt=1}`,
  String.raw`\htmlData{a=b}{x}`,
  String.raw`\htmlClass{action main}{x}`,
  String.raw`\htmlId{answer}{x}`,
  String.raw`\htmlStyle{position:fixed;inset:0}{x}`,
  String.raw`\includegraphics{https://example.org/x.png}`,
  String.raw`\def\a{\a\a}\a`,
  String.raw`\rule{9999em}{9999em}`,
  String.raw`\kern-9999em x`,
  String.raw`\raisebox{-9999em}{x}`,
  String.raw`\hspace{9999em}x`,
  `${'{'.repeat(2_000)}x${'}'.repeat(2_000)}`,
  `${String.raw`\sqrt{`.repeat(300)}x${'}'.repeat(300)}`,
  `${String.raw`\frac{1}{1+`.repeat(400)}x${'}'.repeat(400)}`,
  String.raw`\newcommand{\a}[1]{#1#1#1#1#1#1#1#1#1}\a{\a{${'x'.repeat(3_000)}}}`,
  `${'^{x'.repeat(500)}${'}'.repeat(500)}`,
  String.raw`\color{red}\colorbox{#00ff00}{\text{<script>window.hurt=1</script>}}`,
  '\\text{\u202eabc}',
  String.raw`\unknowncommand{x`,
  String.raw`\begin{matrix}${'a&'.repeat(500)}\end{matrix}`,
];

/** Ordinary mathematics with everything that KaTeX draws as SVG or places with inline styles. */
const SOUND = [
  String.raw`\sqrt[3]{x^2+1}`,
  String.raw`\overbrace{a+b}^{n}\underbrace{c}_{m}\overline{x}\widehat{abc}\vec{v}`,
  String.raw`\left(\begin{smallmatrix}1&2\\3&4\end{smallmatrix}\right)\cancel{x}\boxed{y}`,
  String.raw`\xrightarrow{f}\lim_{x\to0}\sum_{i=1}^n\prod\int\oint\mathbb{R}\mathcal{L}\mathfrak{g}`,
  String.raw`\begin{cases}x & y>0\\ -x & y<0\end{cases}\quad\tag{1}`,
  String.raw`\phantom{x}\textcolor{blue}{z}\Huge A\hline`,
];

describe.skipIf(!PRESENT)(inChromium('hostile text'), () => {
  let browser: Browser;
  let stub: Stub;
  let desk: Desk;

  beforeAll(async () => {
    stub = await startStub(() => undefined);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stub?.close();
  });
  beforeEach(() => {
    desk = new Desk(30);
    stub.handler = desk.handler;
    stub.sent.length = 0;
  });

  const say = (text: string, change: Partial<WireQuestion> = {}) => {
    desk.question = (at) => ({ ...questionOf(at, text), ...change });
  };

  it('in any field of a question or an answer runs nothing and stays in its place', async () => {
    say(HOSTILE, { source: HOSTILE, reason: HOSTILE, run: HOSTILE });
    desk.user = { ...ada, name: HOSTILE };
    desk.before = ({ path }) => {
      if (path === '/api/queue/preview')
        return ok({ readable: true, kind: HOSTILE, value: HOSTILE, reason: HOSTILE });
      if (path === '/api/queue/reveal')
        return ok({ classes: [{ answer: HOSTILE, count: 3 }], unread: 0 });
      return undefined;
    };
    const { page, complaints, close } = await watch(browser, stub.url);
    await page.goto(stub.url);
    await page.locator('#answer').fill(HOSTILE);
    await page.locator('#understood', { hasText: 'Reads as' }).waitFor();
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.locator('.classes li').waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('Saved.').first().waitFor();
    expect(desk.given[0]?.answer).toBe(HOSTILE.trim());
    expect(await page.locator('.question').textContent()).toContain('[U+202E]');
    await expectNoSidewaysScroll(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it('of other people on the pages of admins runs nothing either', async () => {
    const at = Date.now();
    const said = {
      ordinal: 1,
      annotator: HOSTILE,
      kind: 'answer',
      answer: HOSTILE,
      note: HOSTILE,
      revealed: true,
      at,
    };
    const messages = [{ role: HOSTILE, parts: [{ type: 'text', text: HOSTILE }] }];
    desk.before = ({ path }) => {
      switch (path) {
        case '/api/adjudication':
          return ok({
            total: 1,
            disputes: [
              {
                promptId: HOSTILE,
                messages,
                labels: [{ source: HOSTILE, answer: HOSTILE }],
                annotations: [said, { ...said, ordinal: 2 }],
              },
            ],
          });
        case '/api/users':
          return ok({ users: [ada, { ...ada, id: HOSTILE, name: HOSTILE }] });
        case '/api/figures':
          return ok({
            annotators: [
              {
                annotator: 'x',
                name: HOSTILE,
                answers: 1,
                skips: 1,
                revealed: 1,
                medianSeconds: 1,
                gold: { answered: 1, right: 1 },
              },
            ],
            checks: [{ source: HOSTILE, checked: 1, differing: 1, open: 1, wrong: 0, rate: null }],
            agreement: null,
          });
        case '/api/audit':
          return ok({
            entries: [
              {
                ordinal: 1,
                at,
                who: HOSTILE,
                action: HOSTILE,
                subject: HOSTILE,
                detail: { [HOSTILE]: HOSTILE },
              },
            ],
            before: null,
          });
        default:
          return undefined;
      }
    };
    const { page, complaints, close } = await watch(browser, stub.url);
    for (const [path, sign] of [
      ['/adjudicate', '.card-choice .given'],
      ['/people', '#audit-title ~ .table td'],
    ] as const) {
      await page.goto(stub.url + path);
      await page.locator(sign).first().waitFor();
      await expectNoSidewaysScroll(page);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  it('in formulas gets no link, no attribute, no place outside of its box, and is shown as source where it is no formula', async () => {
    say(FORMULAS.map((tex) => `A $${tex}$ B\n\n$$${tex}$$`).join('\n\n'));
    const { page, complaints, close } = await watch(browser, stub.url);
    await page.goto(stub.url);
    await page.locator('.katex').first().waitFor();
    await page.locator('code.unset').first().waitFor();
    const inside = '.question .messages';
    expect(
      await page
        .locator(`${inside} a, ${inside} img, ${inside} [data-a], ${inside} .action`)
        .count(),
    ).toBe(0);
    expect(await page.locator('[id=answer]').count()).toBe(1);
    await expectNoSidewaysScroll(page);
    // The button is where a formula that leaves its box would lie.
    await page.locator('#answer').fill('1');
    await page.getByRole('button', { name: 'Submit' }).click();
    await expect.poll(() => desk.given.length).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  it('does not keep ordinary formulas from being set under the policy', async () => {
    say(SOUND.map((tex) => `$$${tex}$$`).join('\n\n'));
    const { page, complaints, close } = await watch(browser, stub.url);
    await page.goto(stub.url);
    await page
      .locator('.katex')
      .nth(SOUND.length - 2)
      .waitFor();
    expect(await page.locator('.katex svg').count()).toBeGreaterThan(3);
    const widths = await page.evaluate(
      `[...document.querySelectorAll('.katex svg')].map((drawing) => drawing.style.width)`,
    );
    expect(widths).toContain('0.471em');
    // A style that the policy had refused would leave the heights out.
    expect(
      await page
        .locator('.katex-strut')
        .first()
        .evaluate((strut) => strut.style.height),
    ).toMatch(/em$/);
    expect(complaints).toEqual([]);
    await close();
  });

  it('of a million characters is cut, shown whole on demand, and leaves the page usable', async () => {
    const long = 'lorem ipsum $x$ **dolor** '.repeat(40_000);
    say(long);
    desk.before = ({ path }) =>
      path === '/api/queue/reveal'
        ? ok({
            classes: [
              { answer: long, count: 3 },
              { answer: 'x'.repeat(1_000_000), count: 1 },
            ],
            unread: 0,
          })
        : undefined;
    const { page, complaints, close } = await watch(browser, stub.url);
    await page.goto(stub.url);
    await page.getByRole('button', { name: 'Show all 1,040,000 characters' }).click();
    await page.locator('.question pre .piece').nth(100).waitFor({ state: 'attached' });
    expect((await page.locator('.question pre').textContent())?.length).toBe(long.length);
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.locator('.classes li').nth(1).waitFor();
    await page.locator('#answer').fill('7');
    await page.locator('#understood', { hasText: '7' }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it('in a one-time link or an address is text', async () => {
    desk.user = null;
    const { page, complaints, close } = await watch(browser, stub.url);
    await page.goto(`${stub.url}/join#${encodeURIComponent(HOSTILE.slice(0, 200))}%`);
    await page.getByLabel('Your name').waitFor();
    await page.goto(`${stub.url}/%3Cscript%3E?q=${encodeURIComponent('"><script>')}#<img>`);
    await page.getByText('No such page').waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
