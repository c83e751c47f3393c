/** @jsxImportSource preact */
/** Labels of an account: how many, whose, what is left, and how they were used as training went on and as people answered. */
import { Figure } from '../../../src/report/charts/frame.tsx';
import { Lines } from '../../../src/report/charts/lines.tsx';
import { extent } from '../../../src/report/charts/scale.ts';
import { decimal, percent, whole } from '../../../src/report/format.ts';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import { labelFigures, type WireLabelFigures } from '../../../src/server/wire-dashboard.ts';
import { get } from '../../api.ts';
import { Loaded, Meter, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { labelSteps } from './curves.ts';
import { styleAt } from './styles.ts';

export function LabelsPanel({ account }: { account: string }) {
  const figures = useRemote(
    (signal) =>
      get(`/api/dashboard/labels?account=${encodeURIComponent(account)}`, labelFigures, {
        signal,
      }),
    { key: account, topics: ['labels'] },
  );
  return (
    <Panel id="labels" title="Labels">
      <Loaded of={figures}>{(value) => <Labels figures={value} />}</Loaded>
    </Panel>
  );
}

function Labels({ figures }: { figures: WireLabelFigures }) {
  const { owned, budget, sources, account } = figures;
  return (
    <>
      <p class="lead-figure">
        <strong>{whole(owned)}</strong>{' '}
        {budget === null
          ? 'labels'
          : `of ${whole(budget)} labels (${percent(owned / Math.max(1, budget), 0)})`}{' '}
        <span class="dim small">
          account <Foreign text={account} />
          {budget === null ? ', no limit known here' : ''}
        </span>
      </p>
      {budget === null ? null : <Meter label="Label budget used" value={owned} of={budget} />}
      {sources.length === 0 ? (
        <p class="missing">No label yet.</p>
      ) : (
        <Table caption="By source">
          <Head columns={['Source', '#Labels', '#Cost']} />
          <tbody>
            {sources.map(({ source, labels, cost }) => (
              <tr key={source}>
                <th scope="row">
                  <Foreign text={source} />
                </th>
                <td class="n">{whole(labels)}</td>
                <td class="n">{decimal(cost, Number.isInteger(cost) ? 0 : 2)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <div class="charts">
        <Steps figures={figures} />
        <Pace figures={figures} />
      </div>
    </>
  );
}

function Steps({ figures }: { figures: WireLabelFigures }) {
  const runs = labelSteps(figures.use);
  if (runs.length === 0) return null;
  const points = runs.flatMap((run) => run.points);
  return (
    <Figure
      heading="Labels over training steps"
      caption="Those bought before training stand at step 0."
    >
      <Lines
        describe="Labels bought over training steps, by run"
        x={{ label: 'steps', domain: extent(points.map(({ x }) => x)) }}
        y={{
          label: 'labels, cumulative',
          domain: extent([0, ...points.map(({ y }) => y)], 0.06, [0, Infinity]),
        }}
        series={runs.map(({ run, points: own }, i) => ({
          label: run,
          style: styleAt(i),
          points: own,
        }))}
        steps
        small
      />
    </Figure>
  );
}

const HOUR = 3_600_000;

function Pace({ figures: { pace } }: { figures: WireLabelFigures }) {
  const last = pace.at(-1);
  if (last === undefined) return null;
  let sum = 0;
  const points = pace.map(({ at, answers }) => {
    sum += answers;
    return { x: (at - last.at) / HOUR, y: sum };
  });
  return (
    <Figure heading="Answers at the desk" caption="The last 14 days; people and teachers.">
      <Lines
        describe="Answers given over time, cumulative"
        x={{ label: 'hours before the last', domain: extent(points.map(({ x }) => x)) }}
        y={{ label: 'answers, cumulative', domain: [0, sum * 1.06] }}
        series={[
          {
            label: 'answers',
            style: styleAt(0),
            points: [{ x: (points[0]?.x ?? 0) - 1, y: 0 }, ...points],
          },
        ]}
        steps
        small
      />
    </Figure>
  );
}
