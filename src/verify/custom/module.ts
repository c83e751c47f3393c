// A verifier that is a function of a user's own module. The module is trusted as the user is: it runs in the verifier's
// thread, where a function that never returns costs its deadline.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { UserError } from '../../core/errors.ts';
import type { Extraction, Judge } from '../types.ts';
import {
  type Checker,
  CustomJudge,
  type CustomResult,
  type Frame,
  verdictOf,
} from './custom-judge.ts';

/**
 * What the module exports: whether `response`, from a bare answer to a long chain of thought, gives the answer `gold`.
 * It should say the same whichever of two bare answers comes first, since majority votes compare answers with it. What it
 * throws, and what is no `CustomResult`, makes the verdict `undecided`.
 */
export type CustomVerifier = (
  gold: string,
  response: string,
) => CustomResult | Promise<CustomResult>;

export interface ModuleSettings {
  /**
   * A .ts, .js or .mjs file, from the current directory. It may also export `extract(response)`, which gives the final
   * answer word for word or nothing, and `compare(gold, answer)`, a `CustomVerifier` for two bare answers.
   */
  path: string;
  /** The export that verifies. Default `default`. */
  export?: string;
}

/** Loads the module. UserError where the file is not there, cannot be loaded, or exports no such function. */
export async function moduleJudge(settings: ModuleSettings, frame: Frame): Promise<Judge> {
  const path = resolve(settings.path);
  const { export: name = 'default' } = settings;
  const exported = exportsOf(await loaded(path));
  const verifier = exported(name);
  const compare = exported('compare') ?? verifier;
  const extract = exported('extract');
  if (verifier === undefined || compare === undefined) {
    throw new UserError({
      wanted: `a function (gold, response) as the export "${name}"`,
      found: 'none',
      where: path,
      fix: 'See docs/guide/custom-verifiers.md.',
    });
  }
  const checker: Checker = {
    name: `module ${settings.path}`,
    check: async (gold, response, bare) =>
      verdictOf(await (bare ? compare : verifier)(gold, response)),
  };
  if (extract !== undefined) checker.extract = (response) => located(extract(response), response);
  return new CustomJudge(checker, frame);
}

type Callable = (...texts: string[]) => unknown;

async function loaded(path: string): Promise<unknown> {
  if (!existsSync(path)) {
    throw new UserError({ wanted: "a verifier's module", found: 'no file', where: path });
  }
  try {
    const { href } = pathToFileURL(path);
    // The thread's own loader takes TypeScript for a module only in a package of type "module".
    return /\.[cm]?ts$/.test(path)
      ? await tsImport(href, { parentURL: import.meta.url, tsconfig: false })
      : await import(href);
  } catch (error) {
    const found = `an error while it was loaded: ${error instanceof Error ? error.message : error}`;
    throw new UserError({ wanted: "a verifier's module", found, where: path }, { cause: error });
  }
}

/** Functions by name. A CommonJS module has its exports inside `default`, and what was TypeScript once more. */
function exportsOf(module: unknown): (name: string) => Callable | undefined {
  const outer = recordOf(module);
  const inner = recordOf(outer.default);
  return (name) => [outer[name], inner[name]].find((value) => isCallable(value));
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** Where the text stands in the response: the last place, or the whole response where it is not there word for word. */
function located(text: unknown, response: string): Extraction[] {
  if (text === null || text === undefined) return [];
  if (typeof text !== 'string') throw new TypeError('"extract" gave no text');
  const start = response.lastIndexOf(text);
  return start < 0
    ? [{ text, start: 0, end: response.length, mark: 'conclusion' }]
    : [{ text, start, end: start + text.length, mark: 'conclusion' }];
}
