/** `serve`: the annotation desk, until it is stopped; with --invite or --sign-in prints a one-time link and ends. */
import { resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { roles } from '../../label/queue/types.ts';
import { type AnswerRecord, readAnswers } from '../../label/records.ts';
import type { OneTimeLink } from '../../server/accounts.ts';
import { nameKey } from '../../server/names.ts';
import { linkTo } from '../../server/server.ts';
import { Refusal } from '../../server/types.ts';
import type { Store } from '../../store/types.ts';
import { withoutPasswords } from '../../store/url.ts';
import type { Config } from '../config.ts';
import type { Output } from '../output.ts';
import { accountsOf, configuredUrl, type OpenDesk, openDeskServer } from '../stages/desk.ts';
import { withStore, withVerifiers } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb } from '../verb.ts';

/** The first admin is made by whoever starts the server, who sits before it. */
const firstLinkMs = 3_600_000;

export const serve: Verb = {
  configure(command) {
    command.option('--invite <role>', `print a link that makes a user: ${roles.join(', ')}`);
    command.option(
      '--name <name>',
      'the name of the user who is invited; they choose one otherwise',
    );
    command.option('--sign-in <name>', 'print a link that signs an existing user in, once');
    command.option(
      '--gold <file>',
      'questions whose answer is known, to check annotators by: JSONL of {"id", "answer"}, or CSV (serve.gold_every)',
    );
    command.option('--no-link', 'print no link to sign in by');
    command.addHelpText(
      'after',
      '\nListens on http://127.0.0.1:7411 until it is stopped (Ctrl-C). Settings are serve.* keys.\n' +
        'Links can be printed while a server runs: pivottrace serve --invite annotator --name Ann',
    );
  },
  async run({ config, database, flags, cwd, output, stop }) {
    const golds =
      flags.gold === undefined ? [] : await readAnswers(resolve(cwd, String(flags.gold)));
    const invite = flags.invite === undefined ? undefined : String(flags.invite);
    const signIn = flags.signIn === undefined ? undefined : String(flags.signIn);
    await withStore(
      { config, database },
      async (store) => {
        if (invite !== undefined || signIn !== undefined) {
          const name = flags.name === undefined ? undefined : String(flags.name);
          await printLink({ store, config, output }, { invite, name, signIn });
          return;
        }
        const wanted = { golds, link: flags.link !== false };
        await serveUntil(stop, { store, config, output }, wanted);
      },
      { share: true },
    );
  },
};

interface Stage {
  store: Store;
  config: Config;
  output: Output;
}

interface WantedDesk {
  golds: readonly AnswerRecord[];
  link: boolean;
}

async function serveUntil(stop: AbortSignal, stage: Stage, wanted: WantedDesk): Promise<void> {
  const { store, config, output } = stage;
  const onFault = (error: unknown) =>
    output.note(
      withoutPasswords(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  await withVerifiers(config, async (verifiers) => {
    const desk = await openDeskServer({ store, config, verifiers, onFault });
    try {
      await desk.queue.orderGold(wanted.golds.map(({ id, answer }) => ({ promptId: id, answer })));
      announce(stage, desk, wanted.link ? await startLink(stage, desk) : null);
      if (!stop.aborted) {
        await new Promise<void>((resolve) => {
          stop.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } finally {
      await desk.close();
    }
  });
}

/** For the first admin, or for a new one where there is none. */
async function startLink(
  { store }: Stage,
  { server }: OpenDesk,
): Promise<OneTimeLink & { text: string }> {
  const users = await store.users.list();
  const admin = users.find(
    ({ role, kind, disabled }) => role === 'admin' && kind === 'person' && !disabled,
  );
  if (admin !== undefined) {
    const link = await server.accounts.signInLink(admin.id, null);
    return { ...link, text: `Sign in once as ${admin.name}, within 10 minutes` };
  }
  const link = await server.accounts.invite({ role: 'admin' }, null, firstLinkMs);
  return { ...link, text: 'Make yourself the first admin, within an hour' };
}

function announce(
  { config, output }: Stage,
  { server, open }: OpenDesk,
  link: (OneTimeLink & { text: string }) | null,
): void {
  const url = link === null ? null : server.linkTo(link.token);
  const lines = [`The annotation desk is at ${server.url} (${counted(open, 'question')} open).`];
  if (link !== null) lines.push(`${link.text}: ${url}`);
  else lines.push('`pivottrace serve --sign-in NAME` prints a link to sign in by.');
  const { origin, hosts, host } = config.serve;
  if (server.url.startsWith('http:') && (origin !== null || hosts.length > 0)) {
    lines.push(
      `Passwords cross the network in the clear (${host}, no TLS): put a proxy with TLS before it and set serve.origin.`,
    );
  }
  lines.push('Ctrl-C stops it.');
  output.result(lines.join('\n'), { url: server.url, port: server.port, link: url, open });
}

interface WantedLink {
  invite: string | undefined;
  name: string | undefined;
  signIn: string | undefined;
}

async function printLink(
  { store, config, output }: Stage,
  { invite, name, signIn }: WantedLink,
): Promise<void> {
  if (invite !== undefined && signIn !== undefined) {
    throw new UserError({ wanted: 'one link at a time', found: '--invite and --sign-in' });
  }
  const base = configuredUrl(config);
  const accounts = accountsOf(store, config);
  try {
    const { token, expiresAt } =
      signIn === undefined
        ? await accounts.invite({ role: roleOf(invite), name }, null)
        : await accounts.signInLink(await idOf(store, signIn), null);
    const url = linkTo(base, token);
    const until = new Date(expiresAt).toISOString();
    output.result(`Good once, until ${until}:\n${url}`, { link: url, expires_at: expiresAt });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new UserError({ wanted: 'a link', found: error.message }, { cause: error });
  }
}

function roleOf(text: string | undefined): (typeof roles)[number] {
  const role = roles.find((known) => known === text);
  if (role !== undefined) return role;
  throw new UserError({
    wanted: `a role: ${roles.join(', ')}`,
    found: String(text),
    where: '--invite',
  });
}

async function idOf(store: Store, name: string): Promise<string> {
  const user = await store.users.byName(nameKey(name));
  if (user !== undefined) return user.id;
  const names = (await store.users.list()).map((known) => known.name);
  throw new UserError({
    wanted: `a user called "${name}"`,
    found: names.length === 0 ? 'no user at all' : `only ${names.slice(0, 20).join(', ')}`,
    where: '--sign-in',
  });
}
