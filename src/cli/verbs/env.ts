/** `env`: what this machine, this installation and this workspace offer. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import '../../engine/no-telemetry.ts';
import { listSupportedBackends } from 'onnxruntime-node';
import { readJson } from '../../core/files.ts';
import { formatBytes } from '../../core/rates.ts';
import { identitySchema } from '../../store/owner.ts';
import { isRunning } from '../../store/process.ts';
import { sharedSocket } from '../../store/share-place.ts';
import { withoutPassword } from '../../store/url.ts';
import { type SandboxReport, sandboxReport } from '../../verify/code/python/interpreter.ts';
import { type Config, packageRoot } from '../config.ts';
import { facts } from '../table.ts';
import type { Verb } from '../verb.ts';
import { dependencyVersions, packageVersion } from '../version.ts';

export const env: Verb = {
  needsWorkspace: false,
  async run({ config, database, configFile, output }) {
    const machine = machineFacts();
    const versions = dependencyVersions();
    const providers = providerFacts();
    const bundled = modelFacts(join(packageRoot, 'models/reasoner'));
    const workspace = workspaceFacts(config);
    const { enabled, python } = config.verify.code;
    const sandbox = await sandboxReport(python);
    output.result(
      [
        facts([
          ['pivottrace', packageVersion()],
          ['node', `${machine.node} on ${machine.platform}`],
          ['cores', `${machine.cores} (${machine.processor})`],
          ['memory', `${formatBytes(machine.memory)}, ${formatBytes(machine.free)} free`],
          ...Object.entries(providers).map(([name, state]): [string, string] => [name, state]),
          ...sandboxFacts(sandbox, enabled),
          ['bundled model', bundled === null ? 'missing' : formatBytes(bundled)],
          ['settings', configFile ?? 'none; the defaults'],
          [
            'workspace',
            configFile === undefined && !workspace.database ? 'none' : config.workspace,
          ],
          ['database', databaseText(workspace, database)],
          ['owner', ownerText(workspace.owner)],
          ['plans', workspace.plans.join(', ') || 'none yet'],
          ['runs', workspace.runs.join(', ') || 'none yet'],
        ]),
        '',
        facts(Object.entries(versions).map(([name, version]) => [name, version ?? 'missing'])),
      ].join('\n'),
      {
        version: packageVersion(),
        ...machine,
        providers,
        code: { enabled, javascript: true, python: { interpreter: python, ...sandbox } },
        bundled_model_bytes: bundled,
        config: configFile ?? null,
        workspace: { path: config.workspace, ...workspace },
        database: database === undefined ? null : withoutPassword(database),
        dependencies: versions,
      },
    );
  },
};

interface MachineFacts {
  node: string;
  platform: string;
  cores: number;
  processor: string;
  memory: number;
  free: number;
}

function machineFacts(): MachineFacts {
  // In a container the limit of its control group counts, not the machine's memory.
  const limit = process.constrainedMemory();
  const memory = limit > 0 && limit < totalmem() ? limit : totalmem();
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memory,
    free: Math.min(memory, freemem()),
  };
}

/** What the engine could run on. That a provider is there does not say that a device is. */
function providerFacts(): Record<'cpu' | 'webgpu' | 'cuda', string> {
  const bundled = new Set(listSupportedBackends().map((backend) => backend.name));
  const state = (name: string): string => (bundled.has(name) ? 'bundled' : 'not in this build');
  const cuda = bundled.has('cuda') && !cudaLibrary() ? 'not installed' : state('cuda');
  return { cpu: state('cpu'), webgpu: state('webgpu'), cuda };
}

/** Where answers that are programs would run, whether or not they may. */
function sandboxFacts(
  { available, summary, holds }: SandboxReport,
  enabled: boolean,
): [string, string][] {
  return [
    ['programs', enabled ? 'may be run' : 'are not run (verify.code.enabled)'],
    ['  JavaScript', 'QuickJS, anywhere'],
    ['  Python', available ? summary : `cannot be run: ${summary}`],
    ...holds.map((protection): [string, string] => ['', protection]),
  ];
}

/** The CUDA provider is a library that an install script would download; ours are switched off. */
function cudaLibrary(): boolean {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const folder = join(dirname(entry), '../bin/napi-v6', process.platform, process.arch);
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'));
}

/** Size of the model's files in bytes, or null where it is not there. */
function modelFacts(folder: string): number | null {
  if (!existsSync(join(folder, 'config.json'))) return null;
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

interface Owner {
  pid: number;
  command: string;
  running: boolean;
  /** Do other commands work through it? */
  shares: boolean;
}

function databaseText(workspace: { database: boolean }, url: string | undefined): string {
  if (url !== undefined) return withoutPassword(url);
  return workspace.database ? 'there' : 'none yet';
}

function ownerText(owner: Owner | null): string {
  if (owner === null) return 'nobody';
  const running = owner.shares ? 'running, shares it with other commands' : 'running';
  const state = owner.running ? running : 'no longer running: the next command takes over';
  return `process ${owner.pid} (${state}), ${owner.command}`;
}

/** Who holds the workspace; null where nobody does, or the lock cannot be read just now. */
function ownerOf(workspace: string): Owner | null {
  const lock = join(workspace, 'owner.lock');
  if (!existsSync(lock)) return null;
  const parsed = identitySchema.safeParse(readJson(lock));
  if (!parsed.success) return null;
  const { pid, command } = parsed.data;
  const shares = sharedSocket(workspace) !== undefined;
  return { pid, command, running: isRunning(parsed.data), shares };
}

/** Read from the files alone: another process may own the database. */
function workspaceFacts({ workspace }: Config) {
  const list = (folder: string): string[] =>
    existsSync(join(workspace, folder)) ? readdirSync(join(workspace, folder)).sort() : [];
  return {
    database: existsSync(join(workspace, 'db')),
    owner: ownerOf(workspace),
    plans: list('plans').map((name) => name.replace(/\.json$/, '')),
    runs: list('runs'),
  };
}
