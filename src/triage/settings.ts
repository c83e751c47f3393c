/**
 * The settings of triage: defaults and checks.
 */
import { UserError } from '../core/errors.ts';
import type { TriageSettings } from './types.ts';

/** The published split; the other numbers are ours. */
export const defaultTriageSettings: TriageSettings = {
  rule: 'quota',
  quota: { discard: 0.421, self: 0.286, annotate: 0.293 },
  hi: 0.85,
  // The vote of the prompt at the cut: a band cut at 0.7 has .90 to .95 right votes on average.
  voteFloor: 0.7,
  labels: null,
  trainPrompts: null,
  masteredAt: 0.9,
  window: 15,
  level: 0.95,
  resamples: 1000,
  minProbes: 10,
  tieLimit: 0.5,
  seed: 0,
};

/** Defaults overridden by `partial`; UserError when a value is out of its range. */
export function triageSettings(partial: Partial<TriageSettings> = {}): TriageSettings {
  const settings = { ...defaultTriageSettings, ...partial };
  const { quota } = settings;
  const shares = [quota.discard, quota.self, quota.annotate];
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.some((share) => !(share >= 0)) || Math.abs(sum - 1) > 1e-6) {
    throw new UserError({
      wanted: 'quota shares of at least 0 that add up to 1',
      found: `discard ${quota.discard}, self ${quota.self}, annotate ${quota.annotate}`,
      where: 'triage.quota',
    });
  }
  for (const key of ['hi', 'voteFloor', 'masteredAt', 'tieLimit'] as const) {
    if (!(settings[key] >= 0 && settings[key] <= 1)) wrong(key, 'a number in 0..1', settings[key]);
  }
  if (!(settings.level > 0 && settings.level < 1)) {
    wrong('level', 'a number between 0 and 1', settings.level);
  }
  for (const key of ['window', 'resamples'] as const) {
    if (!(settings[key] >= 1)) wrong(key, 'a number of at least 1', settings[key]);
  }
  for (const key of ['labels', 'trainPrompts'] as const) {
    const value = settings[key];
    if (value !== null && !(value >= 0)) wrong(key, 'a number of at least 0 or null', value);
  }
  if (settings.rule === 'budget' && settings.labels === null) {
    wrong('labels', 'a number of labels for the rule "budget"', null);
  }
  return settings;
}

function wrong(key: keyof TriageSettings, wanted: string, found: number | null): never {
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  throw new UserError({ wanted, found: String(found), where: `triage.${snake}` });
}
