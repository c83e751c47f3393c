/** Paths and names of the hub; fetching, from a server of the test that answers as the hub does. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TinyModel, tinyModel } from '../../test/reference/tiny-directory.ts';
import { loadWeights } from './directory.ts';
import { type HubSettings, hubSettings, parseHubName } from './hub-cache.ts';
import { findModel, isModel, resolveModel } from './resolve.ts';

const root = mkdtempSync(join(tmpdir(), 'resolve-'));
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
let model: TinyModel;
let server: Server;
let endpoint = '';
/** What the server has, by path in the repository, and what was asked of it. */
let files: Map<string, Buffer>;
let asked: { url: string; token: string | undefined }[] = [];
/** Changes what a download returns. */
let tamper: (path: string, data: Buffer) => Buffer;
let folder = '';
let hub: HubSettings;
let count = 0;

beforeAll(async () => {
  model = tinyModel();
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  model.remove();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
  hub = { cache: join(folder, 'hub'), endpoint, token: undefined, offline: false };
  const names = readdirSync(model.directory);
  files = new Map(names.map((name) => [name, readFileSync(join(model.directory, name))]));
  files.set('pytorch_model.bin', Buffer.from('not wanted'));
  files.set('onnx/model.onnx', Buffer.from('not wanted'));
  asked = [];
  tamper = (_path, data) => data;
});
afterEach(() => expect(asked.every(({ url }) => !url.includes('pytorch_model'))).toBe(true));

const isLarge = (path: string): boolean => path.endsWith('.safetensors') || path.endsWith('.gguf');
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const gitHash = (data: Buffer): string =>
  createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', endpoint);
  asked.push({ url: url.pathname, token: request.headers.authorization });
  const json = (value: unknown): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
  if (/^\/api\/models\/org\/tiny\/revision\/(main|v1)$/.test(url.pathname)) {
    json({ _id: '1', id: 'org/tiny', sha: COMMIT, lastModified: '2026-01-01T00:00:00Z' });
  } else if (url.pathname === `/api/models/org/tiny/tree/${COMMIT}`) {
    json([
      ...[...files].map(([path, data]) => ({
        ...{ type: 'file', path, size: data.length, oid: gitHash(data) },
        ...(isLarge(path)
          ? { lfs: { oid: sha256(data), size: data.length, pointerSize: 130 } }
          : {}),
      })),
      { type: 'directory', path: 'onnx', size: 0 },
    ]);
  } else if (url.pathname.startsWith(`/org/tiny/resolve/${COMMIT}/`)) {
    sendFile(request, response, url.pathname.slice(`/org/tiny/resolve/${COMMIT}/`.length));
  } else {
    response.statusCode = 404;
    json({ error: 'Repository not found' });
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, path: string): void {
  const data = tamper(path, files.get(path) ?? Buffer.alloc(0));
  response.setHeader('etag', `"${sha256(data)}"`);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.end(data);
    return;
  }
  response.statusCode = 206;
  response.setHeader('content-range', `bytes ${range[1]}-${range[2]}/${data.length}`);
  response.end(data.subarray(Number(range[1]), Number(range[2]) + 1));
}

/** A snapshot as huggingface_hub leaves it. */
function cached(commit = COMMIT, ref = 'main'): string {
  const repo = join(hub.cache, 'models--org--tiny');
  mkdirSync(join(repo, 'refs'), { recursive: true });
  writeFileSync(join(repo, 'refs', ref), commit);
  cpSync(model.directory, join(repo, 'snapshots', commit), { recursive: true });
  return join(repo, 'snapshots', commit);
}

describe('paths', () => {
  it('a directory and a GGUF file are themselves, from the folder given', async () => {
    cpSync(model.directory, join(folder, 'org/tiny'), { recursive: true });
    writeFileSync(join(folder, 'x.gguf'), '');
    const base = folder;
    const path = join(folder, 'org/tiny');
    expect(await resolveModel('org/tiny', { base, hub })).toMatchObject({ path, commit: null });
    expect((await resolveModel('x.gguf', { base, hub })).path).toBe(join(folder, 'x.gguf'));
    expect([isModel(path), isModel(join(folder, 'x.gguf')), isModel(folder)]).toEqual([
      ...[true, true, false],
    ]);
  });

  it('a folder with one GGUF file stands for it', () => {
    writeFileSync(join(folder, 'x.Q8_0.gguf'), '');
    expect(findModel(folder, { hub })?.path).toBe(join(folder, 'x.Q8_0.gguf'));
    writeFileSync(join(folder, 'x.Q4_K_M.gguf'), '');
    expect(findModel(folder, { hub })?.path).toBe(folder);
  });

  it('what is neither a path nor a name of the hub is refused with the path', async () => {
    await expect(resolveModel('a/b/c', { base: folder, hub })).rejects.toThrow(
      `${folder}/a/b/c: wanted a Hugging Face model directory, a GGUF file or ORG/NAME of the hub`,
    );
  });
});

