/** Training that waits for labels, as processes of their own: people give them in the browser, or elsewhere in a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/cli/config.ts';
import { databaseVariable } from '../../src/cli/database.ts';
import { openStore } from '../../src/store/store.ts';
import { freshWorkspace } from '../../src/store/testing/workspace.ts';
import type { Store } from '../../src/store/types.ts';
import { inChromium, launch, PRESENT } from '../../web/testing/chromium.ts';
import { closeAll } from './close.ts';
import { bundledAnswers, bundledPrompts } from './pool.ts';
import { asked, eventually, isAsking, newcomer, openSite, press, type Site } from './site.ts';

const metricsSchema = z.object({
  step: z.number(),
  labels_used: z.number(),
  groups_verified: z.number(),
});
const tasksSchema = z.array(z.object({ data: z.looseObject({ pt_id: z.string() }) }));

/** A few short steps of the bundled model, in which every group that disagrees wants a label. */
function settingsOf(run: string, steps: number): string[] {
  return [
    ...[`train.run=${run}`, `label.account=${run}`, 'label.source=people', 'label.budget=9'],
    ...['label.when_missing=wait', 'engine.threads=1', 'rollout.max_tokens=48'],
    ...['train.dynamic.start=pool', 'train.dynamic.features=0', 'train.dynamic.trace=false'],
    ...[`train.steps=${steps}`, 'train.prompts_per_step=3', 'train.group_size=4'],
    ...['train.dynamic.warmup_groups=100', 'train.lr=1e-3', 'verify.extract.unmarked=none'],
  ];
}

/** One command of the program. */
class Command {
  said = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(workspace: string, ...args: string[]) {
    this.child = spawn(
      process.execPath,
      [join(packageRoot, 'bin', 'pivottrace.mjs'), ...args, `workspace=${workspace}`],
      {
        cwd: workspace,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, [databaseVariable]: undefined },
      },
    );
    const hear = (data: unknown) => {
      this.said += String(data);
    };
    this.child.stdout?.on('data', hear);
    this.child.stderr?.on('data', hear);
    this.ended = once(this.child, 'close');
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Rejects with all that it said where it did not end well. */
  async done(): Promise<void> {
    await this.ended;
    if (this.child.exitCode !== 0) throw new Error(this.said);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

describe.skipIf(!PRESENT)(
  inChromium('training on the labels of people'),
  { timeout: 300_000 },
  () => {
    const answers = bundledAnswers();
    const commands: Command[] = [];
    let browser: Browser;
    let workspace: string;
    let store: Store;

    beforeAll(async () => {
      workspace = await freshWorkspace();
      // The server of the desk has the workspace; the commands work through it.
      store = await openStore(workspace, { share: true });
      await store.prompts.add(bundledPrompts(10));
      browser = await launch();
    }, 300_000);
    afterAll(async () => {
      for (const command of commands) command.kill();
      await closeAll(browser, store);
    });

    const run = (...args: string[]): Command => {
      const command = new Command(workspace, ...args);
      commands.push(command);
      return command;
    };
    const metrics = (name: string) =>
      readFileSync(join(workspace, 'runs', name, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => metricsSchema.parse(JSON.parse(line)));

    it('waits for them, gets them from the page, and ends with them used', async () => {
      const settings = settingsOf('live', 2);
      const site: Site = await openSite({ workspace, store }, ...settings);
      try {
        const { page, complaints } = await newcomer(browser, site, { role: 'admin', name: 'Ada' });
        expect(await isAsking(page)).toBe(false);
        const training = run('train', ...settings);
        const given: string[] = [];
        for (;;) {
          // What training wants appears by itself.
          await eventually(async () => training.isOver || (await isAsking(page))).toBe(true);
          if (!(await isAsking(page))) break;
          const id = (await site.held('Ada')) ?? '';
          const question = bundledPrompts(10).find((one) => one.id === id)?.prompt;
          await eventually(() => asked(page)).toContain(question);
          await page.keyboard.type(answers.get(id) ?? '');
          await press(page, 'Enter');
          given.push(id);
        }
        await training.done();
        expect(given.length).toBeGreaterThan(0);
        const owned = await store.labels.owned('live');
        expect(owned.map(({ promptId, answer, source }) => [promptId, answer, source])).toEqual(
          given.map((id) => [id, answers.get(id), 'Ada']),
        );
        const steps = metrics('live');
        expect(steps.map(({ step }) => step)).toEqual([1, 2]);
        expect(steps[1].labels_used).toBe(given.length);
        expect(steps[0].groups_verified).toBe(steps[0].labels_used);
        expect(training.said).toMatch(/Training waits for \d+ labels? at step 1/);
        expect([...complaints, ...site.faults]).toEqual([]);
      } finally {
        await site.close();
      }
    });

    it('gets them from a Label Studio project, and ends with them used', async () => {
      const settings = settingsOf('elsewhere', 1);
      const training = run('train', ...settings);
      const open = async () =>
        (await store.desk.tasks('elsewhere')).filter(({ state }) => state === 'open').length;
      const waits = async () => training.isOver || training.said.includes('Training waits for');
      await eventually(waits).toBe(true);
      const wanted = await open();
      expect([wanted > 0, training.isOver]).toEqual([true, false]);

      const exported = join(workspace, 'tasks.json');
      await run('label', '--export', exported, '--format', 'label-studio', ...settings).done();
      const tasks = tasksSchema.parse(JSON.parse(readFileSync(exported, 'utf8')));
      expect(tasks.length).toBe(wanted);
      const done = tasks.map(({ data }, i) => ({
        ...{ id: i + 1, data, predictions: [] },
        annotations: [
          {
            ...{ id: 100 + i, completed_by: 1, was_cancelled: false, ground_truth: false },
            result: [
              {
                ...{ id: `r${i}`, type: 'textarea', from_name: 'answer', to_name: 'question' },
                ...{ origin: 'manual', value: { text: [answers.get(data.pt_id)] } },
              },
            ],
          },
        ],
      }));
      const answered = join(workspace, 'project-1.json');
      writeFileSync(answered, JSON.stringify(done));
      await run('label', '--from', answered, '--annotator', '1=mara', ...settings).done();

      await training.done();
      const owned = await store.labels.owned('elsewhere');
      expect(owned.map(({ source }) => source)).toEqual(tasks.map(() => 'mara'));
      const [step] = metrics('elsewhere');
      expect(step).toMatchObject({ step: 1, labels_used: wanted, groups_verified: wanted });
      expect(await open()).toBe(0);
    });
  },
);
