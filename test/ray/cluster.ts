/** A Ray cluster of one machine, for checks: its own ports and folder, and processes that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface LocalCluster {
  /** Of its dashboard. */
  address: string;
  /** Process ids of workers whose title begins with `title` (`ray::_RemoteWorker`). */
  workers(title: string): number[];
  /** Process ids below the head whose command line contains `text`. */
  processes(text: string): number[];
  /** Kills the head and all that it has started, without a word. */
  crash(): Promise<void>;
  /** Starts again where it was. */
  restart(): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

/** Starts a head with `cpus` cores. `python` has ray[default]. Rejects where it does not come up. */
export async function startCluster(python: string, cpus: number): Promise<LocalCluster> {
  // Sockets have short names: no longer folder than this.
  const folder = mkdtempSync(join(tmpdir(), 'pt-ray-'));
  const ports = await freePorts(8);
  const address = `http://127.0.0.1:${ports[1]}`;
  let head = await startHead(python, folder, ports, cpus, address);
  const below = () => (head.pid === undefined ? [] : descendants(head.pid));
  const crash = async () => {
    const ended = new Promise((resolve) => head.once('exit', resolve));
    // Those that it started would outlive it.
    for (const pid of below().reverse()) kill(pid);
    head.kill('SIGKILL');
    await ended;
  };
  return {
    address,
    workers: (title) => below().filter((pid) => titleOf(pid).startsWith(title)),
    processes: (text) => below().filter((pid) => titleOf(pid).includes(text)),
    crash,
    restart: async () => {
      head = await startHead(python, folder, ports, cpus, address);
    },
    close: async () => {
      await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startHead(
  python: string,
  folder: string,
  ports: readonly number[],
  cpus: number,
  address: string,
): Promise<ChildProcess> {
  const [port, dashboard, client, agent, agentGrpc, runtimeEnv, nodes, objects] = ports;
  const settings = {
    'num-cpus': cpus,
    'num-gpus': 0,
    port,
    'dashboard-port': dashboard,
    'dashboard-host': '127.0.0.1',
    'node-ip-address': '127.0.0.1',
    'ray-client-server-port': client,
    'dashboard-agent-listen-port': agent,
    'dashboard-agent-grpc-port': agentGrpc,
    'runtime-env-agent-port': runtimeEnv,
    'node-manager-port': nodes,
    'object-manager-port': objects,
    'temp-dir': folder,
    'object-store-memory': 100_000_000,
    'include-dashboard': true,
  };
  const words = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const ray = join(dirname(python), 'ray');
  const head = spawn(ray, ['start', '--head', '--block', '--disable-usage-stats', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, RAY_USAGE_STATS_ENABLED: '0', HF_HUB_OFFLINE: '1' },
  });
  let said = '';
  head.stdout.on('data', (part: Buffer) => {
    said += part;
  });
  head.stderr.on('data', (part: Buffer) => {
    said += part;
  });
  for (let second = 0; second < 180; second++) {
    if (head.exitCode !== null) break;
    const answer = await fetch(`${address}/api/version`).catch(() => null);
    if (answer?.ok) return head;
    await pause(1000);
  }
  for (const pid of head.pid === undefined ? [] : descendants(head.pid)) kill(pid);
  head.kill('SIGKILL');
  throw new Error(`ray start did not come up:\n${said.slice(-3000)}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  for (const server of servers) server.close();
  return ports;
}

/** All processes that stem from `root`, parents before children. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const open = [root];
  for (let pid = open.shift(); pid !== undefined; pid = open.shift()) {
    const own = children.get(pid) ?? [];
    found.push(...own);
    open.push(...own);
  }
  return found;
}

function parentOf(pid: number): number | null {
  try {
    // The name in parentheses may hold anything; the parent is the second word behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Without a word, as when a machine is lost. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