describe('names of the hub', () => {
  it('have an organisation, a name, perhaps a file and a revision', () => {
    const revision = 'main';
    expect(parseHubName('org/name')).toEqual({ repo: 'org/name', file: null, revision });
    expect(parseHubName('Qwen/Qwen2.5-0.5B@refs/pr/1')).toEqual({
      ...{ repo: 'Qwen/Qwen2.5-0.5B', file: null, revision: 'refs/pr/1' },
    });
    expect(parseHubName('org/n-GGUF/q/x.Q4_0.gguf@v1')).toEqual({
      ...{ repo: 'org/n-GGUF', file: 'q/x.Q4_0.gguf', revision: 'v1' },
    });
    for (const text of ['gpt2', '../x', 'a/..', './a/b', '/a/b', 'a/b/c', 'a/b@../x', 'a/b@']) {
      expect(parseHubName(text), text).toBeUndefined();
    }
  });

  it('the environment says where the cache is, as for huggingface_hub', () => {
    expect(hubSettings({ HF_HOME: '/h' })).toMatchObject({ cache: '/h/hub', offline: false });
    expect(hubSettings({ HF_HOME: '/h', HF_HUB_CACHE: '/c' }).cache).toBe('/c');
    expect(hubSettings({ XDG_CACHE_HOME: '/x' }).cache).toBe('/x/huggingface/hub');
    const settings = { HF_ENDPOINT: 'https://mirror/', HF_TOKEN: 'hf_1', HF_HUB_OFFLINE: '1' };
    expect(hubSettings(settings)).toMatchObject({
      ...{ endpoint: 'https://mirror', token: 'hf_1', offline: true },
    });
    expect(hubSettings({ HF_HUB_OFFLINE: '0' }).offline).toBe(false);
  });

  it('are found in the cache by branch, tag and commit, without a call', async () => {
    const path = cached();
    const found = { path, commit: COMMIT };
    expect(await resolveModel('org/tiny', { hub, base: folder })).toMatchObject(found);
    expect(await resolveModel(`org/tiny@${COMMIT}`, { hub, base: folder })).toMatchObject(found);
    cached(COMMIT, 'v1');
    expect(findModel('org/tiny@v1', { hub, base: folder })?.path).toBe(path);
    expect(findModel('org/tiny@v2', { hub, base: folder })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('are not fetched unless that is asked for, nor offline', async () => {
    await expect(resolveModel('org/tiny', { hub, base: folder })).rejects.toThrow(
      'model_download=true fetches it',
    );
    const offline = { ...hub, offline: true };
    await expect(
      resolveModel('org/tiny', { hub: offline, base: folder, download: true }),
    ).rejects.toThrow('HF_HUB_OFFLINE forbids');
    expect(asked).toEqual([]);
  });

  it('are fetched into the layout of huggingface_hub, and then found without a call', async () => {
    const notes: string[] = [];
    const options = {
      ...{ hub: { ...hub, token: 'hf_secret' }, base: folder, download: true },
      note: (sentence: string) => notes.push(sentence),
    };
    const { path, commit } = await resolveModel('org/tiny', options);
    expect(commit).toBe(COMMIT);
    expect(path).toBe(join(hub.cache, 'models--org--tiny/snapshots', COMMIT));
    expect(readdirSync(path).sort()).toEqual(readdirSync(model.directory).sort());
    const weights = files.get('model.safetensors') ?? Buffer.alloc(0);
    expect(readlinkSync(join(path, 'model.safetensors'))).toBe(`../../blobs/${sha256(weights)}`);
    expect(readFileSync(join(hub.cache, 'models--org--tiny/refs/main'), 'utf8')).toBe(COMMIT);
    expect(loadWeights(path).weights).toEqual(model.weights);
    expect(new Set(asked.map(({ token }) => token))).toEqual(new Set(['Bearer hf_secret']));
    expect(notes.length).toBe(readdirSync(path).length);
    asked = [];
    expect((await resolveModel('org/tiny', options)).path).toBe(path);
    expect(asked).toEqual([]);
  });

  it('only what is missing is fetched', async () => {
    const path = cached();
    rmSync(join(path, 'model.safetensors'));
    expect(findModel('org/tiny', { hub, base: folder })).toBeUndefined();
    await resolveModel('org/tiny', { hub, base: folder, download: true });
    const fetched = asked.filter(({ url }) => url.includes('/resolve/')).map(({ url }) => url);
    expect(new Set(fetched)).toEqual(new Set([`/org/tiny/resolve/${COMMIT}/model.safetensors`]));
  });

  it('one GGUF file of a repository is fetched alone', async () => {
    files = new Map([
      ['a.Q8_0.gguf', Buffer.from('eight')],
      ['a.Q4_0.gguf', Buffer.from('four')],
    ]);
    const options = { hub, base: folder, download: true };
    const { path } = await resolveModel('org/tiny/a.Q4_0.gguf', options);
    expect(readFileSync(path, 'utf8')).toBe('four');
    await expect(resolveModel('org/tiny@v1', options)).rejects.toThrow(
      'Name one of them: org/tiny/a.Q8_0.gguf',
    );
  });

  it('a file that does not have its hash is refused and leaves nothing behind', async () => {
    tamper = (path, data) =>
      isLarge(path) ? Buffer.concat([data.subarray(1), data.subarray(0, 1)]) : data;
    const options = { hub, base: folder, download: true };
    await expect(resolveModel('org/tiny', options)).rejects.toThrow('with the hash');
    const repo = join(hub.cache, 'models--org--tiny');
    expect(existsSync(join(repo, 'refs/main'))).toBe(false);
    expect(readdirSync(join(repo, 'blobs')).filter((name) => name.includes('incomplete'))).toEqual(
      [],
    );
    expect(findModel('org/tiny', { hub, base: folder })).toBeUndefined();
    tamper = (_path, data) => data;
    await resolveModel('org/tiny', options);
  });

  it('a model that the hub does not have, or no hub at all, is said with the address', async () => {
    const options = { base: folder, download: true };
    await expect(resolveModel('org/none', { ...options, hub })).rejects.toThrow(
      `${endpoint}: wanted org/none at revision main`,
    );
    const away = { ...hub, endpoint: 'http://127.0.0.1:9' };
    await expect(resolveModel('org/tiny', { ...options, hub: away })).rejects.toThrow(
      'Look at the name, at the network',
    );
  });
});
