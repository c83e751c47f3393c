import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fields } from './config/fields.ts';
import { printConfig, starterConfig } from './config/print.ts';
import { type Config, configSchema } from './config/schema.ts';
import { editDistance, nearest } from './config/suggest.ts';
import { settingsOfSource } from './config/verify.ts';
import { configFileName, loadConfig, packageRoot } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string | Uint8Array, name = configFileName): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(text: string, ...overrides: string[]): Config {
  write(text);
  return loadConfig({ cwd: folder, overrides }).config;
}

/** The message that loading ends with. */
function complaint(text: string | Uint8Array, ...overrides: string[]): string {
  write(text);
  try {
    loadConfig({ cwd: folder, overrides });
  } catch (error) {
    if (error instanceof Error && error.name === 'UserError') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

test('the file, then the overrides, then the defaults', () => {
  const config = load(
    'train:\n  lr: 1e-3\n  steps: 7\n',
    'train.lr=2e-4',
    'rollout.stop=["a", "b"]',
  );
  expect(config.train).toMatchObject({ lr: 2e-4, steps: 7, group_size: 8 });
  expect(config.rollout.stop).toEqual(['a', 'b']);
});

test('a whole group can be given, and a commented-out group means its defaults', () => {
  const config = load('train:\n', 'triage.quota={discard: 0.5, self: 0.25, annotate: 0.25}');
  expect(config.triage.quota.discard).toBe(0.5);
  expect(config.train).toEqual(configSchema.parse({}).train);
});

test('an empty file and no file are the defaults; only a file or an override names a workspace', () => {
  expect(load('')).toEqual(load('{}'));
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  expect(loadConfig({ cwd: elsewhere }).hasWorkspace).toBe(false);
  expect(loadConfig({ cwd: elsewhere, overrides: ['workspace=w'] }).hasWorkspace).toBe(true);
  expect(loadConfig({ cwd: folder }).hasWorkspace).toBe(true);
});

test('paths are relative to the file, on the command line to the current directory', () => {
  mkdirSync(join(folder, 'sub'));
  write('model: m\npool:\n  files: [a.jsonl, /b.csv]\neval:\n  file: e.jsonl\n', 'sub/x.yaml');
  const { config } = loadConfig({
    cwd: folder,
    file: 'sub/x.yaml',
    overrides: ['eval.file=e.jsonl'],
  });
  expect(config.model).toBe(join(folder, 'sub/m'));
  expect(config.workspace).toBe(join(folder, 'sub'));
  expect(config.pool.files).toEqual([join(folder, 'sub/a.jsonl'), '/b.csv']);
  expect(config.eval.file).toBe(join(folder, 'e.jsonl'));
  expect(configSchema.parse({}).model).toMatch(/^bundled:/);
  expect(load('').model).toBe(join(packageRoot, 'models/reasoner'));
});

test('unknown keys fail with their place and what was probably meant', () => {
  expect(complaint('seed: 1\ntrain:\n  lrr: 1\n')).toBe(
    `${folder}/pivottrace.yaml:3:3: wanted a known setting of "train", found "train.lrr". Did you mean "train.lr"?`,
  );
  expect(complaint('sede: 1')).toContain('Did you mean "seed"?');
  expect(complaint('train:\n  psi: 0.1')).toContain('Did you mean "trace.psi"?');
  expect(complaint('', 'trian.lr=1')).toBe(
    'override "trian.lr=1": wanted a known setting, found "trian.lr". Did you mean "train.lr"?',
  );
  expect(complaint('xyzzy_plugh: 1')).toContain('--print-config');
  expect(complaint('', '__proto__.polluted=1')).toContain('wanted a known setting');
});

test('wrong values say what was wanted, what was found and where, all of them at once', () => {
  const message = complaint('train:\n  steps: many\n  arm: half\n', 'trace.psi=2');
  expect(message).toContain(
    `${folder}/pivottrace.yaml:2:3: wanted a whole number of at least 1 for "train.steps", found the text "many".`,
  );
  expect(message).toContain(':3:3: wanted one of pivottrace, full, majority for "train.arm"');
  expect(message).toContain(
    'override "trace.psi=2": wanted a number above 0 and of at most 1 for "trace.psi", found 2.',
  );
  expect(complaint('triage:\n  quota: {discard: 0.9}')).toContain(
    ':2:3: wanted three shares that add up to 1 for "triage.quota", found {"discard":0.9}.',
  );
  expect(complaint('train: 3')).toContain('wanted a group of settings for "train", found 3.');
  expect(complaint('train: 3', 'train.lr=1')).toContain('wanted a group of settings for "train"');
  expect(complaint('- a')).toContain('wanted a map of settings for settings, found ["a"]');
  expect(complaint('rollout:\n  stop: [a, 3]')).toContain(':2:13: wanted a list of texts');
  expect(complaint('label:\n  answers: 3')).toContain('wanted a path or null for "label.answers"');
});

test('broken files fail with their place', () => {
  expect(complaint('seed: 1\nseed: 2\n')).toContain('pivottrace.yaml:2:1: wanted valid YAML');
  expect(complaint('train: {lr: 1')).toContain('wanted valid YAML');
  expect(complaint(Uint8Array.of(0x61, 0xff, 0xfe))).toContain('bytes that are not UTF-8');
  expect(complaint('', 'train.lr={')).toContain('override "train.lr={": wanted a YAML value');
  expect(() => loadConfig({ cwd: folder, file: 'missing.yaml' })).toThrow('ENOENT');
});

const text = fc.string({ minLength: 1, unit: 'grapheme' });
const someConfig = fc
  .record({
    seed: fc.nat(),
    workspace: text.map((name) => `/${name}`),
    files: fc.array(text.map((name) => `/${name}`)),
    stop: fc.array(text),
    answer: fc.option(text),
    psi: fc.double({ min: 1e-9, max: 1, noNaN: true }),
    lr: fc.double({ min: 0, max: 1, noNaN: true }),
    budget: fc.option(fc.nat()),
  })
  .map(({ seed, workspace, files, stop, answer, psi, lr, budget }) =>
    configSchema.parse({
      seed,
      workspace,
      pool: { files, columns: { answer } },
      rollout: { stop },
      trace: { psi },
      train: { lr },
      label: { budget },
    }),
  );

test('the printed configuration reads back as the same configuration', () => {
  fc.assert(
    fc.property(someConfig, (config) => {
      const once = load(printConfig(config));
      expect(load(printConfig(once))).toEqual(once);
      expect({ ...once, workspace: '', model: '', pool: '' }).toEqual({
        ...config,
        workspace: '',
        model: '',
        pool: '',
      });
      expect(once.pool.columns).toEqual(config.pool.columns);
    }),
    { numRuns: 60 },
  );
});

test('the starter file holds its values and otherwise the defaults', () => {
  const config = load(starterConfig({ seed: 5, 'pool.files': ['x.jsonl'] }));
  const defaults = load('');
  expect(config).toEqual({
    ...defaults,
    seed: 5,
    pool: { ...defaults.pool, files: [join(folder, 'x.jsonl')] },
  });
});

test('every setting is described', () => {
  for (const field of fields) {
    expect(field.description, field.path.join('.')).toMatch(/\S{3}/);
    expect(field.path.at(-1)).toMatch(/^[a-z][a-z0-9_]*$/);
  }
});

test('the nearest word is a likely slip, or nothing', () => {
  expect(nearest('epsilon', ['seed', 'model'])).toBeUndefined();
  expect(nearest('Modle', ['seed', 'model'])).toBe('model');
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

const mixed = `verify:
  deadline_ms: 500
  math: {relative: 0.5, absolute: 2}
  choice: {options: {A: one, B: two}}
  sources:
    gsm8k: {kind: number, math: {relative: 0}, choice: {options: {C: three}}}
    mbpp:
      kind: code
      code:
        enabled: true
    plain:
`;

test('a source takes what it does not set from the settings of all sources', () => {
  const { verify } = load(mixed);
  const { sources: _, workers: __, ...common } = verify;
  expect(settingsOfSource(verify, 'gsm8k')).toEqual({
    ...common,
    kind: 'number',
    math: { ...common.math, relative: 0, absolute: 2 },
    choice: { options: { C: 'three' }, several: false },
  });
  expect(settingsOfSource(verify, 'mbpp')).toEqual({
    ...common,
    kind: 'code',
    code: { ...common.code, enabled: true },
  });
  for (const other of ['plain', 'unheard', 'constructor', '__proto__']) {
    expect(settingsOfSource(verify, other), other).toEqual(common);
  }
  expect(load('').verify.sources).toEqual({});
  expect(load('', 'verify.sources={"a.jsonl": {kind: text}}').verify.sources).toEqual({
    'a.jsonl': { kind: 'text' },
  });
});

test('the settings of a source are checked, filled and printed as those of all are', () => {
  const inSource = (text: string) => complaint(`verify:\n  sources:\n    gsm8k: ${text}\n`);
  expect(inSource('{knid: math}')).toContain(
    'pivottrace.yaml:3:13: wanted a known setting of "verify.sources.gsm8k", found "verify.sources.gsm8k.knid". ' +
      'Did you mean "verify.sources.gsm8k.kind"?',
  );
  expect(inSource('{math: {relativ: 1}}')).toContain('"verify.sources.gsm8k.math.relative"?');
  expect(inSource('{workers: 2}')).toContain('found "verify.sources.gsm8k.workers"');
  expect(inSource('{sources: {}}')).toContain('found "verify.sources.gsm8k.sources"');
  expect(inSource('{kind: maths}')).toContain(
    ':3:13: wanted one of auto, math, number, choice, text, json, regex, steps, code, module, command for "verify.sources.gsm8k.kind", found the text "maths".',
  );
  expect(inSource('{math: {relative: -1}}')).toContain('wanted a number of at least 0 for');
  expect(inSource('number')).toContain('wanted a group of settings for "verify.sources.gsm8k"');
  expect(complaint('verify: {sources: 3}')).toContain('wanted a map of groups of settings for');
  expect(complaint('', 'verify.sources={gsm8k: {kind: 3}}')).toContain('override "verify.sources=');

  const config = load(mixed);
  expect(load(printConfig(config))).toEqual(config);

  const modules = load(
    'verify:\n  sources:\n    a: {module: {path: mine.ts}}\n    b: {module: {path: null}}\n',
  );
  expect(modules.verify.sources).toEqual({
    a: { module: { path: join(folder, 'mine.ts') } },
    b: { module: { path: null } },
  });
});
