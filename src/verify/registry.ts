// The judge that a spec describes: this is what a worker thread loads. Kinds are loaded when they are asked for. Knows
// nothing of threads, configuration files or of which prompt takes which verifier.
import { UserError } from '../core/errors.ts';
import { candidates, defaultExtractSettings, type ExtractSettings } from './extract/candidates.ts';
import { AnswerJudge } from './judge.ts';
import { boundsOf, type InnerKind, innerKinds, type VerifierSpec, verifierNames } from './spec.ts';
import type { Judge, Kind } from './types.ts';

/** The judge for one thread. UserError for a kind that does not exist, or settings that make none. */
export async function judgeFor(spec: VerifierSpec): Promise<Judge> {
  const settings: ExtractSettings = { ...defaultExtractSettings, ...spec.extract };
  const bounds = boundsOf(spec);
  switch (spec.kind) {
    case 'code': {
      const { codeJudge } = await import('./code/judge.ts');
      const { defaultCodeSettings } = await import('./code/settings.ts');
      return codeJudge({ ...defaultCodeSettings, ...spec.code });
    }
    case 'module': {
      const { moduleJudge } = await import('./custom/module.ts');
      if (spec.module === undefined) throw missing('the path of a module', 'verify.module.path');
      const extract = (response: string) => candidates(response, 'formula', settings);
      return await moduleJudge(spec.module, { extract, bounds });
    }
    case 'command': {
      const { commandJudge } = await import('./custom/command.ts');
      const { command = [] } = spec;
      if (command.length === 0) throw missing('a program with its arguments', 'verify.command');
      const extract = (response: string) => candidates(response, 'formula', settings);
      return commandJudge({ command }, { extract, bounds });
    }
    default: {
      const kind = await kindFor(spec);
      const extract = (response: string) => candidates(response, kind.seek, settings);
      return new AnswerJudge(kind, extract, bounds);
    }
  }
}

async function kindFor(spec: VerifierSpec): Promise<Kind> {
  if (spec.kind !== 'steps') {
    const name = innerKinds.find((known) => known === spec.kind);
    if (name === undefined) throw unknownKind(spec.kind);
    return await innerKind(name, spec);
  }
  const { stepsKind } = await import('./kinds/steps.ts');
  const { mode = 'last', inner = 'auto' } = spec.steps ?? {};
  return stepsKind(await innerKind(inner, spec), mode);
}

async function innerKind(name: InnerKind, spec: VerifierSpec): Promise<Kind> {
  switch (name) {
    case 'auto':
    case 'math':
      return (await import('./math/kind.ts')).mathKind(name, spec.math);
    case 'number': {
      const { numericValue } = await import('./math/value.ts');
      return (await import('./kinds/number.ts')).numberKind(
        { ...(spec.math?.tolerance === undefined ? {} : { tolerance: spec.math.tolerance }) },
        numericValue,
      );
    }
    case 'choice':
      return (await import('./kinds/choice.ts')).choiceKind(spec.choice);
    case 'text':
      return (await import('./kinds/text.ts')).textKind(spec.text);
    case 'json':
      return (await import('./kinds/json.ts')).jsonKind();
    case 'regex':
      return (await import('./kinds/regex.ts')).regexKind(spec.regex);
  }
}

function unknownKind(found: string): UserError {
  return new UserError({
    wanted: `a verifier (${verifierNames.join(', ')})`,
    found: JSON.stringify(found),
    where: 'verify.kind',
  });
}

function missing(wanted: string, where: string): UserError {
  return new UserError({
    wanted,
    found: 'none',
    where,
    fix: 'See docs/guide/custom-verifiers.md.',
  });
}
