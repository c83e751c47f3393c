/**
 * A throw-away PostgreSQL for tests: Debian's binaries on a cluster in a temporary folder, on a loopback port
 * and with a password, so that a test connects as a team would.
 *
 * Where there are no binaries, tests are skipped; on a machine that sets CI they fail instead, since there
 * nobody would notice.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

export interface TestPostgres {
  /** Of an empty database, with the password in it. */
  url: string;
  /** The URL of another empty database of the same server. */
  freshDatabase(): Promise<string>;
  /** The folder of its socket; clients on it need the password too. */
  socketFolder: string;
  port: number;
  /** Ends the server at once and removes its files. */
  stop(): Promise<void>;
}

const user = 'pivottrace';
const binaries = binariesFolder();

/** May tests of a real server run? Use as `describe.skipIf(!hasPostgres)`. True on CI, where they must. */
export const hasPostgres = binaries !== undefined || Boolean(process.env.CI);

/**
 * Starts a server of its own for one test file; takes some seconds. Stop it in `afterAll`. `fsync`: writes are waited
 * for as on a server that is meant to last, for measurements.
 */
export async function startPostgres(fsync: 'off' | 'on' = 'off'): Promise<TestPostgres> {
  if (binaries === undefined) {
    throw new Error('no PostgreSQL on this machine: apt-get install postgresql, or unset CI');
  }
  // Short, because the path of a socket has about a hundred bytes.
  const folder = mkdtempSync(join(tmpdir(), 'pt-pg-'));
  const password = randomBytes(9).toString('hex');
  const owner = unprivileged();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  chmodSync(folder, 0o755);
  await initialise(binaries, folder, password, owner);
  const { child, port } = await start(binaries, folder, owner, fsync);
  const atExit = () => end(child, folder);
  process.on('exit', atExit);
  const urlOf = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
  let count = 0;
  const freshDatabase = async () => {
    const name = `test${count++}`;
    await asAdministrator(urlOf('postgres'), `create database ${name}`);
    return urlOf(name);
  };
  return {
    url: await freshDatabase(),
    freshDatabase,
    ...{ socketFolder: folder, port },
    async stop() {
      process.off('exit', atExit);
      const gone = child.exitCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGQUIT');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Account {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root; undefined = it may run as who we are. */
function unprivileged(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = accounts.find((fields) => fields[0] === name);
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error('no user postgres or nobody to run PostgreSQL as');
}

function binariesFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = versions
    .filter((version) => Number(version) >= 15)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'));
  const paths = (process.env.PATH ?? '').split(delimiter);
  return [...folders, ...paths].find((path) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(path, name))),
  );
}

async function initialise(
  bin: string,
  folder: string,
  password: string,
  owner: Account | undefined,
): Promise<void> {
  const file = join(folder, 'password');
  writeFileSync(file, password, { mode: 0o600 });
  if (owner !== undefined) chownSync(file, owner.uid, owner.gid);
  const args = ['-D', join(folder, 'data'), '-U', user, `--pwfile=${file}`, '-A', 'scram-sha-256'];
  await promisify(execFile)(
    join(bin, 'initdb'),
    [...args, '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...owner, cwd: folder },
  );
}

/** Another program may take the port between its choice and its use: then another one is tried. */
async function start(
  bin: string,
  folder: string,
  owner: Account | undefined,
  fsync: 'off' | 'on',
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const settings = [`fsync=${fsync}`, 'max_connections=300', 'shared_buffers=64MB'];
    const child = spawn(
      join(bin, 'postgres'),
      [
        ...['-D', join(folder, 'data'), '-k', folder, '-h', '127.0.0.1', '-p', String(port)],
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    child.stderr.on('data', (data) => {
      log = `${log}${data}`.slice(-4000);
    });
    if (await isReady(child, () => log)) return { child, port };
    if (attempt === 3) throw new Error(`PostgreSQL does not start: ${log}`);
  }
}

async function isReady(child: ChildProcess, log: () => string): Promise<boolean> {
  while (child.exitCode === null) {
    if (log().includes('ready to accept connections')) return true;
    await pause(20);
  }
  return false;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function end(child: ChildProcess, folder: string): void {
  // An immediate shutdown, which gives back the shared memory.
  child.kill('SIGQUIT');
  rmSync(folder, { recursive: true, force: true });
}
