/** A policy that trains an adapter: what moves, what is kept and what is written, in its thread as in a run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { randomAdapter } from '../../test/reference/adapters.ts';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { loadAdapter, saveAdapter } from '../model/adapter.ts';
import { readAdapterConfig } from '../model/adapter-config.ts';
import { loadWeights, saveWeights } from '../model/directory.ts';
import { freshAdapter } from '../model/lora.ts';
import { type LoraSettings, loraTargets } from '../model/lora-settings.ts';
import { Policy, type PolicySettings } from './policy.ts';
import { Scorer } from './scorer.ts';
import { ENGINE, move, OPTIMIZER, REQUESTS, SAMPLING, sequenceOf } from './testing/tiny-policy.ts';

const LORA: LoraSettings = { rank: 4, alpha: 16, targets: loraTargets, rslora: false };

const model = tinyModel();
const home = mkdtempSync(join(tmpdir(), 'pivottrace-adapter-policy-'));
const policies: Policy[] = [];
afterEach(async () => {
  for (const policy of policies.splice(0)) await policy.close();
});
afterAll(() => {
  model.remove();
  rmSync(home, { recursive: true });
});

function start(changes: Partial<PolicySettings> = {}, lora: Partial<LoraSettings> = {}): Policy {
  const base = { name: model.directory, revision: null };
  const policy = new Policy({
    ...{ model: model.directory, engine: ENGINE, batchSize: 4, chat: 'auto' },
    ...{ optimizer: OPTIMIZER, tokensPerMicroBatch: 512 },
    adapter: { settings: { ...LORA, ...lora }, seed: 1, base },
    ...changes,
  });
  policies.push(policy);
  return policy;
}

const said = async (policy: Policy, by: 'policy' | 'teacher' = 'policy') =>
  (await policy.generate(REQUESTS, SAMPLING, undefined, undefined, by)).map((one) => one.logprobs);

/** What was written, as others load it. */
const adapterIn = (directory: string) => loadAdapter(directory, model.config);
const frozen = (directory: string) => start({ model: directory, optimizer: null, adapter: null });

/** Equal but for the rounding of another order of sums. */
function expectClose(found: Float32Array[], expected: Float32Array[]): void {
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  for (const [i, row] of found.entries()) {
    for (const [t, value] of row.entries()) expect(value).toBeCloseTo(expected[i][t], 4);
  }
}

