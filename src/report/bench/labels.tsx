/** @jsxImportSource preact */
/** Accuracy against the labels that it took. */
import { Figure } from '../charts/frame.tsx';
import { extent } from '../charts/scale.ts';
import { averageAt, percent, whole } from '../format.ts';
import type { ArmResult } from './data.ts';
import type { PoolProps } from './props.ts';
import { Scatter, type ScatterPoint } from './scatter.tsx';

export function Labels({ data, pool, styles }: PoolProps) {
  const prompts = pool.prompts ?? 0;
  if (prompts === 0) return null;
  const points = pool.arms.map((arm) => pointOf(arm, prompts));
  const accuracies = points.flatMap(({ y, path }) => [
    y.value,
    y.low,
    y.high,
    ...path.map((at) => at.y),
  ]);
  return (
    <Figure
      heading="Accuracy against labels"
      caption="Final accuracy with its 95 % interval over seeds, at the labels that an arm had bought by then. A line leads there from the start of training where labels were bought on the way."
    >
      <Scatter
        describe="Final accuracy of every arm against the share of the pool that was labelled"
        x={{
          label: 'labels, share of the pool',
          domain: extent([0, ...points.flatMap(({ x, path }) => [x, ...path.map((at) => at.x)])]),
          format: (value) => percent(value, 0),
        }}
        y={{
          label: `final ${averageAt(data.k)}`,
          domain: extent(accuracies, 0.08, [0, 1]),
          format: (value) => percent(value, 0),
        }}
        points={points}
        styles={styles}
      />
    </Figure>
  );
}

function pointOf(arm: ArmResult, prompts: number): ScatterPoint {
  const path = arm.curve.map(({ labels, accuracy }) => ({
    x: labels / prompts,
    y: accuracy.value,
  }));
  const grows = path.some(({ x }) => Math.abs(x - (path[0]?.x ?? x)) > 1e-9);
  return {
    id: arm.id,
    label: arm.title,
    x: arm.labelShare,
    y: arm.final,
    path: grows ? path : [],
    hint: `${percent(arm.final.value)} with ${whole(arm.labels)} labels`,
  };
}
