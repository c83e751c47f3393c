/** @jsxImportSource preact */
/** How well people agree with each other and with known answers, and how fast they are. */
import { DASH, decimal, percent, whole } from '../../../src/report/format.ts';
import { Head, Num, Table } from '../../../src/report/sections/parts.tsx';
import type { WireFigures } from '../../../src/server/wire.ts';
import { adminCalls } from '../../calls.ts';
import { Empty, Loaded, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';

export function Figures() {
  const remote = useRemote((signal) => adminCalls.figures(signal), { topics: ['queue', 'labels'] });
  return (
    <Panel id="figures" title="Figures">
      <Loaded of={remote}>
        {(figures) => (
          <>
            <Agreement of={figures.agreement} />
            {figures.annotators.length === 0 ? (
              <Empty>Nobody has answered a question yet.</Empty>
            ) : (
              <Annotators of={figures.annotators} />
            )}
            {figures.checks.length === 0 ? null : <Checks of={figures.checks} />}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Agreement({ of }: { of: WireFigures['agreement'] }) {
  if (of === null)
    return (
      <p class="dim">
        Agreement is known once two people have answered the same question (
        <code>serve.overlap</code>).
      </p>
    );
  const tiles = [
    ['Pairs that agree', percent(of.percent), `over ${whole(of.questions)} questions`],
    ['Krippendorff’s alpha', decimal(of.krippendorff), 'any number of people'],
    ['Fleiss’ kappa', decimal(of.fleiss), 'equally many each'],
    ['Cohen’s kappa', decimal(of.cohen), 'two people'],
  ] as const;
  return (
    <dl class="tiles">
      {tiles.map(([name, value, under]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            <span>{value === DASH ? `undefined here (${under})` : under}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Checks({ of }: { of: WireFigures['checks'] }) {
  return (
    <Table caption="Labels that people answered again without knowing it">
      <Head
        columns={['Labels of', '#Checked', '#Answered otherwise', '#To be ruled on', '#Wrong']}
      />
      <tbody>
        {of.map(({ source, checked, differing, open, wrong, rate }) => (
          <tr key={source}>
            <th scope="row">
              <Foreign text={source} />
            </th>
            <Num>{whole(checked)}</Num>
            <Num>{whole(differing)}</Num>
            <Num>{whole(open)}</Num>
            <Num
              under={
                rate === null
                  ? null
                  : `${whole(wrong)} of ${whole(checked - open)}; 95 %: ${percent(rate.low)} to ${percent(rate.high)}`
              }
            >
              {rate === null ? DASH : percent(rate.value)}
            </Num>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Annotators({ of }: { of: WireFigures['annotators'] }) {
  return (
    <Table caption="What people answered; taken back answers are left out">
      <Head
        columns={[
          'Name',
          '#Answers',
          '#Skips',
          '#Right on known',
          '#Looked at the model’s',
          '#Median time',
        ]}
      />
      <tbody>
        {of.map((one) => (
          <tr key={one.annotator}>
            <th scope="row">
              <Foreign text={one.name} />
            </th>
            <Num>{whole(one.answers)}</Num>
            <Num>{whole(one.skips)}</Num>
            <Num
              under={
                one.gold.answered === 0
                  ? null
                  : `${whole(one.gold.right)} of ${whole(one.gold.answered)}`
              }
            >
              {one.gold.answered === 0 ? DASH : percent(one.gold.right / one.gold.answered, 0)}
            </Num>
            <Num>{whole(one.revealed)}</Num>
            <Num>{one.medianSeconds === null ? DASH : `${decimal(one.medianSeconds, 1)} s`}</Num>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
