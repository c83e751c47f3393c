/** Reads what the cells of a bench left and writes bench.md, bench.html and bench.json. */
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { writeWhole } from '../../../core/files.ts';
import { formatBytes } from '../../../core/rates.ts';
import type { BenchData, Setting } from '../../../report/bench/data.ts';
import { renderBench } from '../../../report/bench/page.tsx';
import { inline } from '../../config/print.ts';
import { packageVersion } from '../../version.ts';
import { analyse, type Layout } from './analysis.ts';
import type { CellJob, Plan } from './jobs.ts';
import { benchMarkdown } from './markdown.ts';
import type { Matrix, WrittenSettings } from './matrix.ts';
import { readResult } from './outcome.ts';

export interface BenchReport {
  data: BenchData;
  /** Where the page, the tables and the figures are. */
  files: { html: string; markdown: string; json: string };
}

/** `command`: what makes the figures again. */
export function writeBenchReport(matrix: Matrix, plan: Plan, command: string): BenchReport {
  const layout = layoutOf(matrix);
  const results = plan.cells.flatMap((cell) => readResult(cell.folder) ?? []);
  const data: BenchData = {
    name: matrix.name,
    generatedAt: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    command,
    machine: machineOf(plan.cells),
    version: packageVersion(),
    reference: matrix.reference,
    random: matrix.random,
    seeds: [...matrix.seeds],
    budget: matrix.budget,
    ...analyse(layout, results),
    base: listed(matrix.base),
  };
  const at = (name: string) => join(matrix.out, name);
  const files = { html: at('bench.html'), markdown: at('bench.md'), json: at('bench.json') };
  writeWhole(files.json, `${JSON.stringify(data, null, 1)}\n`);
  writeWhole(files.markdown, benchMarkdown(data));
  writeWhole(files.html, renderBench(data));
  return { data, files };
}

function machineOf([first]: readonly CellJob[]): string {
  const provider = first?.values['engine.provider'] ?? 'cpu';
  return `${availableParallelism()} cores, ${formatBytes(totalmem())}, ${String(provider)} provider`;
}

function layoutOf(matrix: Matrix): Layout {
  return {
    reference: matrix.reference,
    random: matrix.random,
    budget: matrix.budget,
    seeds: matrix.seeds,
    pools: [...matrix.pools].map(([id, { title, redundancy, set }]) => ({
      ...{ id, title, redundancy },
      settings: listed(set),
    })),
    arms: [...matrix.arms].map(([id, arm]) => {
      const { title, note, group, pools, from, verbs, set, countScoring } = arm;
      const stage = from === null ? undefined : matrix.shared.get(from);
      const settings: Setting[] = [
        ...(from === null || stage === undefined
          ? []
          : [['from', `${from} (${stage.verbs.join(', ')})`] as const, ...listed(stage.set)]),
        ['verbs', verbs.join(', ')],
        ...(countScoring ? [] : [['count_scoring', 'false'] as const]),
        ...listed(set),
      ];
      return { ...{ id, title, note, group, pools }, settings };
    }),
  };
}

function listed({ values }: WrittenSettings): Setting[] {
  return Object.entries(values).map(([key, value]) => [key, inline(value)]);
}
