/** Versions of this package and of what it stands on, as installed. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../core/files.ts';
import { packageRoot } from './config.ts';

const manifest = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

export function packageVersion(): string {
  return manifest.parse(readJson(join(packageRoot, 'package.json'))).version;
}

/** Installed version of every runtime dependency; null where one is missing. */
export function dependencyVersions(): Record<string, string | null> {
  const { dependencies } = manifest.parse(readJson(join(packageRoot, 'package.json')));
  const names = Object.keys(dependencies).sort();
  return Object.fromEntries(names.map((name) => [name, installedVersion(name)]));
}

/** Looked for on disk: packages need not export their package.json. */
function installedVersion(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return manifest.parse(readJson(join(folder, name, 'package.json'))).version;
    } catch {
      // Not in this node_modules; the next one up may have it.
    }
  }
  return null;
}
