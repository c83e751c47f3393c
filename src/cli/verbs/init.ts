/** `init [DIR]`: the settings of a new project. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { writeWhole } from '../../core/files.ts';
import { starterConfig } from '../config/print.ts';
import { configFileName } from '../config.ts';
import type { Verb } from '../verb.ts';

/** Keys that nearly every project sets; the others are in the file as comments. */
const starters = {
  workspace: '.',
  seed: 0,
  model: 'bundled:models/reasoner',
  'pool.files': [],
  'triage.estimator': 'pivot_density',
  'triage.rule': 'quota',
  'label.budget': null,
  'train.arm': 'pivottrace',
  'train.steps': 60,
  'eval.file': null,
};

export const init: Verb = {
  operand: '[DIRECTORY]',
  needsWorkspace: false,
  needsConfig: false,
  async run({ operands, cwd, output }) {
    if (operands.length > 1) {
      throw new UserError({ wanted: 'one directory', found: operands.join(' ') });
    }
    const path = join(resolve(cwd, operands[0] ?? '.'), configFileName);
    if (existsSync(path)) {
      throw new UserError({
        wanted: `no ${configFileName} yet`,
        found: 'one',
        where: path,
        fix: 'It is left as it is; remove it first if you want a new one.',
      });
    }
    writeWhole(path, starterConfig(starters));
    const folder = relative(cwd, join(path, '..'));
    const next = `${folder === '' ? '' : `cd ${folder} && `}pivottrace pool FILE...`;
    output.result(`Wrote ${path}\nNext: ${next}`, { file: path });
  },
};
