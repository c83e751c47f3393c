/** @jsxImportSource preact */
/**
 * Training curves of every arm.
 */
import { type ArmStyle, styleOf } from '../arms.ts';
import { Figure, LineLegend } from '../charts/frame.tsx';
import { type LinePoint, Lines, type Series } from '../charts/lines.tsx';
import { extent, trailingMean } from '../charts/scale.ts';
import type { Comparison, TrainingCurve } from '../data.ts';
import { averageAt, decimal, isKnown, type Maybe, percent, visible, whole } from '../format.ts';
import { Missing, Section } from './parts.tsx';

interface Props {
  training: TrainingCurve[] | null;
  comparison: Comparison | null;
  styles: ReadonlyMap<string, ArmStyle>;
}

export function Training({ training, comparison, styles }: Props) {
  const curves = (training ?? []).filter((c) => c.evaluations.length > 0 || c.steps.length > 0);
  return (
    <Section id="training" title="Training">
      {curves.length === 0 ? (
        <Missing what="No training run has logged anything yet." command="pivottrace train" />
      ) : (
        <>
          <LineLegend
            items={curves.map((c) => ({ label: visible(c.label), style: styleOf(styles, c.id) }))}
          />
          <Accuracy curves={curves} comparison={comparison} styles={styles} />
          <Small curves={curves} styles={styles} />
        </>
      )}
    </Section>
  );
}

type Part = { curves: TrainingCurve[]; styles: ReadonlyMap<string, ArmStyle> };

function series(part: Part, points: (curve: TrainingCurve) => LinePoint[]): Series[] {
  return part.curves.map((curve) => ({
    label: visible(curve.label),
    style: styleOf(part.styles, curve.id),
    points: points(curve),
  }));
}

function Accuracy({ curves, comparison, styles }: Part & { comparison: Comparison | null }) {
  const evaluations = curves.flatMap((curve) => curve.evaluations);
  if (evaluations.length === 0) {
    return (
      <Missing what="No arm has been evaluated while it trained." command="pivottrace train" />
    );
  }
  const metric = averageAt(comparison?.k);
  const full = comparison?.arms.find((arm) => arm.id === comparison.reference)?.avgAtK ?? null;
  const level =
    full !== null && isKnown(full.value)
      ? { y: full.value, label: 'final accuracy of full supervision' }
      : null;
  const y = {
    label: `${metric} on the test prompts`,
    format: (v: number) => percent(v, 0),
    domain: extent(
      [...evaluations.flatMap((e) => [e.avgAtK, e.low, e.high]), level?.y],
      0.08,
      [0, 1],
    ),
  };
  const first = curves.find((curve) => curve.kind === 'pivottrace');
  const banded = (curve: TrainingCurve) => curve === first || curve.id === comparison?.reference;
  const over = (of: 'step' | 'rollouts') =>
    series({ curves, styles }, (curve) =>
      curve.evaluations.map((e) => ({
        x: e[of],
        y: e.avgAtK,
        low: banded(curve) ? e.low : null,
        high: banded(curve) ? e.high : null,
        hint: `${visible(curve.label)}, step ${whole(e.step)}: ${percent(e.avgAtK)}, greedy ${percent(e.greedy)}, ${whole(e.rollouts)} rollouts, ${whole(e.labelsUsed)} labels`,
      })),
    );
  return (
    <>
      <Figure
        heading="Accuracy over optimisation steps"
        caption="Bands: 95 % intervals over test prompts, drawn for PivotTrace and full supervision only; the table above has the final interval of every arm."
      >
        <Lines
          describe={`${metric} of every arm over optimisation steps`}
          x={{ label: 'optimisation steps', domain: extent(evaluations.map((e) => e.step)) }}
          y={y}
          series={over('step')}
          level={level}
          marks
        />
      </Figure>
      <Figure
        heading="Accuracy over rollouts"
        caption="What generation costs: every response made for an arm, with those for scoring and probing before the first step."
      >
        <Lines
          describe={`${metric} of every arm over rollouts generated`}
          x={{
            label: 'rollouts generated',
            domain: extent([0, ...evaluations.map((e) => e.rollouts)]),
          }}
          y={y}
          series={over('rollouts')}
          level={level}
          marks
        />
      </Figure>
    </>
  );
}

