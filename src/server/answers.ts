/**
 * Answers as the verifier of their prompt's source understands them.
 *
 * What people type becomes a gold answer, and verifiers look into a gold answer for one that is marked; so does this.
 */
import type { Judge } from '../label/queue/types.ts';
import { answerOfGold } from '../verify/judge.ts';
import type { Verifier } from '../verify/types.ts';
import type { WirePreview, WireRevealed } from './wire.ts';

/** How `answer` is read, or why it cannot be. */
export async function readAnswer(verifier: Verifier, answer: string): Promise<WirePreview> {
  const nothing = { readable: false, kind: '', value: '' };
  if (answer.trim() === '') return { ...nothing, reason: 'Nothing is typed yet.' };
  const reading = await verifier.read(await goldText(verifier, answer.trim()));
  if (reading !== null) {
    return { readable: true, kind: reading.kind, value: reading.shown, reason: '' };
  }
  const reason = `The verifier "${verifier.name}" cannot read this: no response could be found right by it.`;
  return { ...nothing, reason };
}

/** Answers by class of equal ones, the most frequent first. A class shows as its first answer. */
export async function answersByClass(
  verifier: Verifier,
  answers: readonly (string | null)[],
): Promise<WireRevealed> {
  const texts = answers.map((answer) => answer ?? undefined);
  const indices = await verifier.classes(texts);
  const classes = new Map<number, { answer: string; count: number }>();
  for (const [i, index] of indices.entries()) {
    const text = texts[i];
    if (index === -1 || text === undefined) continue;
    const known = classes.get(index) ?? { answer: text, count: 0 };
    classes.set(index, { ...known, count: known.count + 1 });
  }
  const unread = indices.filter((index) => index === -1).length;
  return { classes: [...classes.values()].sort((a, b) => b.count - a.count), unread };
}

/** The queue's judge: two answers are the same where the verifier finds one right by the other. */
export function judgeOf(verifierOf: (promptId: string) => Promise<Verifier>): Judge {
  return {
    async equivalent(promptId, a, b) {
      if (a === b) return true;
      const verifier = await verifierOf(promptId);
      const [gold, answer] = await Promise.all([goldText(verifier, a), goldText(verifier, b)]);
      return (await verifier.compare(gold, answer)).verdict === 'right';
    },
  };
}

async function goldText(verifier: Verifier, answer: string): Promise<string> {
  const isData = verifier.name === 'json' || verifier.name === 'code';
  if (isData || !(answer.includes('boxed{') || answer.includes('####'))) return answer;
  return answerOfGold(answer, await verifier.candidates(answer));
}
