/**
 * The annotation desk as people meet it: a real server on a workspace, with the program's own page, verifiers and plan,
 * and browsers whose owners come in by one-time links.
 */
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { loadConfig, packageRoot } from '../../src/cli/config.ts';
import { openDeskServer } from '../../src/cli/stages/desk.ts';
import { labelAccount } from '../../src/cli/stages/labels.ts';
import { verifierSpecs } from '../../src/cli/stages/workspace.ts';
import type { Queue, Role } from '../../src/label/queue/types.ts';
import { bundleApp } from '../../src/server/bundle.ts';
import { nameKey } from '../../src/server/names.ts';
import type { Store } from '../../src/store/types.ts';
import { openVerifiers } from '../../src/verify/verifiers.ts';
import { type Watched, watch } from '../../web/testing/chromium.ts';

/** Long enough, and nobody's. */
export const PASSWORD = 'correct horse battery';

/** Machines that are busy with something else take long; a test that fails takes longer. */
const PATIENCE = { timeout: 60_000, interval: 50 };

/** `expect.poll` with the patience of a test that has a server, a database and a browser to wait for. */
export const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, PATIENCE);

export interface Site {
  url: string;
  account: string;
  store: Store;
  queue: Queue;
  /** What would be told to whoever runs the server. */
  faults: unknown[];
  /** A link that makes a user, or lets one choose a name. */
  link(role: Role, name?: string): Promise<string>;
  /** The question that the user of this name has in hand. */
  held(name: string): Promise<string | undefined>;
  close(): Promise<void>;
}

let assets: ReturnType<typeof bundleApp> | undefined;

/** A server on the workspace of `store`, which stays open when it is closed. */
export async function openSite(
  { workspace, store }: { workspace: string; store: Store },
  ...settings: string[]
): Promise<Site> {
  const overrides = [`workspace=${workspace}`, 'serve.port=0', ...settings];
  const { config } = loadConfig({ cwd: workspace, overrides });
  const verifiers = await openVerifiers(verifierSpecs(config), { workers: 1 });
  const faults: unknown[] = [];
  assets ??= bundleApp(join(packageRoot, 'web'));
  const desk = await openDeskServer({
    ...{ store, config, verifiers, assets: await assets },
    onFault: (error) => faults.push(error),
  });
  const account = labelAccount(config);
  return {
    ...{ url: desk.server.url, account, store, queue: desk.queue, faults },
    async link(role, name) {
      const { accounts } = desk.server;
      const { token } = await accounts.invite(
        { role, ...(name === undefined ? {} : { name }) },
        null,
      );
      return desk.server.linkTo(token);
    },
    async held(name) {
      const user = await store.users.byName(nameKey(name));
      const lease = user && (await store.desk.lease(account, user.id));
      return lease !== undefined && lease.expiresAt > Date.now() ? lease.promptId : undefined;
    },
    async close() {
      await desk.close();
      await verifiers.close();
    },
  };
}

/** Somebody new in a browser of their own, come by a link, on the annotate page. Keyboard only. */
export async function newcomer(
  browser: Browser,
  site: Site,
  { role, name, options = {} }: { role: Role; name: string; options?: BrowserContextOptions },
): Promise<Watched> {
  const watched = await watch(browser, site.url, options);
  const { page } = watched;
  await page.goto(await site.link(role));
  await page.getByLabel('Your name').focus();
  for (const text of [name, PASSWORD, PASSWORD]) {
    await page.keyboard.type(text);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.locator('#answer').waitFor();
  return watched;
}

export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name').focus();
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('#answer').waitFor();
}

/** What the annotate page asks, or says where there is nothing to ask. */
export const asked = (page: Page): Promise<string> =>
  page.locator('.bench > :first-child').innerText();

/** Whether there is a question to answer. */
export const isAsking = async (page: Page): Promise<boolean> =>
  (await page.locator('#answer[readonly]').count()) === 0;

/**
 * Presses a key that ends a question and waits for what comes next. An answer that the verifier cannot read is sent on
 * the second time.
 */
export async function press(page: Page, key: string): Promise<void> {
  const before = await asked(page);
  await page.keyboard.press(key);
  await eventually(async () => {
    if ((await asked(page)) !== before) return true;
    const again = page.getByText('Submit once more');
    if (key === 'Enter' && (await again.isVisible())) await page.keyboard.press(key);
    return false;
  }).toBe(true);
}
