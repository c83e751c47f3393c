/** @jsxImportSource preact */
/** Accuracy over rollouts: all arms in one picture, then each with its interval beside the reference. */
import { styleOf } from '../arms.ts';
import { Figure } from '../charts/frame.tsx';
import { Lines, type Series } from '../charts/lines.tsx';
import { extent } from '../charts/scale.ts';
import { averageAt, percent, visible, whole } from '../format.ts';
import type { ArmResult } from './data.ts';
import type { PoolProps } from './props.ts';
import { titleOf } from './words.ts';

export function Curves(props: PoolProps) {
  const { data, pool } = props;
  const reference = pool.arms.find(({ id }) => id === data.reference);
  const axes = axesOf(props);
  return (
    <>
      <Figure
        heading="Accuracy over rollouts"
        caption="Everything that was generated counts: scoring and probing before the first step, and every group of training. Means over seeds."
      >
        <Lines
          describe={`${axes.y.label} of every arm over rollouts`}
          {...axes}
          series={pool.arms.map((arm) => seriesOf(props, arm, false))}
          level={levelOf(props)}
        />
      </Figure>
      <h3>Each arm with its 95 % interval over seeds</h3>
      <div class="charts small-multiples">
        {pool.arms
          .filter((arm) => arm !== reference || pool.arms.length === 1)
          .map((arm) => (
            <Figure key={arm.id} heading={visible(arm.title)}>
              <Lines
                describe={`${visible(arm.title)} beside ${visible(titleOf(pool, data.reference))}, accuracy over rollouts`}
                {...axes}
                series={[
                  ...(reference === undefined || reference === arm
                    ? []
                    : [seriesOf(props, reference, true)]),
                  seriesOf(props, arm, true),
                ]}
                small
              />
            </Figure>
          ))}
      </div>
    </>
  );
}

function axesOf({ data, pool }: PoolProps) {
  const curves = pool.arms.flatMap(({ curve }) => curve);
  return {
    x: { label: 'rollouts', domain: extent([0, ...curves.map(({ rollouts }) => rollouts)]) },
    y: {
      label: `${averageAt(data.k)}, mean over seeds`,
      format: (value: number) => percent(value, 0),
      // Intervals of two or three seeds are wide: they may leave the picture, the means may not.
      domain: extent([...curves.map(({ accuracy }) => accuracy.value), pool.target], 0.18, [0, 1]),
    },
  };
}

function levelOf({ pool, data }: PoolProps): { y: number; label: string } | null {
  if (pool.target === null) return null;
  return { y: pool.target, label: `final accuracy of ${visible(titleOf(pool, data.reference))}` };
}

function seriesOf(props: PoolProps, arm: ArmResult, banded: boolean): Series {
  const [low, high] = axesOf(props).y.domain;
  const within = (value: number | null) =>
    value === null || !banded ? null : Math.min(high, Math.max(low, value));
  return {
    label: visible(arm.title),
    style: styleOf(props.styles, arm.id),
    points: arm.curve.map(({ rollouts, accuracy }) => ({
      x: rollouts,
      y: accuracy.value,
      low: within(accuracy.low),
      high: within(accuracy.high),
      hint: `${visible(arm.title)}, ${whole(rollouts)} rollouts: ${percent(accuracy.value)}`,
    })),
  };
}
