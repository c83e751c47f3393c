/**
 * Names of models on the Hugging Face hub, and where the hub's cache on this machine has them.
 *
 * The cache is the one that the Python package huggingface_hub keeps: models--ORG--NAME with blobs/, refs/ and
 * snapshots/COMMIT/. Knows nothing of the network.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export interface HubName {
  /** ORG/NAME */
  repo: string;
  /** A GGUF file of the repository; null = the repository is the model. */
  file: string | null;
  /** Branch, tag or commit. */
  revision: string;
}

export interface HubSettings {
  /** Folder of the cache. */
  cache: string;
  /** Address of the hub, without a slash at its end. */
  endpoint: string;
  token: string | undefined;
  /** No network call whatever is asked for. */
  offline: boolean;
}

/** As the environment says: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE. */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const given = (...names: string[]): string | undefined =>
    names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== '');
  const caches = given('XDG_CACHE_HOME') ?? join(homedir(), '.cache');
  const home = given('HF_HOME') ?? join(caches, 'huggingface');
  const cache = given('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub');
  const offline = given('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE') ?? '';
  return {
    cache: cache.replace(/^~(?=\/|$)/, homedir()),
    endpoint: (given('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    token: given('HF_TOKEN'),
    offline: /^(1|on|yes|true)$/i.test(offline),
  };
}

const PART = String.raw`\w[\w.-]*`;
const NAME = new RegExp(
  `^(${PART}/${PART})(?:/((?:${PART}/)*${PART}\\.gguf))?(?:@(${PART}(?:/${PART})*))?$`,
  'i',
);

/** The parts of ORG/NAME[/FILE.gguf][@REVISION]; undefined where `text` is no such name. */
export function parseHubName(text: string): HubName | undefined {
  const match = NAME.exec(text);
  if (match === null || text.includes('..')) return undefined;
  const [, repo, file, revision] = match;
  return { repo, file: file ?? null, revision: revision ?? 'main' };
}

/** Folder of a repository in the cache. */
export function repoFolder(cache: string, repo: string): string {
  return join(cache, `models--${repo.replace('/', '--')}`);
}

/** The name and commit of a model by its folder in a cache; undefined where `path` is no such folder. */
export function nameInCache(path: string): { name: string; revision: string } | undefined {
  const match = /[/\\]models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/.exec(path);
  return match === null ? undefined : { name: `${match[1]}/${match[2]}`, revision: match[3] };
}

export const COMMIT = /^[0-9a-f]{40}$/;

/**
 * A model in the cache: its folder or GGUF file, and the commit. Undefined where it is not there, or not all of
 * it.
 */
export function cachedModel(
  name: HubName,
  cache: string,
): { path: string; commit: string } | undefined {
  const folder = repoFolder(cache, name.repo);
  const commit = COMMIT.test(name.revision) ? name.revision : storedRef(folder, name.revision);
  if (commit === undefined) return undefined;
  const snapshot = join(folder, 'snapshots', commit);
  if (name.file !== null) {
    const path = join(snapshot, name.file);
    return existsSync(path) ? { path, commit } : undefined;
  }
  return isWhole(snapshot) ? { path: snapshot, commit } : undefined;
}

function storedRef(folder: string, revision: string): string | undefined {
  const path = join(folder, 'refs', revision);
  if (!existsSync(path)) return undefined;
  const commit = readFileSync(path, 'utf8').trim();
  return COMMIT.test(commit) ? commit : undefined;
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Whether a snapshot has what a model needs: configuration, tokenizer and all weights, or an adapter's. */
function isWhole(snapshot: string): boolean {
  const has = (name: string): boolean => existsSync(join(snapshot, name));
  if (has('adapter_config.json') && has('adapter_model.safetensors')) return true;
  if (!has('config.json') || !has('tokenizer.json')) return false;
  if (has('model.safetensors')) return true;
  const index = join(snapshot, 'model.safetensors.index.json');
  if (!existsSync(index)) return false;
  try {
    const { weight_map } = indexSchema.parse(JSON.parse(readFileSync(index, 'utf8')));
    return Object.values(weight_map).every(has);
  } catch {
    return true; // reading the model says what is wrong with its index
  }
}
