/** A prompt that was just trained on rests: in a small pool the same few would come up again and again. */
import { z } from 'zod';
import { defineMethod } from '../../src/method/define.ts';

export const cooldown = defineMethod({
  name: 'cooldown',
  surface: 'target',
  summary: 'Lets a prompt rest for some steps after a visit',
  source: 'An example, from no paper',
  settings: z.strictObject({
    steps: z.int().min(1).default(3).describe('Steps that a prompt rests after a visit'),
  }),
  /** The step of each prompt's last visit. */
  state: z.record(z.string(), z.int()),
  create({ steps }, _context, saved) {
    const visits = new Map(Object.entries(saved ?? {}));
    return {
      admits(promptId, step) {
        const last = visits.get(promptId);
        return last === undefined || step - last > steps;
      },
      observe(step, groups) {
        for (const { promptId } of groups) visits.set(promptId, step);
      },
      save: () => Object.fromEntries(visits),
    };
  },
});
