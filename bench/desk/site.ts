/** A workspace full of questions and the `pivottrace serve` that hands them out, as a process of its own to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { loadConfig, packageRoot } from '../../src/cli/config.ts';
import { databaseVariable } from '../../src/cli/database.ts';
import { accountsOf } from '../../src/cli/stages/desk.ts';
import { nameKey } from '../../src/server/names.ts';
import { openStore } from '../../src/store/store.ts';
import { promptRow } from '../../src/store/testing/rows.ts';
import { planToJson } from '../../src/triage/disk.ts';
import { planTriage } from '../../src/triage/plan.ts';
import { transitionsOf } from '../../src/triage/transitions.ts';

const program = join(packageRoot, 'bin', 'pivottrace.mjs');

export interface SiteSettings {
  workspace: string;
  /** postgres://...; undefined = the workspace's own database. */
  database: string | undefined;
  questions: number;
  /** Most labels. */
  budget: number;
  leaseSeconds: number;
}

export class Site {
  readonly settings: SiteSettings;
  readonly port: number;
  /** What the servers said on standard error, its end. */
  log = '';
  private child: ChildProcess | undefined;

  private constructor(settings: SiteSettings, port: number) {
    this.settings = settings;
    this.port = port;
  }

  /** Fills the database with a pool and a plan that wants all of it annotated. */
  static async make(settings: SiteSettings): Promise<Site> {
    const store = await openStore(settings.database ?? settings.workspace);
    try {
      const prompts = Array.from({ length: settings.questions }, (_, i) => promptRow(i));
      await store.prompts.add(prompts);
      const scores = prompts.map(({ id: promptId }, i) => ({ promptId, value: i }));
      const plan = planTriage({
        name: 'main',
        scores: { estimator: 'pivot_excess', scores },
        probes: [],
        settings: { rule: 'quota', quota: { discard: 0, self: 0, annotate: 1 } },
      });
      await store.plans.save('main', planToJson(plan));
      await store.transitions.append(transitionsOf(plan, new Map()));
    } finally {
      await store.close();
    }
    return new Site(settings, await freePort());
  }

  get target(): string {
    return this.settings.database ?? this.settings.workspace;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * Tokens of one-time links, one per name: invitations for the first `fresh` of them, who choose a password, and
   * sign-ins of users who are there already for the others, since hashing hundreds of passwords takes a minute.
   */
  async links(names: readonly string[], fresh: number): Promise<string[]> {
    const store = await openStore(this.target);
    try {
      const { workspace } = this.settings;
      const { config } = loadConfig({ cwd: workspace, overrides: this.overrides() });
      const accounts = accountsOf(store, config);
      const tokens: string[] = [];
      for (const [i, name] of names.entries()) {
        const role = 'annotator';
        if (i < fresh) tokens.push((await accounts.invite({ role, name }, null)).token);
        else {
          const id = randomUUID();
          const user = { id, name, role, kind: 'person', disabled: false } as const;
          const more = { nameKey: nameKey(name), password: null, createdAt: Date.now() };
          await store.users.add({ ...user, ...more });
          tokens.push((await accounts.signInLink(id, null)).token);
        }
      }
      return tokens;
    } finally {
      await store.close();
    }
  }

  /** Starts the server; resolves once it says that it listens. Returns the milliseconds that took. */
  async start(): Promise<number> {
    const { workspace, database } = this.settings;
    const begun = performance.now();
    const child = spawn(
      process.execPath,
      [program, 'serve', '--no-link', '--json', ...this.overrides()],
      {
        cwd: workspace,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, [databaseVariable]: database },
      },
    );
    this.child = child;
    child.stderr.on('data', (data) => {
      this.log = `${this.log}${data}`.slice(-20_000);
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (data) => {
        said = `${said}${data}`.slice(-20_000);
        if (said.includes('"event":"result"')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`the server ended with ${code ?? signal}: ${said} ${this.log}`)),
      );
    });
    return performance.now() - begun;
  }

  /** As a power failure of the process: nothing is finished. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGINT');
  }

  remove(): void {
    this.child?.kill('SIGKILL');
    rmSync(this.settings.workspace, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  private overrides(): string[] {
    const { workspace, budget, leaseSeconds } = this.settings;
    return [
      ...[`workspace=${workspace}`, `serve.port=${this.port}`, `label.budget=${budget}`],
      `serve.lease_seconds=${leaseSeconds}`,
    ];
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