type StepKey = 'reward' | 'fracRewardZeroStd' | 'entropy' | 'meanLength' | 'labelsUsed';

const PANELS: { key: StepKey; heading: string; unit: string; format?: (v: number) => string }[] = [
  { key: 'labelsUsed', heading: 'Labels used', unit: 'labels, cumulative' },
  { key: 'reward', heading: 'Reward', unit: 'mean reward per response' },
  {
    key: 'fracRewardZeroStd',
    heading: 'Groups without a gradient',
    unit: 'share of groups with equal rewards',
    format: (v) => percent(v, 0),
  },
  { key: 'entropy', heading: 'Entropy', unit: 'nats per token' },
  { key: 'meanLength', heading: 'Response length', unit: 'tokens' },
];

function Small({ curves, styles }: Part) {
  const longest = Math.max(1, ...curves.map((curve) => curve.steps.length));
  const window = Math.max(1, Math.round(longest / 20));
  return (
    <>
      <h3>While training</h3>
      <p class="small dim">
        Colours as above.{' '}
        {window > 1 ? `Lines are means over the last ${window} steps, except labels.` : ''} Reward
        is what each arm trains on: arms with pseudo-labels are not comparable by it.
      </p>
      <div class="charts small-multiples">
        {PANELS.map((panel) => (
          <Panel key={panel.key} panel={panel} curves={curves} styles={styles} window={window} />
        ))}
        <Greedy curves={curves} styles={styles} />
      </div>
    </>
  );
}

function Panel(props: Part & { panel: (typeof PANELS)[number]; window: number }) {
  const { panel, curves } = props;
  const smooth = panel.key === 'labelsUsed' ? 1 : props.window;
  const lines = series(props, (curve) => {
    const means = trailingMean(
      curve.steps.map((s) => s[panel.key]),
      smooth,
    );
    return curve.steps.map((s, i) => ({ x: s.step, y: means[i] }));
  });
  const floor: Maybe[] = panel.key === 'labelsUsed' ? [0] : [];
  const values = [...floor, ...lines.flatMap((line) => line.points.map((p) => p.y))];
  const steps = curves.flatMap((curve) => curve.steps.map((s) => s.step));
  if (!lines.some((line) => line.points.some((p) => isKnown(p.y)))) return null;
  const domain = extent(values, 0.08, panel.key === 'fracRewardZeroStd' ? [0, 1] : [0, Infinity]);
  return (
    <Figure heading={panel.heading}>
      <Lines
        describe={`${panel.heading} of every arm over steps, between ${decimal(domain[0])} and ${decimal(domain[1])}`}
        x={{ label: 'steps', domain: extent(steps) }}
        y={{ label: panel.unit, domain, ...(panel.format ? { format: panel.format } : {}) }}
        series={lines}
        steps={panel.key === 'labelsUsed'}
        small
      />
    </Figure>
  );
}

function Greedy({ curves, styles }: Part) {
  const lines = series({ curves, styles }, (curve) =>
    curve.evaluations.map((e) => ({ x: e.step, y: e.greedy })),
  );
  const points = lines.flatMap((line) => line.points);
  if (!points.some((p) => isKnown(p.y))) return null;
  return (
    <Figure heading="Greedy accuracy">
      <Lines
        describe="Accuracy of greedy decoding of every arm over steps"
        x={{ label: 'steps', domain: extent(points.map((p) => p.x)) }}
        y={{
          label: 'test prompts right',
          domain: extent(
            points.map((p) => p.y),
            0.08,
            [0, 1],
          ),
          format: (v) => percent(v, 0),
        }}
        series={lines}
        marks
        small
      />
    </Figure>
  );
}
