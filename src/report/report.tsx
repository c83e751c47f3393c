/** @jsxImportSource preact */
/**
 * The report: one HTML page that stands alone. No script, no network, nothing loaded: the page's own
 * content security policy forbids it, and everything foreign is escaped by the renderer. Knows
 * nothing of the store or of run directories: see data.ts.
 */
import { render } from 'preact-render-to-string';
import { writeWhole } from '../core/files.ts';
import { armStyles } from './arms.ts';
import type { ReportData } from './data.ts';
import { Document } from './document.tsx';
import { Cost } from './sections/cost.tsx';
import { Examples } from './sections/examples.tsx';
import { Header } from './sections/header.tsx';
import { Routes } from './sections/routes.tsx';
import { Routing } from './sections/routing.tsx';
import { Score } from './sections/score.tsx';
import { SensitivityTable } from './sections/sensitivity.tsx';
import { Summary } from './sections/summary.tsx';
import { Training } from './sections/training.tsx';

/** The whole page as text. The same data gives the same text. */
export function renderReport(data: ReportData): string {
  return `<!doctype html>\n${render(<Page data={data} />)}\n`;
}

/** Writes the page to `path`, whole or not at all. */
export function writeReport(path: string, data: ReportData): void {
  writeWhole(path, renderReport(data));
}

function Page({ data }: { data: ReportData }) {
  const styles = armStyles(data);
  return (
    <Document title={data.run.title}>
      <Header data={data} />
      <main>
        <Summary comparison={data.comparison} styles={styles} />
        <Routes triage={data.triage} />
        <Score score={data.score} />
        <SensitivityTable sensitivity={data.sensitivity} />
        <Training training={data.training} comparison={data.comparison} styles={styles} />
        <Routing routing={data.routing} />
        <Examples examples={data.examples} />
        <Cost cost={data.cost} />
      </main>
      <footer>Written by pivottrace. Times are wall clock on the machine named above.</footer>
    </Document>
  );
}
