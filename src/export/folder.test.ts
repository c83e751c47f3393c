import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ExportJob, exportRun } from './export.ts';
import { exportPath } from './folder.ts';
import { manifestName, nextName, parseManifest, sha256 } from './manifest.ts';
import { smallJob } from './testing/job.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-export-'));
  path = join(folder, 'out');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(path, name), 'utf8');
const files = () => readdirSync(path).sort();
const manifestOf = () => parseManifest(read(manifestName), path);

/** The job with a label for the prompt that had a split vote. */
function later(job: ExportJob): ExportJob {
  const { pool } = job;
  const labels = new Map([...pool.labels, ['split', '7']]);
  const states = new Map([
    ...pool.states,
    ['split', 'annotated' as const],
    ['root', 'discard' as const],
  ]);
  return { ...job, pool: { ...pool, labels, states }, plan: { ...job.plan, revision: 2 } };
}

/** Makes every file old, so that one that is written again can be told. */
function age(): void {
  for (const name of files()) utimesSync(join(path, name), 1000, 1000);
}

function touched(): string[] {
  return files().filter((name) => statSync(join(path, name)).mtimeMs !== 1_000_000);
}

it('lists every file with its size and checksum, and gives the same bytes each time', () => {
  exportRun(smallJob('verl', path));
  const again = join(folder, 'again');
  exportRun(smallJob('verl', again));
  const { files: listed, changes } = manifestOf();
  expect(Object.keys(listed)).toEqual(files().filter((name) => name !== manifestName));
  for (const [name, { bytes, sha256: sum }] of Object.entries(listed)) {
    const content = readFileSync(join(path, name));
    expect([content.byteLength, sha256(content)]).toEqual([bytes, sum]);
  }
  for (const name of files()) {
    expect(readFileSync(join(again, name)).equals(readFileSync(join(path, name)))).toBe(true);
  }
  expect(changes).toBeNull();
});

it('writes nothing where nothing has changed', () => {
  exportRun(smallJob('trl', path));
  age();
  expect(exportRun(smallJob('trl', path))).toMatchObject({ written: [], removed: [] });
  expect(touched()).toEqual([]);
});

it('writes only what has changed, and says which prompts have', () => {
  exportRun(smallJob('verl', path));
  const before = sha256(read(manifestName));
  age();
  const { written } = exportRun(later(smallJob('verl', path)));
  expect(touched()).toEqual([...written, manifestName].sort());
  expect(written.sort()).toEqual(['README.md', 'routes.jsonl', 'train.parquet']);
  expect(manifestOf().changes).toEqual({
    ...{ since: before, added: ['split'], changed: [], removed: ['root'] },
  });
  age();
  expect(exportRun(later(smallJob('verl', path))).written).toEqual([]);
});

it('removes what an export no longer has, and leaves what others put there', () => {
  exportRun(smallJob('verl', path));
  mkdirSync(join(path, 'checkpoints'));
  writeFileSync(join(path, 'notes.txt'), 'mine');
  const { removed } = exportRun({ ...smallJob('verl', path), held: [] });
  expect(removed).toEqual(['val.parquet']);
  expect(files()).toEqual(expect.arrayContaining(['checkpoints', 'notes.txt']));
  expect(existsSync(join(path, 'val.parquet'))).toBe(false);
});

it('leaves a script that a person has changed, and puts a new one beside it', () => {
  const job = smallJob('verl', path);
  exportRun(job);
  appendFileSync(join(path, 'launch.sh'), '# mine\n');
  expect(exportRun(job)).toMatchObject({ written: [], kept: ['launch.sh'] });
  expect(files()).not.toContain('launch.sh.new');
  const done = exportRun({ ...job, model: { path: 'elsewhere', sha256: null } });
  expect(done).toMatchObject({ written: ['launch.sh'], kept: ['launch.sh'] });
  expect(read('launch.sh')).toContain('# mine');
  expect(read('launch.sh.new')).toContain("DEFAULT_MODEL='elsewhere'");
  expect(manifestOf().kept).toEqual(['launch.sh']);
});

it('refuses data that was changed, folders of others and exports for another trainer', () => {
  exportRun(smallJob('jsonl', path));
  const whole = read('train.jsonl');
  appendFileSync(join(path, 'train.jsonl'), '{}\n');
  expect(() => exportRun(later(smallJob('jsonl', path)))).toThrow(/the data as it was exported/);
  writeFileSync(join(path, 'train.jsonl'), whole);
  expect(() => exportRun(smallJob('verl', path))).toThrow(/found an export for jsonl/);
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'thesis.tex'), '');
  expect(() => exportRun(smallJob('verl', other))).toThrow(/a folder with other files/);
  writeFileSync(join(other, manifestName), '{"kind": "else"}');
  expect(() => exportRun(smallJob('verl', other))).toThrow(/the manifest of an export/);
  expect(readdirSync(other).sort()).toEqual([manifestName, 'thesis.tex']);
});

it('goes on after an export that was cut off, with the same changes', () => {
  const done = join(folder, 'done');
  exportRun(smallJob('verl', done));
  exportRun(later(smallJob('verl', done)));
  exportRun(smallJob('verl', path));
  // As after a kill between two files: the new manifest waits, some files are new, some old.
  writeFileSync(join(path, nextName), readFileSync(join(done, manifestName)));
  for (const name of ['train.parquet', 'routes.jsonl']) {
    writeFileSync(join(path, name), readFileSync(join(done, name)));
  }
  expect(exportRun(later(smallJob('verl', path))).kept).toEqual([]);
  expect(files()).toEqual(readdirSync(done).sort());
  expect(read(manifestName)).toBe(readFileSync(join(done, manifestName), 'utf8'));
});

it('takes an empty folder, and none that lost its manifest', () => {
  mkdirSync(path);
  exportRun(smallJob('jsonl', path));
  renameSync(join(path, manifestName), join(folder, 'gone'));
  expect(() => exportRun(smallJob('jsonl', path))).toThrow(/a folder with other files/);
});

it.each(['-rf', 'a b', 'a;b', '$(x)', '..hidden', 'x'.repeat(81)])(
  'refuses the name %j',
  (name) => {
    expect(() => exportPath(join(folder, name))).toThrow(/letters, digits/);
  },
);
