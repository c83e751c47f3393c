/** `report`: one self-contained HTML file about everything in the workspace. */
import { join } from 'node:path';
import { writeReport } from '../../report/report.tsx';
import { nothingTrained, reportData } from '../stages/report.ts';
import { withStore } from '../stages/workspace.ts';
import type { Verb } from '../verb.ts';

export const report: Verb = {
  async run({ config, output }) {
    const path = config.report.out ?? join(config.workspace, 'report.html');
    await withStore(config, async (store) => {
      const data = await reportData({
        store,
        config,
        trained: nothingTrained,
        title: 'PivotTrace report',
        generatedAt: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
        command: null,
      });
      writeReport(path, data);
      output.result(`Wrote ${path}`, { file: path });
    });
  },
};
