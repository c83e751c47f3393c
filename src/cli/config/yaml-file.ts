/** Reads a YAML file and knows where in it every key was written. Knows nothing of settings. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { UserError } from '../../core/errors.ts';
import { errorCode } from '../../core/files.ts';
import type { Place } from './complaints.ts';

export interface Written {
  value: unknown;
  /** `file:line:column` of a key, or of the nearest thing around it. */
  place: Place;
}

export interface YamlKind {
  /** What the file is: `a readable configuration file`. */
  wanted: string;
  /** What to do where there is none. */
  fix: string;
}

/** UserError where `file` cannot be read or is no YAML. */
export function readYaml(file: string, kind: YamlKind): Written {
  const text = readText(file, kind);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UserError({ wanted: 'valid YAML', found: error.message, where: at(error.pos[0]) });
  }
  const value: unknown = document.toJS() ?? {};
  return { value, place: (path) => placeIn(document, path, at) ?? file };
}

function readText(file: string, { wanted, fix }: YamlKind): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const broken = error instanceof TypeError;
    const found = broken ? 'bytes that are not UTF-8' : errorCode(error);
    throw new UserError({ wanted, found, where: file, fix }, { cause: error });
  }
}

/** Position of the key at `path`, or of the nearest thing around it that was written. */
function placeIn(
  document: Document,
  path: readonly PropertyKey[],
  at: (offset: number) => string,
): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(name));
      if (isNode(pair?.key) && pair.key.range) return at(pair.key.range[0]);
    }
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return at(node.range[0]);
  }
  return undefined;
}
