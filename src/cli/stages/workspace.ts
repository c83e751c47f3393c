/** What most verbs begin with: the store of the workspace and the verifier of the configuration. */
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import { openVerifier } from '../../verify/open.ts';
import type { VerifierSpec } from '../../verify/spec.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Config } from '../config.ts';

/** Runs `job` with the store open, and closes it whatever happens. */
export async function withStore<T>(config: Config, job: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(config.workspace);
  try {
    return await job(store);
  } finally {
    await store.close();
  }
}

/** Runs `job` with the verifier of the configuration, and ends its threads whatever happens. */
export async function withVerifier<T>(
  config: Config,
  job: (verifier: Verifier) => Promise<T>,
): Promise<T> {
  const verifier = await openVerifier(verifierSpec(config), verifierThreads(config));
  try {
    return await job(verifier);
  } finally {
    await verifier.close();
  }
}

/** Threads of the verifier: as set, or as many as it takes by itself. */
function verifierThreads({ verify }: Config): { workers?: number } {
  return verify.workers === 0 ? {} : { workers: verify.workers };
}

/** What the settings under `verify` ask for. */
export function verifierSpec({ verify }: Config): VerifierSpec {
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
