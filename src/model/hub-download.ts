/**
 * Fetches a model of the Hugging Face hub into its cache: only what is read here, every file checked against
 * the hash that the hub names. The layout is that of huggingface_hub, which then finds the files too.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createWriteStream,
  existsSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ListFileEntry } from '@huggingface/hub';
import { UserError } from '../core/errors.ts';
import { makeFolders, writeWhole } from '../core/files.ts';
import { COMMIT, type HubName, type HubSettings, repoFolder } from './hub-cache.ts';

/** Files of a repository that are read; model.safetensors, or its shards with their index. */
const WANTED =
  /^((config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|chat_template|vocab|adapter_config)\.json|merges\.txt|tokenizer\.model|chat_template\.jinja|LICENSE[\w.]*|(adapter_)?model(-\d+-of-\d+)?\.safetensors(\.index\.json)?)$/;

/** Fetches what is missing. Throws UserError: no such model, no access, no network, a file that is damaged. */
export async function downloadModel(
  name: HubName,
  settings: HubSettings,
  note: (sentence: string) => void = () => {},
): Promise<void> {
  const { repo, revision } = name;
  const hub = await import('@huggingface/hub');
  const access = {
    hubUrl: settings.endpoint,
    ...(settings.token === undefined ? {} : { accessToken: settings.token }),
  };
  try {
    const { sha } = await hub.modelInfo({
      name: repo,
      revision,
      additionalFields: ['sha'],
      ...access,
    });
    if (sha === undefined || !COMMIT.test(sha)) throw new Error(`no commit but ${sha}`);
    const files: ListFileEntry[] = [];
    for await (const entry of hub.listFiles({ repo, revision: sha, recursive: true, ...access })) {
      if (entry.type === 'file') files.push(entry);
    }
    for (const entry of chosen(name, files, settings)) {
      await fetchFile(entry, sha, name, settings, note, async (path) => {
        const found = await hub.downloadFile({ repo, path, revision: sha, xet: false, ...access });
        if (found === null) throw new Error(`${path} is gone`);
        return found;
      });
    }
    // Last, so that a revision never points to a snapshot of which files are missing.
    if (revision !== sha) writeWhole(join(repoFolder(settings.cache, repo), 'refs', revision), sha);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const found = error instanceof Error ? error.message : String(error);
    throw new UserError(
      {
        wanted: `${repo} at revision ${revision}`,
        found,
        where: settings.endpoint,
        fix: 'Look at the name, at the network, and at HF_TOKEN if the model needs permission.',
      },
      { cause: error },
    );
  }
}

function chosen(
  { repo, file }: HubName,
  files: readonly ListFileEntry[],
  { endpoint }: HubSettings,
): ListFileEntry[] {
  const wanted = files.filter(({ path }) => (file === null ? WANTED.test(path) : path === file));
  const isThere =
    file !== null ? wanted.length === 1 : wanted.some(({ path }) => path.includes('.safetensors'));
  if (isThere) return wanted;
  const ggufs = files.map(({ path }) => path).filter((path) => path.endsWith('.gguf'));
  throw new UserError({
    wanted: file === null ? 'weights in safetensors' : file,
    found: ggufs.length === 0 ? 'none' : `the GGUF files ${ggufs.join(', ')}`,
    where: `${endpoint}/${repo}`,
    ...(ggufs.length === 0 ? {} : { fix: `Name one of them: ${repo}/${ggufs[0]}` }),
  });
}

async function fetchFile(
  entry: ListFileEntry,
  commit: string,
  { repo }: HubName,
  { cache }: HubSettings,
  note: (sentence: string) => void,
  open: (path: string) => Promise<Blob>,
): Promise<void> {
  const folder = repoFolder(cache, repo);
  const pointer = join(folder, 'snapshots', commit, entry.path);
  if (existsSync(pointer)) return;
  const hash = entry.lfs?.oid ?? entry.oid;
  if (hash === undefined || !/^[0-9a-f]{40,64}$/.test(hash))
    throw new Error(`no hash of ${entry.path}`);
  const blob = join(folder, 'blobs', hash);
  makeFolders(dirname(blob));
  makeFolders(dirname(pointer));
  if (!existsSync(blob)) {
    note(`Fetching ${entry.path} of ${repo}, ${(entry.size / 1e6).toFixed(1)} MB`);
    await fetchBlob(await open(entry.path), entry, blob);
  }
  link(blob, pointer);
}

/** Large files are named by their SHA-256, small ones as git names them. */
async function fetchBlob(from: Blob, entry: ListFileEntry, blob: string): Promise<void> {
  const incomplete = `${blob}.${process.pid}.incomplete`;
  const hash =
    entry.lfs === undefined
      ? createHash('sha1').update(`blob ${entry.size}\0`)
      : createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.from(chunksOf(from)), hashing, createWriteStream(incomplete));
    const found = hash.digest('hex');
    const wanted = entry.lfs?.oid ?? entry.oid;
    if (found !== wanted) {
      throw new UserError({
        wanted: `${entry.path} with the hash ${wanted}`,
        found: `the hash ${found}`,
        fix: 'It was damaged on its way: run the command again.',
      });
    }
    renameSync(incomplete, blob);
  } finally {
    rmSync(incomplete, { force: true });
  }
}

async function* chunksOf(from: Blob): AsyncGenerator<Uint8Array> {
  const reader = from.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function link(blob: string, pointer: string): void {
  try {
    symlinkSync(relative(dirname(pointer), blob), pointer);
  } catch {
    copyFileSync(blob, pointer); // a file system without links
  }
}
