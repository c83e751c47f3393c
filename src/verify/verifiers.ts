// The verifiers of a pool that mixes tasks: one for the prompts of each source that asks for its own, one for all others.
// Knows nothing of configuration files or of which prompt has which source.
import { UserError } from '../core/errors.ts';
import { type OpenSettings, openVerifier } from './open.ts';
import type { VerifierSpec } from './spec.ts';
import type { Verifier } from './types.ts';

/** Plain data: two of the same content judge alike. */
export interface VerifierSpecs {
  /** For sources that are not named. */
  common: VerifierSpec;
  /** By the name of the source. */
  sources: Readonly<Record<string, VerifierSpec>>;
}

export interface Verifiers {
  /** The verifier for prompts of `source`: the common one where it has none of its own, or where there is no source. */
  of(source?: string): Verifier;
  /** Ends all of them. */
  close(): Promise<void>;
}

/**
 * All verifiers of `specs`, warm; sources that ask for the same share one. Each has threads of its own, as many as
 * `settings` say. UserError that names the source where one cannot be made; nothing is left open then.
 */
export async function openVerifiers(
  { common, sources }: VerifierSpecs,
  settings?: OpenSettings,
): Promise<Verifiers> {
  const opened = new Map<string, Verifier>();
  const open = async (spec: VerifierSpec): Promise<Verifier> => {
    const key = JSON.stringify(spec);
    const verifier = opened.get(key) ?? (await openVerifier(spec, settings));
    opened.set(key, verifier);
    return verifier;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...opened.values()].map((verifier) => verifier.close()));
  };
  const own = new Map<string, Verifier>();
  try {
    const usual = await open(common);
    for (const [source, spec] of Object.entries(sources)) {
      own.set(source, await open(spec).catch((error) => Promise.reject(ofSource(source, error))));
    }
    const of = (source?: string) => (source === undefined ? usual : (own.get(source) ?? usual));
    return { of, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function ofSource(source: string, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const { where, ...rest } = error.complaint;
  const named = `source ${JSON.stringify(source)} of verify.sources`;
  const place = where === undefined ? named : `${named}, ${where}`;
  return new UserError({ ...rest, where: place }, { cause: error });
}
