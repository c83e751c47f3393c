/** Chromium for tests of the browser app, and what has to hold of every page in it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const EXECUTABLE = process.env.PIVOTTRACE_CHROMIUM ?? '/usr/bin/chromium';

export const PRESENT = existsSync(EXECUTABLE);

/** The name of a suite, which says why it is skipped where it is. */
export const inChromium = (name: string): string =>
  PRESENT
    ? `${name} in Chromium`
    : `${name} in Chromium (skipped: no ${EXECUTABLE}; install chromium or set PIVOTTRACE_CHROMIUM)`;

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Watched {
  page: Page;
  /** Complaints: console, uncaught errors, violations of the content security policy, requests to elsewhere. */
  complaints: string[];
  close(): Promise<void>;
}

/** A page of its own context. `own`: the server that it may talk to. */
export async function watch(
  browser: Browser,
  own: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  await page.exposeFunction('complain', (text: string) => void complaints.push(text));
  await page.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) =>
      complain('csp: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
    window.hurt = 0;
    window.alert = window.confirm = window.prompt = () => { window.hurt += 1; complain('it ran'); };
  `);
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${String(error)}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(own) && !url.startsWith('data:')) complaints.push(`request: ${url}`);
  });
  return { page, complaints, close: () => context.close() };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Violations that axe-core calls serious or critical: rule and the first element. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found: unknown = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })
    .then((result) => result.violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => one.id + ': ' + one.nodes[0].html.slice(0, 200) + ' ' + one.nodes[0].failureSummary))`);
  return Array.isArray(found) ? found.map(String) : ['axe did not answer'];
}

/** Buttons, fields and links of the page itself that are lower than a finger is wide (links within text apart). */
export async function smallTargets(page: Page): Promise<string[]> {
  const found: unknown = await page.evaluate(`[...document.querySelectorAll(
      'button, select, textarea, input:not([type=radio], [type=checkbox], .unseen), .doors a, .card-choice, label.check')]
    .filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.height > 0 && box.height < 43.5;
    })
    .map((element) => element.outerHTML.slice(0, 120))`);
  return Array.isArray(found) ? found.map(String) : ['?'];
}

/** The page does not scroll sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over: unknown = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(over).toBeLessThanOrEqual(0);
}
