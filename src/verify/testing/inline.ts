// A verifier without threads, for tests that ask many small questions or that stub what a verifier says.
import { classesOf } from '../classes.ts';
import { judgeFor } from '../registry.ts';
import type { VerifierSpec } from '../spec.ts';
import type { Judge, Verifier } from '../types.ts';

/** `judge` as a verifier; what it throws rejects. */
export function inline(judge: Judge): Verifier {
  const verifier: Verifier = {
    name: judge.name,
    candidates: async (response) => judge.candidates(response),
    extract: async (responses) => responses.map((response) => judge.candidates(response)[0]),
    read: async (answer) => judge.read(answer),
    compare: async (gold, answer) => await judge.compare(gold, answer),
    verify: async (gold, responses) =>
      await Promise.all(responses.map((response) => judge.verify(gold, response))),
    classes: async (answers) => await classesOf(answers, verifier),
    close: async () => {
      await judge.close?.();
    },
  };
  return verifier;
}

/** The verifier of `spec` without threads. */
export async function inlineVerifier(spec: VerifierSpec): Promise<Verifier> {
  return inline(await judgeFor(spec));
}
