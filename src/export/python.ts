// The Python modules that go into a folder as they are. Nothing of an export is ever written into their text.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FileSet } from './types.ts';

/** Below src/export/python; the last part is the name in the folder. */
export function pythonModules(paths: readonly string[]): FileSet {
  return new Map(
    paths.map((path) => {
      const file = fileURLToPath(new URL(`./python/${path}`, import.meta.url));
      return [path.slice(path.lastIndexOf('/') + 1), readFileSync(file, 'utf8')];
    }),
  );
}

/** How answers are judged, for every trainer. */
export const commonModules: readonly string[] = [
  'common/pivottrace_answers.py',
  'common/pivottrace_extract.py',
  'common/pivottrace_json.py',
  'common/pivottrace_numbers.py',
  'common/pivottrace_symbolic.py',
];
