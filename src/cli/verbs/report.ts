/** `report`: one self-contained HTML file about everything in the workspace. */
import { comparisonText } from '../stages/comparison-table.ts';
import { createReport } from '../stages/report.ts';
import { withStore } from '../stages/workspace.ts';
import type { Verb } from '../verb.ts';

export const report: Verb = {
  async run({ config, database, output }) {
    await withStore({ config, database }, async (store) => {
      const title = 'PivotTrace report';
      const { path, data } = await createReport({ store, config, title, command: null });
      const { comparison } = data;
      const lines = comparison === null ? [] : [comparisonText(comparison), ''];
      output.result([...lines, `Wrote ${path}`].join('\n'), { file: path, comparison });
    });
  },
};
