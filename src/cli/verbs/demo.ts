/** `demo`: everything on the bundled model and pool, in a folder of its own; the same command goes on after a stop. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { writeWhole } from '../../core/files.ts';
import { starterConfig } from '../config/print.ts';
import { configFileName, loadConfig } from '../config.ts';
import { comparisonText } from '../stages/comparison-table.ts';
import { demoSettings, runDemo } from '../stages/demo.ts';
import { withStore } from '../stages/workspace.ts';
import type { Verb } from '../verb.ts';

const usualFolder = 'pivottrace-demo';

export const demo: Verb = {
  needsWorkspace: false,
  // Everything is in its folder.
  needsDatabase: false,
  async run({ config: given, configFile, overrides, cwd, output, stop }) {
    const isNamed = overrides.some((text) => text.startsWith('workspace='));
    const folder = isNamed ? given.workspace : resolve(cwd, usualFolder);
    const file = join(folder, configFileName);
    if (configFile !== undefined && resolve(configFile) !== file) {
      output.note(`The demo goes by ${file}, not by ${configFile}.`);
    }
    if (!existsSync(file)) writeWhole(file, starterConfig(demoSettings));
    const { config } = loadConfig({ cwd, file, overrides });
    const words = ['pivottrace', 'demo', ...overrides];
    const { progress } = output;
    await withStore({ config, database: undefined }, async (store) => {
      const command = words.join(' ');
      const { path, data } = await runDemo({ store, config, command, progress, stop });
      const { comparison, cost } = data;
      const lines = comparison === null ? [] : [comparisonText(comparison), ''];
      output.result([...lines, `Report: ${relative(cwd, path) || path}`].join('\n'), {
        file: path,
        comparison,
        cost,
      });
    });
  },
};
