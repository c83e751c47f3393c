/** `db`: what is in the database; all of it as one file, and back. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { formatBytes } from '../../core/rates.ts';
import {
  type DatabaseInfo,
  describeDatabase,
  dumpDatabase,
  restoreDatabase,
} from '../../store/dump.ts';
import { newestSchema } from '../../store/migrations/index.ts';
import { type OpenedEngine, openEngine } from '../../store/open-engine.ts';
import { withoutPassword } from '../../store/url.ts';
import { storeTarget } from '../stages/workspace.ts';
import { counted, facts } from '../table.ts';
import type { Verb, VerbContext } from '../verb.ts';

type Job = (context: VerbContext, file: string) => Promise<void>;

const jobs: Record<string, { job: Job; wantsFile: boolean }> = {
  info: { job: info, wantsFile: false },
  dump: { job: dump, wantsFile: true },
  restore: { job: restore, wantsFile: true },
};

export const db: Verb = {
  operand: 'info | dump FILE | restore FILE',
  configure(command) {
    command.addHelpText(
      'after',
      '\ninfo       where the database is, its version and its tables\n' +
        'dump       writes all tables to FILE, which only its owner may read: it holds labels and hashed passwords\n' +
        'restore    puts FILE into an empty database, all of it or nothing',
    );
  },
  async run(context) {
    const [name = 'info', file, ...more] = context.operands;
    const chosen = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
    if (chosen === undefined || chosen.wantsFile !== (file !== undefined) || more.length > 0) {
      throw new UserError({
        wanted: '`pivottrace db info`, `db dump FILE` or `db restore FILE`',
        found: `\`pivottrace ${['db', ...context.operands].join(' ')}\``,
      });
    }
    await chosen.job(context, resolve(context.cwd, file ?? ''));
  },
};

async function withEngine<T>(
  context: VerbContext,
  work: (opened: OpenedEngine) => Promise<T>,
): Promise<T> {
  const opened = await openEngine(storeTarget(context), newestSchema);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** To look at a database makes none. UserError where the workspace has none. */
function requireDatabase({ config, database }: VerbContext): void {
  if (database !== undefined || existsSync(join(config.workspace, 'db'))) return;
  throw new UserError({
    wanted: 'a workspace with a database',
    found: existsSync(config.workspace) ? 'one without' : 'no such folder',
    where: config.workspace,
    fix: 'Name the workspace (workspace=DIR), or the database with --db. `pivottrace pool FILE...` makes one.',
  });
}

async function info(context: VerbContext): Promise<void> {
  requireDatabase(context);
  const found = await withEngine(context, async ({ engine, by }) => ({
    ...(await describeDatabase(engine)),
    by,
  }));
  const place = shownPlace(context);
  context.output.result(infoText(found, place), {
    ...{ database: place, reached: found.by, postgres: found.server, schema: found.schema },
    ...{ newest_schema: newestSchema, bytes: found.bytes },
    tables: Object.fromEntries(found.tables.map(({ name, rows }) => [name, rows])),
  });
}

const reached = {
  server: 'on a server',
  owner: 'of the workspace',
  guest: 'of the workspace, through the process that shares it',
};

function infoText(
  { server, schema, bytes, tables, by }: DatabaseInfo & { by: keyof typeof reached },
  place: string,
): string {
  const state = schema === 0 ? 'no tables yet' : `schema ${schema}`;
  const age = schema < newestSchema ? `; the next command brings it to ${newestSchema}` : '';
  return [
    facts([
      ['database', `${place} (${reached[by]})`],
      ['PostgreSQL', server],
      ['tables', `${state}${age}`],
      ['size', formatBytes(bytes)],
    ]),
    '',
    facts(tables.map(({ name, rows }) => [name, counted(rows, 'row')])),
  ]
    .join('\n')
    .trimEnd();
}

function shownPlace({ config, database }: VerbContext): string {
  return database === undefined ? config.workspace : withoutPassword(database);
}

async function dump(context: VerbContext, file: string): Promise<void> {
  if (existsSync(file)) {
    throw new UserError({
      wanted: 'a file that is not there yet',
      found: 'one',
      where: file,
      fix: 'Name another one, or remove it first.',
    });
  }
  requireDatabase(context);
  const { output } = context;
  output.progress.start('dump', undefined, 'rows');
  const { rows, schema } = await withEngine(context, ({ engine }) =>
    dumpDatabase(engine, file, (done) => output.progress.update(done)),
  );
  output.progress.finish(`${counted(rows, 'row')} written.`);
  const place = shownPlace(context);
  output.result(
    `${counted(rows, 'row')} of ${place} in ${file}\nThe pool's answers, runs and reports are files of the workspace: copy ${context.config.workspace} too.`,
    { file, rows, schema, database: place },
  );
}

async function restore(context: VerbContext, file: string): Promise<void> {
  const { output } = context;
  output.progress.start('restore', undefined, 'rows');
  const { rows, schema } = await withEngine(context, ({ engine }) =>
    restoreDatabase(engine, file, (done) => output.progress.update(done)),
  );
  output.progress.finish(`${counted(rows, 'row')} restored.`);
  const place = shownPlace(context);
  output.result(`${counted(rows, 'row')} restored into ${place}`, {
    ...{ file, rows, schema, database: place },
  });
}
