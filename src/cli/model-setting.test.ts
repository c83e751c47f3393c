/** The setting `model`: paths, GGUF files and names of the hub, through the configuration. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { modelMetadata, modelTensors, writeGguf } from '../model/testing/gguf-writer.ts';
import { loadConfig } from './config.ts';
import { main } from './main.ts';
import { modelIdentity } from './stages/model-identity.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const tiny = tinyModel();
afterAll(() => tiny.remove());
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-model-'));
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'hub'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const modelOf = (model: string): string =>
  loadConfig({ cwd: folder, overrides: [`model=${model}`] }).config.model;

function cache(name: string): string {
  const repo = join(folder, 'hub', `models--${name.replace('/', '--')}`);
  const snapshot = join(repo, 'snapshots', COMMIT);
  mkdirSync(join(repo, 'refs'), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(repo, 'refs/main'), COMMIT);
  for (const file of ['config.json', 'tokenizer.json', 'model.safetensors'])
    writeFileSync(join(snapshot, file), '{}');
  return snapshot;
}

test('a name of the hub is where its cache has it, and stays a name where it has not', () => {
  const snapshot = cache('org/name');
  expect(modelOf('org/name')).toBe(snapshot);
  expect(modelOf(`org/name@${COMMIT}`)).toBe(snapshot);
  expect(modelOf('org/other')).toBe('org/other');
  expect(modelOf('./org/other')).toBe(join(folder, 'org/other'));
});

test('a path that exists is a path, whatever the hub has of that name', () => {
  cache('org/name');
  mkdirSync(join(folder, 'org/name'), { recursive: true });
  expect(modelOf('org/name')).toBe(join(folder, 'org/name'));
});

test('a verb that needs a model of the hub says how to get it, and without network that it is forbidden', async () => {
  const errors: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  writeFileSync(join(folder, 'held.jsonl'), '{"prompt":"1 + 1","answer":"2"}\n');
  const words = ['eval', 'model=org/none', `eval.file=${join(folder, 'held.jsonl')}`, '--quiet'];
  expect(await main(words)).toBe(1);
  expect(errors.join('')).toContain('model_download=true fetches it');
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect(await main([...words, 'model_download=true'])).toBe(1);
  expect(errors.join('')).toContain('HF_HUB_OFFLINE forbids fetching it');
});

test('what a GGUF file computes is known by its bytes, wherever it lies', async () => {
  const path = join(folder, 'x.gguf');
  const tensors = modelTensors(tiny.config, tiny.weights);
  writeGguf(path, modelMetadata('qwen3', tiny.config), tensors);
  const identity = await modelIdentity(path);
  expect(identity).toMatch(/^[0-9a-f]{64}$/);
  writeGguf(join(folder, 'y.gguf'), modelMetadata('qwen3', tiny.config), tensors);
  expect(await modelIdentity(join(folder, 'y.gguf'))).toBe(identity);
  writeGguf(path, modelMetadata('qwen3', { ...tiny.config, maxPositions: 99 }), tensors);
  expect(await modelIdentity(path)).not.toBe(identity);
});