describe('a policy with an adapter', () => {
  it('starts as the model without, and moves', async () => {
    const policy = start();
    const before = await said(policy);
    expectClose(before, await said(frozen(model.directory)));
    await move(policy);
    expect(await said(policy)).not.toEqual(before);
  });

  it('has the model that it started from as its reference, and as its teacher until that follows', async () => {
    const policy = start();
    const sequence = await sequenceOf(policy);
    const first = await said(policy);
    const scorer = new Scorer(model.config, model.weights, ENGINE, 512);
    const expected = await scorer.logprobs([sequence], 1);
    await scorer.release();
    await move(policy);
    expect(await policy.referenceLogprobs([sequence], 1)).toEqual(expected);
    expect(await said(policy, 'teacher')).toEqual(first);
  });

  it('has a teacher that averages both matrices', async () => {
    const policy = start();
    await move(policy);
    await policy.save(join(home, 'policy'), true);
    await policy.teach(0.25);
    await policy.save(join(home, 'teacher'), true, 'teacher');
    const own = adapterIn(join(home, 'policy')).adapter;
    const began = freshAdapter(model.config, LORA, 1);
    for (const [name, values] of adapterIn(join(home, 'teacher')).adapter) {
      const [from, to] = [began.get(name), own.get(name)];
      const expected = values.map((_, i) => 0.25 * (from?.[i] ?? 0) + 0.75 * (to?.[i] ?? 0));
      expect(values, name).toEqual(expected);
    }
    expectClose(await said(policy, 'teacher'), await said(frozen(join(home, 'teacher'))));
  });

  it('goes on from a checkpoint bit for bit, which holds no weights of the base', async () => {
    const whole = start();
    await move(whole);
    await whole.teach(0.5);
    const at = join(home, 'checkpoint');
    await whole.save(at, true);
    await whole.saveOptimizer(join(at, 'optimizer.safetensors'));
    await whole.saveTeacher(join(at, 'teacher.safetensors'));
    expect(readdirSync(at)).not.toContain('model.safetensors');
    const resumed = start();
    await resumed.load(at);
    await resumed.loadOptimizer(join(at, 'optimizer.safetensors'));
    await resumed.loadTeacher(join(at, 'teacher.safetensors'));
    const ends = await Promise.all(
      [whole, resumed].map(async (policy, i) => {
        await move(policy);
        await policy.teach(0.5);
        const to = join(home, `end-${i}`);
        await policy.save(to, true);
        await policy.saveOptimizer(join(to, 'optimizer.safetensors'));
        await policy.saveTeacher(join(to, 'teacher.safetensors'));
        return to;
      }),
    );
    for (const name of ['adapter_model', 'optimizer', 'teacher']) {
      const [a, b] = ends.map((to) => readFileSync(join(to, `${name}.safetensors`)));
      expect(b.equals(a), name).toBe(true);
    }
    expect(await said(resumed, 'teacher')).toEqual(await said(whole, 'teacher'));
  });

  it('writes the adapter, and the whole model with it merged in, which both say what it says', async () => {
    const policy = start({}, { targets: ['v_proj', 'up_proj'], rslora: true });
    await move(policy);
    await policy.save(join(home, 'final'), false);
    await policy.saveMerged(join(home, 'merged'));
    expect(readAdapterConfig(join(home, 'final')).base.name).toBe(model.directory);
    const expected = await said(policy);
    expectClose(await said(frozen(join(home, 'final'))), expected);
    expectClose(await said(frozen(join(home, 'merged'))), expected);
    const features = await policy.promptFeatures(['3 + 4 = ']);
    const others = await frozen(join(home, 'merged')).promptFeatures(['3 + 4 = ']);
    expectClose([features[0].mean, features[0].last], [others[0].mean, others[0].last]);
  });

  it('merges in the dtypes of the base', async () => {
    const narrow = join(home, 'narrow');
    saveWeights(narrow, model.config, model.weights, { dtype: 'bfloat16', from: model.directory });
    const policy = start({ model: narrow });
    await move(policy);
    await policy.saveMerged(join(home, 'narrow-merged'));
    const { dtypes } = loadWeights(join(home, 'narrow-merged'));
    expect(new Set(dtypes.values())).toEqual(new Set(['bfloat16']));
  });
});

describe('training on from an adapter', () => {
  const path = join(home, 'given');
  saveAdapter(path, {
    ...{ config: model.config, settings: LORA, from: model.directory },
    adapter: randomAdapter(model.config, LORA, 5),
    base: { name: model.directory, revision: null },
  });

  it('goes on with it on its own base, with itself as the reference', async () => {
    const policy = start({ model: path });
    const before = await said(policy);
    expectClose(before, await said(frozen(path)));
    const sequence = await sequenceOf(policy);
    const [began] = await policy.referenceLogprobs([sequence], 1);
    await move(policy);
    expect(await said(policy)).not.toEqual(before);
    expect((await policy.referenceLogprobs([sequence], 1))[0]).toEqual(began);
    expect(await said(policy, 'teacher')).toEqual(before);
    await policy.save(join(home, 'given-on'), false);
    expect(readAdapterConfig(join(home, 'given-on')).base.name).toBe(model.directory);
  });

  it('is refused with settings of another adapter', async () => {
    const policy = start({ model: path }, { rank: 2 });
    await expect(said(policy)).rejects.toThrow('rank=4');
  });

  it('without an adapter of its own trains all weights, with the adapter merged in', async () => {
    const policy = start({ model: path, adapter: null });
    await move(policy);
    await policy.save(join(home, 'whole'), false);
    expect(readdirSync(join(home, 'whole'))).toContain('model.safetensors');
    const { weights } = loadWeights(join(home, 'whole'));
    const name = 'model.embed_tokens.weight';
    expect(weights.get(name)).not.toEqual(model.weights.get(name));
  });
});
