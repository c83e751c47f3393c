/**
 * What a verb is. main.ts turns a verb into a command: it reads the arguments, loads the configuration and
 * catches every error, so that a verb holds nothing but its own steps.
 */
import type { Command } from 'commander';
import type { Config } from './config.ts';
import type { Output } from './output.ts';

export interface VerbContext {
  config: Config;
  /**
   * postgres://..., by --db or PIVOTTRACE_DB; undefined = the workspace has a database of its own. It may hold a
   * password: it is never shown, logged or written to a file as it is (`withoutPassword`).
   */
  database: string | undefined;
  /** The configuration file that was read; undefined = none. */
  configFile: string | undefined;
  /** `key.path=value` as given; they are in `config` already. */
  overrides: readonly string[];
  /** The other arguments; empty for verbs without `operand`. */
  operands: readonly string[];
  /** Flags of this verb, as commander gives them. */
  flags: Readonly<Record<string, unknown>>;
  cwd: string;
  output: Output;
  /** Aborted when the person asks for a stop; long jobs look at it at safe points. */
  stop: AbortSignal;
}

/** What the list of verbs says. */
export interface VerbEntry {
  name: string;
  /** One line for the list of verbs. */
  summary: string;
  load(): Promise<Verb>;
}

export interface Verb {
  /** What else an argument may be beside config.yaml and key.path=value: `[FILE ...]`. */
  operand?: string;
  /** Are the operands texts, which may hold equals signs? Then only `group.key=value` is a setting. */
  literal?: boolean;
  /** Does it write to the workspace? Then a workspace must have been named. Default true. */
  needsWorkspace?: boolean;
  /** Does it read the configuration? Default true. */
  needsConfig?: boolean;
  /** Does it use the database? Then it may be on a server, by --db. Default true, but for verbs without configuration. */
  needsDatabase?: boolean;
  /** Does it run the model? Then one of the hub may be fetched first (model_download). Default false. */
  usesModel?: boolean;
  /** Adds flags and help text. */
  configure?(command: Command): void;
  run(context: VerbContext): Promise<void>;
}
