/** The annotation desk that the configuration describes: its queue, its plan, its server. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { openQueue } from '../../label/queue/queue.ts';
import type { Queue } from '../../label/queue/types.ts';
import { Accounts } from '../../server/accounts.ts';
import { judgeOf } from '../../server/answers.ts';
import { auditOf } from '../../server/audit.ts';
import { bundleApp } from '../../server/bundle.ts';
import { openPasswords } from '../../server/passwords.ts';
import { type DeskServer, openServer, type ServerSettings } from '../../server/server.ts';
import { Sessions } from '../../server/sessions.ts';
import type { Assets } from '../../server/static.ts';
import type { Store } from '../../store/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import { type Config, packageRoot } from '../config.ts';
import { packageVersion } from '../version.ts';
import { labelAccount } from './labels.ts';
import { reserveTeacher } from './live-labels.ts';
import { PlanQueue } from './plan-queue.ts';

export interface DeskStage {
  store: Store;
  config: Config;
  verifiers: Pick<Verifiers, 'of'>;
  onFault: (error: unknown) => void;
  /** Made from the sources in `web/` where it is not given. */
  assets?: Assets;
}

export interface OpenDesk {
  server: DeskServer;
  queue: Queue;
  /** Prompts that wait for an answer. */
  open: number;
  close(): Promise<void>;
}

/** Opens queue, plan and server. UserError where the page cannot be bundled or the server cannot listen. */
export async function openDeskServer(stage: DeskStage): Promise<OpenDesk> {
  const { store, config, verifiers, onFault } = stage;
  const account = labelAccount(config);
  await reserveTeacher(store, config);
  const assets = stage.assets ?? (await bundleApp(join(packageRoot, 'web')));
  const queue = queueOf(stage, account);
  const plan = new PlanQueue({ store, config, account, queue, onFault });
  await plan.open();
  try {
    const server = await openServer({
      ...{ store, queue, verifiers, assets, account, onFault },
      workspace: config.workspace,
      plan: config.triage.plan,
      version: packageVersion(),
      model: config.model,
      settings: serverSettings(config),
      runFiles: () => logSizes(join(config.workspace, 'runs')),
      onLabels: () => plan.poke(),
    });
    return {
      ...{ server, queue, open: (await queue.progress()).open },
      async close() {
        await server.close();
        await plan.close();
      },
    };
  } catch (error) {
    await plan.close();
    throw error;
  }
}

function queueOf({ store, config, verifiers }: DeskStage, account: string): Queue {
  const { lease_seconds: seconds, overlap } = config.serve;
  const { gold_every: goldEvery, check_every: checkEvery } = config.serve;
  const settings = {
    ...{ account, overlap, goldEvery, checkEvery },
    budget: config.label.budget,
    leaseMs: 1000 * seconds,
  };
  const judge = judgeOf(async (promptId) => {
    const [prompt] = await store.prompts.list([promptId]);
    return verifiers.of(prompt?.source);
  });
  const nameOf = async (id: string): Promise<string> => {
    const user = await store.users.get(id);
    if (user === undefined) throw new Error(`no user ${id}`);
    return user.name;
  };
  return openQueue(store, settings, { judge, nameOf, record: auditOf });
}

function serverSettings({ serve }: Config): ServerSettings {
  const { host, port, origin, hosts, forwarded } = serve;
  return {
    ...{ host, port, origin, hosts, forwarded },
    sessionMs: 3_600_000 * serve.session_hours,
    idleMs: 60_000 * serve.idle_minutes,
  };
}

/** Users without a server: for links that are made on the command line. */
export function accountsOf(store: Store, config: Config): Accounts {
  const { sessionMs: lifeMs, idleMs } = serverSettings(config);
  const clock = Date.now;
  const sessions = new Sessions(store, { lifeMs, idleMs, secure: false }, clock);
  return new Accounts({ store, sessions, passwords: openPasswords(), clock });
}

/** Where a server with these settings is found. UserError where it takes any free port. */
export function configuredUrl({ serve }: Config): string {
  if (serve.origin !== null) return serve.origin;
  if (serve.port === 0) {
    throw new UserError({
      wanted: 'the port of the server that the link is for',
      found: '0, any free one',
      where: 'serve.port',
      fix: 'Give the port that the server printed: serve.port=N.',
    });
  }
  const name = serve.hosts[0] ?? serve.host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${serve.port}`;
}

/** Grows with the logs of the runs, which are files. */
function logSizes(folder: string): string {
  if (!existsSync(folder)) return '';
  const sizes = readdirSync(folder)
    .sort()
    .flatMap((run) =>
      ['metrics.jsonl', 'evaluations.jsonl'].map(
        (name) => statSync(join(folder, run, name), { throwIfNoEntry: false })?.size ?? 0,
      ),
    );
  return sizes.join(' ');
}
