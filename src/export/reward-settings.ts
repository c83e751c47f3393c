// How answers are judged on the training side, as reward.json: what the Python reward modules need of the verifiers'
// settings, and which kinds they can judge. Knows nothing of trainers.
import { defaultExtractSettings } from '../verify/extract/candidates.ts';
import { boundsOf, type VerifierSpec } from '../verify/spec.ts';
import type { VerifierSpecs } from '../verify/verifiers.ts';

/** Kinds of answers that src/export/python/common judges. Patterns, steps, programs and a user's own stay here. */
export const pythonKinds: readonly string[] = ['auto', 'math', 'number', 'choice', 'text', 'json'];

export interface RewardRules {
  /** `train.undecided`; `ask` is `drop`: there is nobody to ask on the training side. */
  undecided: 'zero' | 'drop' | 'ask';
  minShare: number;
  minVotes: number;
}

/** The spec of a source, its own or the common one. */
export function specFor({ common, sources }: VerifierSpecs, source: string): VerifierSpec {
  return Object.hasOwn(sources, source) ? sources[source] : common;
}

/** The content of reward.json; sources that Python cannot judge are not in it, as no row is of them. */
export function rewardSettings(specs: VerifierSpecs, rules: RewardRules): unknown {
  const own = Object.entries(specs.sources).filter(([, { kind }]) => pythonKinds.includes(kind));
  return {
    common: pythonKinds.includes(specs.common.kind) ? pythonSpec(specs.common) : null,
    sources: Object.fromEntries(own.map(([source, spec]) => [source, pythonSpec(spec)])),
    undecided: rules.undecided === 'zero' ? 'zero' : 'drop',
    min_vote_share: rules.minShare,
    min_votes: rules.minVotes,
  };
}

/** A process that misses its deadline is ended and costs seconds to start again, on a machine that has other work too. */
const shortestDeadlineMs = 5000;

function pythonSpec(spec: VerifierSpec) {
  const { maxAnswerChars, maxResponseChars, deadlineMs } = boundsOf(spec);
  const extract = { ...defaultExtractSettings, ...spec.extract };
  const { tolerance = { relative: 0, absolute: 0 }, equations = 'value' } = spec.math ?? {};
  return {
    kind: spec.kind,
    marks: extract.marks,
    unmarked: extract.unmarked,
    // As decimals: 0.01 is 1/100 there too.
    relative: String(tolerance.relative),
    absolute: String(tolerance.absolute),
    equations,
    units: spec.math?.units ?? 'optional',
    options: spec.choice?.options ?? null,
    several: spec.choice?.several ?? false,
    exact: spec.text?.exact ?? false,
    case_matters: spec.text?.caseMatters ?? false,
    punctuation: spec.text?.punctuation ?? 'matters',
    max_answer_chars: maxAnswerChars,
    max_response_chars: maxResponseChars,
    deadline_seconds: Math.max(deadlineMs, shortestDeadlineMs) / 1000,
  };
}
