/** What most verbs begin with: the store of the workspace and the verifiers of the configuration. */
import type { Prompt } from '../../pool/types.ts';
import type { VerifierOf } from '../../reward/types.ts';
import { makeWorkspace, type OpenOptions } from '../../store/open-engine.ts';
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import type { VerifierSpec } from '../../verify/spec.ts';
import { openVerifiers, type VerifierSpecs, type Verifiers } from '../../verify/verifiers.ts';
import { settingsOfSource, type VerifySettings } from '../config/verify.ts';
import type { Config } from '../config.ts';
import type { VerbContext } from '../verb.ts';

/** Where the files are, and the database where it is elsewhere. */
export type Place = Pick<VerbContext, 'config' | 'database'>;

/** What `openStore` and its like open: the server that was named, or the workspace. Makes the folder for the files. */
export function storeTarget({ config, database }: Place): string {
  if (database === undefined) return config.workspace;
  makeWorkspace(config.workspace);
  return database;
}

/** Runs `job` with the store open, and closes it whatever happens. */
export async function withStore<T>(
  place: Place,
  job: (store: Store) => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  const store = await openStore(storeTarget(place), options);
  try {
    return await job(store);
  } finally {
    await store.close();
  }
}

/** Runs `job` with the verifiers of the configuration, and ends their threads whatever happens. */
export async function withVerifiers<T>(
  config: Config,
  job: (verifiers: Verifiers) => Promise<T>,
): Promise<T> {
  const verifiers = await openVerifiers(verifierSpecs(config), verifierThreads(config));
  try {
    return await job(verifiers);
  } finally {
    await verifiers.close();
  }
}

/** The verifier of each of `prompts` by its id. Asking for another prompt is a fault. */
export function verifierByPrompt(
  verifiers: Pick<Verifiers, 'of'>,
  prompts: Iterable<Pick<Prompt, 'id' | 'source'>>,
): VerifierOf {
  const sources = new Map(Array.from(prompts, ({ id, source }) => [id, source]));
  return (promptId) => {
    const source = sources.get(promptId);
    if (source === undefined) throw new Error(`prompt ${promptId} is judged and not in the pool`);
    return verifiers.of(source);
  };
}

/** Threads of a verifier: as set, or as many as it takes by itself. */
function verifierThreads({ verify }: Config): { workers?: number } {
  return verify.workers === 0 ? {} : { workers: verify.workers };
}

/** What the settings under `verify` ask for, for every source that they name and for all others. */
export function verifierSpecs({ verify }: Config): VerifierSpecs {
  const own = Object.keys(verify.sources).map((source) => [
    source,
    specOf(settingsOfSource(verify, source)),
  ]);
  return { common: specOf(verify), sources: Object.fromEntries(own) };
}

function specOf(verify: VerifySettings): VerifierSpec {
  const { math, text, code, module } = verify;
  const { relative, absolute, equations, units } = math;
  return {
    kind: verify.kind,
    bounds: {
      deadlineMs: verify.deadline_ms,
      maxAnswerChars: verify.max_answer_chars,
      maxResponseChars: verify.max_response_chars,
    },
    extract: verify.extract,
    math: { tolerance: { relative, absolute }, equations, units },
    choice: verify.choice,
    text: { exact: text.exact, caseMatters: text.case_matters, punctuation: text.punctuation },
    regex: verify.regex,
    steps: verify.steps,
    code: {
      enabled: code.enabled,
      language: code.language,
      cpuSeconds: code.cpu_seconds,
      wallMs: code.wall_ms,
      totalMs: code.total_ms,
      memoryMb: code.memory_mb,
      outputKb: code.output_kb,
      python: code.python,
    },
    ...(module.path === null ? {} : { module: { path: module.path, export: module.export } }),
    command: verify.command,
  };
}
