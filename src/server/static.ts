/**
 * The page's files in memory: compressed once, found by path, kept for ever by browsers where their name has a hash.
 *
 * Knows nothing of how they are made.
 */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Refusal } from './types.ts';

export interface Asset {
  type: string;
  body: Uint8Array<ArrayBuffer>;
  /** The same compressed; null where that saves nothing. */
  brotli: Uint8Array<ArrayBuffer> | null;
  gzip: Uint8Array<ArrayBuffer> | null;
  etag: string;
}

export interface Assets {
  /** What every path of the app answers with. */
  page: Asset;
  /** By absolute path; each name holds a hash of its content. */
  files: ReadonlyMap<string, Asset>;
}

/** Where the files are; every other path is one of the app's own. */
export const assetFolder = '/assets/';

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** `name` tells the type. */
export async function assetOf(name: string, content: Uint8Array): Promise<Asset> {
  const type = types[extname(name)] ?? 'application/octet-stream';
  const body = new Uint8Array(content);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  if (!/charset=|svg/.test(type)) return { type, body, brotli: null, gzip: null, etag };
  const [brotli, zipped] = await Promise.all([
    promisify(brotliCompress)(body, {
      // The slowest levels take seconds at every start for a few per cent.
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
    promisify(gzip)(body, { level: 9 }),
  ]);
  const smaller = (packed: Buffer) => (packed.length < body.length ? new Uint8Array(packed) : null);
  return { type, body, brotli: smaller(brotli), gzip: smaller(zipped), etag };
}

/** The file at the request's path, or the page. Refusal (404) for a file that there is not. */
export function assetResponse({ page, files }: Assets, request: Request): Response {
  const { pathname } = new URL(request.url);
  const file = files.get(pathname);
  if (file !== undefined) return sent(file, request, 'public, max-age=31536000, immutable');
  if (pathname.startsWith(assetFolder) || /\.[a-z0-9]+$/i.test(pathname)) {
    throw new Refusal(404, 'There is no such file.');
  }
  return sent(page, request, 'no-cache');
}

function sent(asset: Asset, request: Request, caching: string): Response {
  const { type, etag } = asset;
  const headers = new Headers({ 'cache-control': caching, etag, vary: 'accept-encoding' });
  if (request.headers.get('if-none-match') === etag) {
    return new Response(null, { status: 304, headers });
  }
  headers.set('content-type', type);
  const accepted = acceptedBy(request.headers.get('accept-encoding') ?? '');
  const [coding, body] =
    asset.brotli !== null && accepted('br')
      ? (['br', asset.brotli] as const)
      : asset.gzip !== null && accepted('gzip')
        ? (['gzip', asset.gzip] as const)
        : ([null, asset.body] as const);
  if (coding !== null) headers.set('content-encoding', coding);
  headers.set('content-length', String(body.byteLength));
  return new Response(body, { headers });
}

/** Does an accept-encoding header take this coding? */
export function acceptedBy(header: string): (coding: string) => boolean {
  const wanted = header
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
  return (coding) =>
    wanted.some((part) => {
      const [name, weight] = part.split(/\s*;\s*q\s*=\s*/);
      return name === coding && (weight === undefined || Number(weight) > 0);
    });
}
