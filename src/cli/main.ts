/**
 * The command line: verbs become commands, and every error ends here.
 *
 * Exit codes: 0 done, 1 bad input or environment, 2 a fault of ours, 130 stopped on request.
 */
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { Interrupted, UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';
import { stopSignal } from '../core/progress.ts';
import { isHubName, resolveModel } from '../model/resolve.ts';
import { withoutPasswords } from '../store/url.ts';
import { sortArguments } from './arguments.ts';
import { printConfig } from './config/print.ts';
import { configSchema } from './config/schema.ts';
import { type Config, configFileName, type LoadedConfig, loadConfig } from './config.ts';
import { databaseOf, databaseOption } from './database.ts';
import { createOutput, endOnBrokenPipe, type Output } from './output.ts';
import type { Verb } from './verb.ts';
import { verbs } from './verbs/index.ts';
import { packageVersion } from './version.ts';

/** Runs `argv` (without node and script) and says how the process should exit. Never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  endOnBrokenPipe();
  try {
    await (await commandLine(argv)).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCode(error);
  }
}

/** Commands of all verbs; only the verb that is called gets its arguments and flags. */
async function commandLine(argv: readonly string[]): Promise<Command> {
  const program = new Command('pivottrace')
    .description(
      'Trace attention pivots on unlabeled prompts, spend labels where they matter, train.',
    )
    .version(packageVersion())
    .helpOption('-h, --help', 'show help; `pivottrace VERB --help` for one verb')
    .helpCommand(false)
    .showHelpAfterError()
    .exitOverride();
  for (const { name, summary, load } of verbs) {
    const command = program.command(name).description(summary).exitOverride();
    if (argv.includes(name)) addArguments(command, await load());
  }
  return program;
}

function addArguments(command: Command, verb: Verb): void {
  const readsConfig = verb.needsConfig !== false;
  const words = [verb.operand, readsConfig ? '[config.yaml] [key.path=value ...]' : ''];
  command.usage(['[options]', ...words].filter(Boolean).join(' ')).argument('[arguments...]');
  command.option('--json', 'one JSON object per line, for machines');
  command.option('--quiet', 'no progress, no notes');
  if (readsConfig) {
    command.option(
      '--config <file>',
      `settings (default: ${configFileName} here, if there is one)`,
    );
    command.option('--print-config', 'print the resolved settings and do nothing');
  }
  if (usesDatabase(verb)) command.option('--db <url>', databaseOption);
  verb.configure?.(command);
  command.action((words: string[], flags: Record<string, unknown>) => runVerb(verb, words, flags));
}

async function runVerb(
  verb: Verb,
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  const output = createOutput({ json: flags.json === true, quiet: flags.quiet === true });
  const cwd = process.cwd();
  if (verb.needsConfig === false) {
    const config = configSchema.parse({});
    return withStop(output, (stop) =>
      verb.run({
        ...{ config, database: undefined, configFile: undefined, overrides: [] },
        ...{ operands: words, flags, cwd, output, stop },
      }),
    );
  }
  const named = typeof flags.config === 'string' ? flags.config : undefined;
  const { configFile, overrides, operands } = sortArguments(
    words,
    verb.operand,
    named,
    verb.literal,
  );
  const loaded = loadConfig({
    cwd,
    overrides,
    ...(configFile === undefined ? {} : { file: configFile }),
  });
  if (flags.printConfig === true) {
    process.stdout.write(printConfig(loaded.config));
    return;
  }
  if (verb.needsWorkspace !== false) requireWorkspace(loaded, cwd);
  const { file } = loaded;
  const config = verb.usesModel === true ? await withModel(loaded.config, output) : loaded.config;
  const database = usesDatabase(verb) ? databaseOf(flags.db) : undefined;
  await withStop(output, (stop) =>
    verb.run({
      ...{ config, database, configFile: file, overrides, operands },
      ...{ flags, cwd, output, stop },
    }),
  );
}

/** Fetches a model of the hub that is not on this machine, where the settings allow it. */
async function withModel(config: Config, output: Output): Promise<Config> {
  if (!config.model_download || !isHubName(config.model)) return config;
  const note = (sentence: string): void => output.note(sentence);
  const { path } = await resolveModel(config.model, { download: true, note });
  return { ...config, model: path };
}

function usesDatabase({ needsConfig, needsDatabase }: Verb): boolean {
  return needsConfig !== false && needsDatabase !== false;
}

/** Without a named workspace the files of one would be strewn over whatever directory this is. */
function requireWorkspace(loaded: LoadedConfig, cwd: string): void {
  if (loaded.hasWorkspace) return;
  throw new UserError({
    wanted: `a ${configFileName}`,
    found: 'none',
    where: cwd,
    fix: '`pivottrace init` writes one; or name a folder with workspace=DIR.',
  });
}

async function withStop(output: Output, job: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const stop = stopSignal((sentence) => output.note(sentence));
  try {
    await job(stop.signal);
  } finally {
    stop.dispose();
  }
}

/** The one error boundary. */
function exitCode(thrown: unknown): number {
  const error = diskTrouble(thrown) ?? thrown;
  // commander has written its message already; help and version end that way too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
  if (error instanceof UserError) {
    process.stderr.write(`${pc.red('error:')} ${withoutPasswords(error.message)}\n`);
    return 1;
  }
  if (error instanceof Interrupted) {
    process.stderr.write(`${error.message}\n`);
    return 130;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `${withoutPasswords(stack)}\n${pc.red('This is a fault in pivottrace.')} Please report it with the lines above.\n`,
  );
  return 2;
}

/** Faults of the disk that no room below has put into words. */
function diskTrouble(error: unknown): UserError | undefined {
  if (!(error instanceof Error) || error instanceof UserError) return undefined;
  if (!['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'].includes(errorCode(error)))
    return undefined;
  const wanted = 'files that can be read and written';
  return new UserError({ wanted, found: error.message }, { cause: error });
}
