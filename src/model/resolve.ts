/**
 * Where a model is: a directory, a GGUF file, or a name of the hub that its cache has. Nothing is fetched unless
 * that is asked for.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.ts';
import { isGguf } from './gguf.ts';
import { cachedModel, type HubSettings, hubSettings, parseHubName } from './hub-cache.ts';

export interface ResolvedModel {
  /** As it was given. */
  name: string;
  /** What loadConfig, loadWeights, loadTokenizer and loadChatTemplate take: a directory or a GGUF file, absolute. */
  path: string;
  /** Commit of a model of the hub. */
  commit: string | null;
}

export interface ResolveOptions {
  /** Folder that relative paths start at. Default: the working directory. */
  base?: string;
  /** Fetch what the cache of the hub lacks. Default false: no network call. */
  download?: boolean;
  /** Default: as the environment says. */
  hub?: HubSettings;
  /** Hears what is fetched. */
  note?: (sentence: string) => void;
}

/** Where a model is, without the network; undefined where it is not on this machine. */
export function findModel(name: string, options: ResolveOptions = {}): ResolvedModel | undefined {
  const path = resolve(options.base ?? '.', name);
  if (existsSync(path)) return { name, path: insideOf(path), commit: null };
  const parsed = parseHubName(name);
  const found = parsed && cachedModel(parsed, (options.hub ?? hubSettings()).cache);
  return found && { name, ...found };
}

/**
 * Where a model is. A path that exists is that; any other ORG/NAME[/FILE.gguf][@REVISION] is a model of the hub.
 * Throws UserError where it is not on this machine and may not, or cannot, be fetched.
 */
export async function resolveModel(
  name: string,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  const found = findModel(name, options);
  if (found !== undefined) return found;
  const parsed = parseHubName(name);
  const hub = options.hub ?? hubSettings();
  if (parsed === undefined || options.download !== true || hub.offline) throw absent(name, options);
  const { downloadModel } = await import('./hub-download.ts');
  await downloadModel(parsed, hub, options.note);
  const fetched = findModel(name, options);
  if (fetched !== undefined) return fetched;
  throw new UserError({
    wanted: 'config.json, tokenizer.json and weights in safetensors',
    found: 'not all of them',
    where: `${hub.endpoint}/${parsed.repo}`,
    fix: 'Models without tokenizer.json are not read.',
  });
}

/** UserError where a path, or a name of the hub, stands for nothing on this machine. */
export function requireModel(name: string, options: ResolveOptions = {}): void {
  if (findModel(name, options) === undefined) throw absent(name, options);
}

function absent(name: string, options: ResolveOptions): UserError {
  const where = resolve(options.base ?? '.', name);
  if (parseHubName(name) === undefined) {
    return new UserError({
      wanted: 'a Hugging Face model directory, a GGUF file or ORG/NAME of the hub',
      found: 'none',
      where,
    });
  }
  const { cache } = options.hub ?? hubSettings();
  return new UserError({
    wanted: `${name} as a path, or in the cache of the hub (${cache})`,
    found: 'neither',
    where,
    fix:
      options.download === true
        ? 'HF_HUB_OFFLINE forbids fetching it.'
        : 'model_download=true fetches it; or fetch it with `hf download` and run the command again.',
  });
}

/** Whether a text has the form of a name of the hub. */
export const isHubName = (text: string): boolean => parseHubName(text) !== undefined;

/** Whether there is a model at a path. */
export function isModel(path: string): boolean {
  if (isGguf(path)) return existsSync(path);
  return ['config.json', 'adapter_config.json'].some((name) => existsSync(join(path, name)));
}

/** A folder with a GGUF file and no model of another kind stands for that file. */
function insideOf(path: string): string {
  if (isModel(path) || !statSync(path).isDirectory()) return path;
  const files = readdirSync(path).filter(isGguf);
  return files.length === 1 ? join(path, files[0]) : path;
}
