/** Our Python package as jobs get it: uploaded with every job, so that it need not be installed and always fits. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RayJobs } from './jobs.ts';
import { zipOf } from './zip.ts';

const NAME = 'pivottrace_ray';
const FOLDER = fileURLToPath(new URL(`../../ray/src/${NAME}`, import.meta.url));

/** Uploads the package, unless the cluster has it; returns its address for `working_dir`. */
export async function uploadPythonPackage(jobs: RayJobs): Promise<string> {
  const names = readdirSync(FOLDER).filter((name) => /\.(py|typed)$/.test(name));
  const files = new Map(names.map((name) => [`${NAME}/${name}`, readFileSync(join(FOLDER, name))]));
  const zip = zipOf(files);
  const hash = createHash('sha256').update(zip).digest('hex').slice(0, 16);
  return await jobs.uploadPackage(`_ray_pkg_${hash}.zip`, zip);
}
