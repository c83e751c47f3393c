/** The methods by name. To add one: write its file, and name it here. */
import { UserError } from '../core/errors.ts';
import { clipHigher } from './advantage/clip-higher.ts';
import { geomin } from './advantage/geomin.ts';
import { trapo } from './advantage/trapo.ts';
import { dapo } from './batch/dapo.ts';
import { earlyStop } from './batch/early-stop.ts';
import { ucOnline } from './batch/uc-online.ts';
import { coRewarding } from './reward/co-rewarding.ts';
import { selfCertainty } from './reward/self-certainty.ts';
import { sequenceEntropy } from './reward/sequence-entropy.ts';
import { sequenceProbability } from './reward/sequence-probability.ts';
import { tokenEntropy } from './reward/token-entropy.ts';
import { weightedVote } from './reward/weighted-vote.ts';
import { care } from './target/care.ts';
import { difficulty } from './target/difficulty.ts';
import { olr } from './target/olr.ts';
import { ucOffline } from './target/uc-offline.ts';
import type { MethodDefinition } from './types.ts';

export const methods: readonly MethodDefinition[] = [
  ucOffline,
  olr,
  care,
  difficulty,
  dapo,
  earlyStop,
  ucOnline,
  clipHigher,
  trapo,
  geomin,
  weightedVote,
  selfCertainty,
  tokenEntropy,
  sequenceEntropy,
  sequenceProbability,
  coRewarding,
];

/** The method of that name; UserError naming the known ones otherwise. */
export function methodByName(name: string): MethodDefinition {
  const found = methods.find((method) => method.name === name);
  if (found !== undefined) return found;
  throw new UserError({
    wanted: `a method (${methods.map((one) => one.name).join(', ')})`,
    found: `"${name}"`,
    where: 'train.methods',
  });
}
