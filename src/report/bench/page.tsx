/** @jsxImportSource preact */
/**
 * The page of a bench: what every arm reached, held against the reference and against random choice, for each pool
 * and over pools. No script and nothing loaded; all figures come from the data.
 */
import { render } from 'preact-render-to-string';
import { Document } from '../document.tsx';
import { plural, visible, whole } from '../format.ts';
import { Facts, Section, scrollBox, Warning } from '../sections/parts.tsx';
import type { BenchData, PoolResult, Setting } from './data.ts';
import { PoolSection } from './pool.tsx';
import { PoolsSection } from './pools.tsx';
import { benchStyles } from './styles.ts';
import { definitions } from './words.ts';

/** The whole page as text. The same data gives the same text. */
export function renderBench(data: BenchData): string {
  return `<!doctype html>\n${render(<Page data={data} />)}\n`;
}

function Page({ data }: { data: BenchData }) {
  const styles = benchStyles(data);
  const pools = data.pools.filter(({ arms }) => arms.length > 0);
  return (
    <Document title={data.name}>
      <Header data={data} pools={pools} />
      <main>
        {pools.length === 0 ? <p class="missing">No cell has been finished yet.</p> : null}
        {pools.length > 1 ? <PoolsSection data={data} pools={pools} styles={styles} /> : null}
        {pools.map((pool) => (
          <PoolSection key={pool.id} data={data} pool={pool} styles={styles} />
        ))}
        <Section id="definitions" title="What the figures mean">
          {definitions(data).map((text) => (
            <p key={text}>{text}</p>
          ))}
        </Section>
        <Settings data={data} />
      </main>
      <footer>Written by pivottrace. Times are wall clock on the machine named above.</footer>
    </Document>
  );
}

function Header({ data, pools }: { data: BenchData; pools: readonly PoolResult[] }) {
  const { missing } = data;
  const names = missing.map(({ pool, arm, seed }) => `${pool}/${arm}/${seed}`);
  const links = [
    ...(pools.length > 1 ? [{ id: 'pools', title: 'By pool' }] : []),
    ...pools.map(({ id, title }) => ({
      id: `pool-${id}`,
      title: pools.length > 1 ? title : 'Results',
    })),
    { id: 'definitions', title: 'What the figures mean' },
    { id: 'settings', title: 'Settings' },
  ];
  return (
    <header class="top">
      <h1>{visible(data.name)}</h1>
      {data.generatedAt === null ? null : <p class="dim">{data.generatedAt}</p>}
      <RunFacts data={data} />
      <p class="dim small">The same figures again:</p>
      <pre class="command" {...scrollBox('Command that makes these figures again')}>
        <code>{visible(data.command)}</code>
      </pre>
      {missing.length === 0 ? null : (
        <Warning>
          {plural(missing.length, 'cell')} of the matrix without a result:{' '}
          {visible(names.slice(0, 12).join(', '))}
          {names.length > 12 ? ' and more' : ''}. Figures are over the seeds that are there.
        </Warning>
      )}
      <nav aria-label="Sections">
        <ul>
          {links.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{visible(title)}</a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function RunFacts({ data }: { data: BenchData }) {
  const facts: [string, string][] = [
    ['Seeds', data.seeds.join(', ')],
    [
      'Budget',
      data.budget === null ? 'none: every run takes its steps' : `${whole(data.budget)} rollouts`,
    ],
    ...(data.testPrompts === null || data.k === null
      ? []
      : [
          [
            'Measured on',
            `${whole(data.testPrompts)} held-out questions, avg@${data.k}`,
          ] satisfies [string, string],
        ]),
    ['Version', `pivottrace ${data.version}`],
    ...(data.machine === null ? [] : [['Machine', data.machine] satisfies [string, string]]),
  ];
  return <Facts facts={facts} />;
}

function Settings({ data }: { data: BenchData }) {
  const arms = new Map(data.pools.flatMap(({ arms }) => arms.map((arm) => [arm.id, arm] as const)));
  return (
    <Section id="settings" title="Settings">
      <SettingList title="All arms" settings={data.base} />
      {data.pools
        .filter(({ settings }) => settings.length > 0)
        .map(({ id, title, settings }) => (
          <SettingList key={id} title={`Pool ${title}`} settings={settings} />
        ))}
      {[...arms.values()].map(({ id, title, settings }) => (
        <SettingList key={id} title={`${title} (${id})`} settings={settings} />
      ))}
    </Section>
  );
}

function SettingList({ title, settings }: { title: string; settings: readonly Setting[] }) {
  const text = settings.map(([key, value]) => `${key}: ${value}`).join('\n');
  return (
    <>
      <h3>{visible(title)}</h3>
      <pre class="command" {...scrollBox(`Settings: ${visible(title)}`)}>
        <code>{visible(text)}</code>
      </pre>
    </>
  );
}
