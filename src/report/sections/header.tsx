/** @jsxImportSource preact */
/**
 * Heading of the page: what was run, on what, and how to run it again.
 */
import type { ReportData } from '../data.ts';
import { plural, short, visible, whole } from '../format.ts';
import { Facts, scrollBox, Warning } from './parts.tsx';

/** The links to the sections, in their order on the page. */
const SECTIONS = [
  { id: 'summary', title: 'Was it worth it?' },
  { id: 'routes', title: 'Routes and budget' },
  { id: 'score', title: 'Score against pass rate' },
  { id: 'sensitivity', title: 'Sensitivity' },
  { id: 'training', title: 'Training' },
  { id: 'routing', title: 'Dynamic routing' },
  { id: 'examples', title: 'Example traces' },
  { id: 'cost', title: 'What it cost' },
] as const;

export function Header({ data }: { data: ReportData }) {
  const { run } = data;
  return (
    <header class="top">
      <h1>{visible(run.title)}</h1>
      {run.generatedAt === null ? null : <p class="dim">{visible(run.generatedAt)}</p>}
      <RunFacts data={data} />
      {run.command === null ? null : (
        <>
          <p class="dim small">The same figures again:</p>
          <pre class="command" {...scrollBox('Command that makes these figures again')}>
            <code>{visible(run.command)}</code>
          </pre>
        </>
      )}
      {run.notices.map((notice) => (
        <Warning key={notice}>{visible(notice)}</Warning>
      ))}
      <nav aria-label="Sections">
        <ul>
          {SECTIONS.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function RunFacts({ data }: { data: ReportData }) {
  const { model, pool, seed, versions, machine } = data.run;
  const facts: [string, string][] = [];
  if (model !== null) {
    const size = model.parameters === null ? '' : `, ${short(model.parameters)} parameters`;
    const detail = model.detail === null ? '' : `, ${model.detail}`;
    facts.push(['Model', `${model.name}${size}${detail}`]);
  }
  if (pool !== null) {
    const test =
      pool.testPrompts === null ? '' : `, ${plural(pool.testPrompts, 'test prompt')} held out`;
    facts.push(['Pool', `${pool.name}, ${plural(pool.prompts, 'prompt')}${test}`]);
  }
  if (seed !== null) facts.push(['Seed', whole(seed).replaceAll(',', '')]);
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  if (named.length > 0) facts.push(['Versions', named.join(', ')]);
  if (machine !== null) facts.push(['Machine', machine]);
  return <Facts facts={facts} />;
}
