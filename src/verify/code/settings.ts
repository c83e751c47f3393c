// How programs are run: which language, and what one may use.
import { UserError } from '../../core/errors.ts';

export const codeLanguages = ['python', 'javascript', 'typescript'] as const;

export type CodeLanguage = (typeof codeLanguages)[number];

export interface CodeSettings {
  language: CodeLanguage;
  /** Code verifiers run foreign programs, so they run only where the configuration says so. */
  enabled: boolean;
  /** Processor seconds of one run (one case, or all assertions). Whole seconds for Python, rounded up. */
  cpuSeconds: number;
  /** Wall-clock milliseconds of one run. */
  wallMs: number;
  /** Wall-clock milliseconds of all the cases of one answer together. */
  totalMs: number;
  /** Memory of one run in MiB; for Python the address space, of which the interpreter takes about 40. */
  memoryMb: number;
  /** Output of one run in KiB; the error output has as much again. */
  outputKb: number;
  /** The Python interpreter: a path, or a name that is looked for in PATH. */
  python: string;
}

export const defaultCodeSettings: CodeSettings = {
  language: 'python',
  enabled: false,
  cpuSeconds: 5,
  wallMs: 10_000,
  totalMs: 60_000,
  memoryMb: 512,
  outputKb: 1024,
  python: 'python3',
};

/** A verdict on a program comes no later than this, in milliseconds: what a pool's deadline for code must exceed. */
export function longestVerdictMs({ totalMs, wallMs }: CodeSettings): number {
  return totalMs + wallMs + graceMs;
}

/** What the machinery around a run may take, in milliseconds, before it counts as hung. */
export const graceMs = 10_000;

/** UserError where code verifiers are off, or a limit is not a limit. */
export function checkSettings(settings: CodeSettings): void {
  if (!settings.enabled) {
    throw new UserError({
      wanted: 'code verifiers turned on, since they run the programs that a model writes',
      found: 'verify.code.enabled: false',
      where: 'verify.code.enabled',
      fix: 'Read docs/guide/code-answers.md on what the sandbox stops, then set verify.code.enabled to true.',
    });
  }
  const limits = ['cpuSeconds', 'wallMs', 'totalMs', 'memoryMb', 'outputKb'] as const;
  for (const name of limits) {
    const value = settings[name];
    if (Number.isFinite(value) && value > 0) continue;
    throw new UserError({
      wanted: 'a number above 0',
      found: String(value),
      where: `verify.code, ${name}`,
    });
  }
}
