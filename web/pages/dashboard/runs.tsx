/** @jsxImportSource preact */
/** Training runs and their curves, which grow as the runs log: only what is new is fetched. */
import { useRef, useState } from 'preact/hooks';
import { Figure, LineLegend } from '../../../src/report/charts/frame.tsx';
import { Lines, type Series } from '../../../src/report/charts/lines.tsx';
import { extent, trailingMean } from '../../../src/report/charts/scale.ts';
import {
  clip,
  duration,
  isKnown,
  percent,
  short,
  visible,
  whole,
} from '../../../src/report/format.ts';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import { type StepColumn, type WireRun, wireRuns } from '../../../src/server/wire-dashboard.ts';
import { get } from '../../api.ts';
import { Empty, Loaded, Meter, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { grown, versionsOf } from './curves.ts';
import { styleAt } from './styles.ts';

/** Runs whose curves are shown until people choose. */
const SHOWN = 6;

export function RunsPanel() {
  const held = useRef<WireRun[]>([]);
  const remote = useRemote(
    async (signal) => {
      const query = new URLSearchParams({ known: versionsOf(held.current) });
      const { runs } = await get(`/api/dashboard/runs?${query}`, wireRuns, { signal });
      held.current = grown(held.current, runs);
      return held.current;
    },
    { topics: ['runs'] },
  );
  return (
    <Panel id="runs" title="Training runs">
      <Loaded of={remote}>{(runs) => <Runs runs={runs} />}</Loaded>
    </Panel>
  );
}

function Runs({ runs }: { runs: WireRun[] }) {
  const [chosen, setChosen] = useState<readonly string[] | null>(null);
  const logged = runs.filter(({ step, evaluations }) => step !== null || evaluations.length > 0);
  if (runs.length === 0)
    return (
      <Empty>
        No run yet. <code>pivottrace train</code> starts one.
      </Empty>
    );
  const shown = chosen ?? usual(logged);
  const drawn = logged.filter(({ name }) => shown.includes(name));
  const toggle = (name: string) =>
    setChosen(shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name]);
  return (
    <>
      <RunTable runs={runs} shown={shown} onToggle={toggle} />
      {drawn.length === 0 ? null : <Curves runs={drawn} />}
    </>
  );
}

/** Those that run, then the others, as many as can be told apart. */
function usual(runs: readonly WireRun[]): string[] {
  const running = runs.filter(({ status }) => status === 'running');
  const others = runs.filter(({ status }) => status !== 'running');
  return [...running, ...others].slice(0, SHOWN).map(({ name }) => name);
}

