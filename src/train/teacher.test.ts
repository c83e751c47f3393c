/** The teacher against its definition: weights averaged by hand, sampled from by a sampler of the test's own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type TinyModel, tinyModel } from '../../test/reference/tiny-directory.ts';
import { encodePrompt, loadChatTemplate } from '../model/chat-template.ts';
import { loadWeights } from '../model/directory.ts';
import { Sampler } from '../rollout/sampler.ts';
import { Policy } from './policy.ts';
import { Teacher } from './teacher.ts';
import { ENGINE, move, OPTIMIZER, REQUESTS, SAMPLING } from './testing/tiny-policy.ts';

const model: TinyModel = tinyModel();
const home = mkdtempSync(join(tmpdir(), 'pivottrace-teacher-'));
const policies: Policy[] = [];
afterEach(async () => {
  for (const policy of policies.splice(0)) await policy.close();
});
afterAll(() => {
  model.remove();
  rmSync(home, { recursive: true });
});

function start(): Policy {
  const policy = new Policy({
    ...{ model: model.directory, engine: ENGINE, batchSize: 4, chat: 'auto' },
    ...{ optimizer: OPTIMIZER, tokensPerMicroBatch: 512 },
  });
  policies.push(policy);
  return policy;
}

const taught = async (policy: Policy) =>
  await policy.generate(REQUESTS, SAMPLING, undefined, undefined, 'teacher');

async function weightsOf(policy: Policy, name: string): Promise<Map<string, Float32Array>> {
  await policy.save(join(home, name), true);
  return loadWeights(join(home, name)).weights;
}

/** What a model with these weights says. */
async function saidBy(weights: Map<string, Float32Array>) {
  const template = loadChatTemplate(model.directory);
  const requests = REQUESTS.map(({ promptId, sample, prompt }) => ({
    ...{ promptId, sample },
    promptTokens: encodePrompt(model.tokenizer, template, [{ role: 'user', content: prompt }]),
  }));
  const options = { engine: ENGINE, batchSize: 4 };
  const sampler = new Sampler(model.config, weights, model.tokenizer, options);
  const rollouts = await sampler.generate(requests, SAMPLING);
  return rollouts.map((rollout, i) => ({ ...rollout, promptTokens: requests[i].promptTokens }));
}

describe('a teacher', () => {
  it('begins as what the run started from, and is not the policy', async () => {
    const policy = start();
    const first = await policy.generate(REQUESTS, SAMPLING);
    expect(await policy.hasTeacher()).toBe(false);
    await move(policy);
    expect(await taught(policy)).toEqual(first);
    expect(await policy.hasTeacher()).toBe(true);
    expect(await policy.generate(REQUESTS, SAMPLING)).not.toEqual(first);
  });

  it('is the moving average of the weights', async () => {
    const policy = start();
    const average = loadWeights(model.directory).weights;
    for (const [update, decay] of [0.5, 0.25].entries()) {
      await move(policy);
      await policy.teach(decay);
      for (const [name, now] of await weightsOf(policy, `average-${update}`)) {
        const mine = average.get(name);
        expect(mine).toBeDefined();
        mine?.set(mine.map((x, i) => decay * x + (1 - decay) * now[i]));
      }
    }
    expect(await taught(policy)).toEqual(await saidBy(average));
    expect(await taught(policy)).not.toEqual(await policy.generate(REQUESTS, SAMPLING));
  });

  it('stays at a decay of 1 and follows at once at 0', async () => {
    const policy = start();
    const first = await policy.generate(REQUESTS, SAMPLING);
    await move(policy);
    await policy.teach(1);
    expect(await taught(policy)).toEqual(first);
    await policy.teach(0);
    expect(await taught(policy)).toEqual(await policy.generate(REQUESTS, SAMPLING));
    await expect(policy.teach(1.5)).rejects.toThrow('decay');
  });

  it('goes on from a checkpoint bit for bit', async () => {
    const whole = start();
    await move(whole);
    await whole.teach(0.5);
    await whole.save(join(home, 'checkpoint'), true);
    await whole.saveOptimizer(join(home, 'optimizer.safetensors'));
    await whole.saveTeacher(join(home, 'teacher.safetensors'));
    const resumed = start();
    await resumed.load(join(home, 'checkpoint'));
    await resumed.loadOptimizer(join(home, 'optimizer.safetensors'));
    await resumed.loadTeacher(join(home, 'teacher.safetensors'));
    for (const [name, policy] of [
      ['whole', whole],
      ['resumed', resumed],
    ] as const) {
      await move(policy);
      await policy.teach(0.5);
      await policy.saveTeacher(join(home, name));
    }
    expect(readFileSync(join(home, 'resumed')).equals(readFileSync(join(home, 'whole')))).toBe(
      true,
    );
    expect(await taught(resumed)).toEqual(await taught(whole));
  });

  it('leaves no file where there is none, and without a file there is none', async () => {
    const path = join(home, 'nothing');
    const policy = start();
    await policy.saveTeacher(path);
    expect(existsSync(path)).toBe(false);
    await policy.teach(0.5);
    await policy.loadTeacher(path);
    expect(await policy.hasTeacher()).toBe(false);
  });

  it('refuses a policy of another shape', () => {
    const weights = loadWeights(model.directory).weights;
    const options = { engine: ENGINE, batchSize: 2 };
    const teacher = new Teacher(model.config, weights, model.tokenizer, options);
    expect(() => teacher.follow(new Map(), 0.5)).toThrow('lacks');
  });
});
