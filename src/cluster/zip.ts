/** A zip archive in memory, for the few small files that a cluster is given. The same files give the same bytes. */
import { crc32, deflateRawSync } from 'node:zlib';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** 1980-01-01, the first day that the format knows. */
const DAY = 0x21;
const VERSION = 20;
const DEFLATE = 8;
/** Names are UTF-8. */
const FLAGS = 0x0800;

/** An archive of `files` by path, with slashes. At most 65535 files and 4 GB in all. */
export function zipOf(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const name of [...files.keys()].sort()) {
    const data = files.get(name) ?? new Uint8Array();
    const path = Buffer.from(name, 'utf8');
    const packed = deflateRawSync(data);
    const facts = factsOf(data, packed, path);
    const local = Buffer.concat([head(LOCAL, [VERSION]), facts, path, packed]);
    const place = Buffer.alloc(14);
    // Attributes of a file that all may read, and where it begins.
    place.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    place.writeUInt32LE(offset, 10);
    directory.push(head(CENTRAL, [VERSION | (3 << 8), VERSION]), facts, place, path);
    parts.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.size, 4);
  end.writeUInt16LE(files.size, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, list, head(END, []), end]);
}

function head(signature: number, versions: readonly number[]): Buffer {
  const out = Buffer.alloc(4 + 2 * versions.length);
  out.writeUInt32LE(signature, 0);
  for (const [i, version] of versions.entries()) out.writeUInt16LE(version, 4 + 2 * i);
  return out;
}

/** Flags to lengths: the same in both headers of a file. */
function factsOf(data: Uint8Array, packed: Buffer, path: Buffer): Buffer {
  const out = Buffer.alloc(24);
  out.writeUInt16LE(FLAGS, 0);
  out.writeUInt16LE(DEFLATE, 2);
  out.writeUInt16LE(DAY, 6);
  out.writeUInt32LE(crc32(data), 8);
  out.writeUInt32LE(packed.length, 12);
  out.writeUInt32LE(data.length, 16);
  out.writeUInt16LE(path.length, 20);
  return out;
}
