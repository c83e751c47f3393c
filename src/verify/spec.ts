// What a verifier is made from: plain data that can be sent to a thread. Loads no kind of answers itself.
import { type CodeSettings, defaultCodeSettings, longestVerdictMs } from './code/settings.ts';
import type { ExtractSettings } from './extract/candidates.ts';
import { type Bounds, defaultBounds } from './types.ts';

/** Kinds that compare two written answers. */
export const innerKinds = ['auto', 'math', 'number', 'choice', 'text', 'json', 'regex'] as const;

/** All kinds of verifiers. */
export const verifierNames = [...innerKinds, 'steps', 'code', 'module', 'command'] as const;

export type InnerKind = (typeof innerKinds)[number];
export type VerifierName = (typeof verifierNames)[number];

/** Two verifiers of one spec give the same verdicts. Only the settings of its own kind matter. */
export interface VerifierSpec {
  /**
   * One of `verifierNames`:
   *
   * - `auto`: mathematics, choice letters and text, by the form of the answer;
   * - `math`: the same without choice letters;
   * - `number`, `choice`, `text`, `json`, `regex`: nothing else is read;
   * - `steps`: lines of another kind;
   * - `code`: programs, against tests;
   * - `module`, `command`: a user's own.
   */
  kind: string;
  bounds?: Partial<Bounds>;
  /** Where answers are looked for in a response. */
  extract?: Partial<ExtractSettings>;
  /** `relative` and `absolute` are for `number` too. */
  math?: {
    tolerance?: { relative: number; absolute: number };
    equations?: 'value' | 'whole';
    units?: 'optional' | 'required';
  };
  choice?: { options?: Record<string, string> | null; several?: boolean };
  text?: { exact?: boolean; caseMatters?: boolean; punctuation?: 'matters' | 'ignored' };
  regex?: { flags?: string };
  steps?: { mode?: 'last' | 'all'; inner?: InnerKind };
  code?: Partial<CodeSettings>;
  module?: { path: string; export?: string };
  /** The program and its arguments; no shell. */
  command?: string[];
}

/** The bounds of `spec`, with defaults for what it leaves out. Programs have limits of their own, which come first. */
export function boundsOf({ kind, bounds, code }: VerifierSpec): Bounds {
  const given = { ...defaultBounds, ...bounds };
  if (kind !== 'code') return given;
  const longest = longestVerdictMs({ ...defaultCodeSettings, ...code });
  return {
    ...given,
    maxAnswerChars: given.maxResponseChars,
    deadlineMs: Math.max(given.deadlineMs, longest),
  };
}