function RunTable(props: {
  runs: readonly WireRun[];
  shown: readonly string[];
  onToggle: (name: string) => void;
}) {
  return (
    <Table caption="All runs; the ticked ones are drawn below">
      <Head
        columns={[
          'Run',
          'State',
          'Steps',
          '#Labels',
          '#Rollouts',
          '#Tokens',
          '#Time in steps',
          '#Last evaluation',
        ]}
      />
      <tbody>
        {props.runs.map((run) => (
          <tr key={run.name}>
            <th scope="row">
              <label class="check">
                <input
                  type="checkbox"
                  checked={props.shown.includes(run.name)}
                  onChange={() => props.onToggle(run.name)}
                />
                <Foreign text={run.name} />
              </label>
            </th>
            <td>
              <span class={`state-${run.status}`}>{run.status}</span>
            </td>
            <td>
              {whole(run.step ?? 0)}
              {run.planned === null ? null : ` of ${whole(run.planned)}`}
              {run.planned === null ? null : (
                <Meter
                  label={`Steps of ${visible(run.name)}`}
                  value={run.step ?? 0}
                  of={run.planned}
                />
              )}
            </td>
            <td class="n">{whole(run.labels)}</td>
            <td class="n">{short(run.rollouts)}</td>
            <td class="n">{short(run.tokens)}</td>
            <td class="n">{duration(run.seconds)}</td>
            <td class="n">{percent(run.evaluations.at(-1)?.average)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

const panels: { key: StepColumn; heading: string; unit: string; share?: boolean }[] = [
  { key: 'reward', heading: 'Reward', unit: 'mean reward per response' },
  { key: 'labels_used', heading: 'Labels used', unit: 'labels, cumulative' },
  {
    key: 'frac_reward_zero_std',
    heading: 'Groups without a gradient',
    unit: 'share of groups with equal rewards',
    share: true,
  },
  { key: 'entropy', heading: 'Entropy', unit: 'nats per token' },
  { key: 'completions/mean_length', heading: 'Response length', unit: 'tokens' },
];

function Curves({ runs }: { runs: readonly WireRun[] }) {
  const longest = Math.max(1, ...runs.map(({ points }) => points.steps.length));
  const window = Math.max(1, Math.round(longest / 20));
  return (
    <>
      <LineLegend
        items={runs.map(({ name }, i) => ({ label: clip(visible(name), 60), style: styleAt(i) }))}
      />
      <Accuracy runs={runs} />
      <p class="small dim">
        {window > 1 ? `Lines below are means over ${window} steps, except labels. ` : ''}
        Reward is what each run trains on: runs with pseudo-labels are not comparable by it.
      </p>
      <div class="charts small-multiples">
        {panels.map((panel) => (
          <Small key={panel.key} panel={panel} runs={runs} window={window} />
        ))}
      </div>
    </>
  );
}

function Accuracy({ runs }: { runs: readonly WireRun[] }) {
  const series: Series[] = runs.map(({ name, evaluations }, i) => ({
    label: name,
    style: styleAt(i),
    points: evaluations.map(({ step, average, labels, rollouts }) => ({
      x: step,
      y: average,
      hint: `${visible(name)}, step ${whole(step)}: ${percent(average)}, ${whole(labels)} labels, ${whole(rollouts)} rollouts`,
    })),
  }));
  const points = series.flatMap((one) => one.points).filter(({ y }) => isKnown(y));
  if (points.length === 0) return null;
  return (
    <Figure heading="Accuracy on held-out prompts">
      <Lines
        describe="Accuracy of every run over steps"
        x={{ label: 'steps', domain: extent(points.map(({ x }) => x)) }}
        y={{
          label: 'average accuracy',
          domain: extent(
            points.map(({ y }) => y),
            0.08,
            [0, 1],
          ),
          format: (value) => percent(value, 0),
        }}
        series={series}
        marks
      />
    </Figure>
  );
}

function Small(props: {
  panel: (typeof panels)[number];
  runs: readonly WireRun[];
  window: number;
}) {
  const { panel, runs } = props;
  const window = panel.key === 'labels_used' ? 1 : props.window;
  const series: Series[] = runs.map(({ name, points }, i) => {
    const values = trailingMean(points.columns[panel.key] ?? [], window);
    return {
      label: name,
      style: styleAt(i),
      points: points.steps.map((step, at) => ({ x: step, y: values[at] ?? null })),
    };
  });
  const all = series.flatMap((one) => one.points);
  if (!all.some(({ y }) => isKnown(y))) return null;
  const floor = panel.key === 'labels_used' ? [0] : [];
  const limits: [number, number] = panel.share ? [0, 1] : [-Infinity, Infinity];
  return (
    <Figure heading={panel.heading}>
      <Lines
        describe={`${panel.heading} of every run over steps`}
        x={{ label: 'steps', domain: extent(all.map(({ x }) => x)) }}
        y={{
          label: panel.unit,
          domain: extent([...floor, ...all.map(({ y }) => y)], 0.08, limits),
          ...(panel.share ? { format: (value: number) => percent(value, 0) } : {}),
        }}
        series={series}
        steps={panel.key === 'labels_used'}
        small
      />
    </Figure>
  );
}
