/** @jsxImportSource preact */
/** One pool: what its arms reached, how they differ, and how fast they came there. */
import { styleOf } from '../arms.ts';
import { Figure, LineLegend } from '../charts/frame.tsx';
import { plural, visible } from '../format.ts';
import { Section } from '../sections/parts.tsx';
import { Curves } from './curves.tsx';
import type { ArmResult, Paired } from './data.ts';
import { Forest, type ForestRow } from './forest.tsx';
import { Labels } from './labels.tsx';
import type { PoolProps } from './props.ts';
import { AccuracyTable, ConvergenceTable, DifferenceTable } from './tables.tsx';
import { finding, pointsBetween, titleOf } from './words.ts';

export function PoolSection(props: PoolProps) {
  const { data, pool, styles } = props;
  const size = pool.prompts === null ? '' : `, ${plural(pool.prompts, 'prompt')}`;
  const title = data.pools.length > 1 ? pool.title : 'Results';
  return (
    <Section id={`pool-${pool.id}`} title={`${visible(title)}${size}`}>
      <Findings {...props} />
      <AccuracyTable {...props} />
      <Differences {...props} />
      <LineLegend
        items={pool.arms.map(({ id, title: label }) => ({
          label: visible(label),
          style: styleOf(styles, id),
        }))}
      />
      <Curves {...props} />
      <ConvergenceTable {...props} />
      <Labels {...props} />
    </Section>
  );
}

function Findings({ data, pool }: PoolProps) {
  const reference = titleOf(pool, data.reference);
  const texts = pool.arms.flatMap((arm) => finding(arm, reference) ?? []);
  if (texts.length === 0) return null;
  return (
    <div class="verdict">
      <ul>
        {texts.map((text) => (
          <li key={text}>{visible(text)}</li>
        ))}
      </ul>
    </div>
  );
}

function Differences(props: PoolProps) {
  const { data, pool } = props;
  const { reference, random } = data;
  return (
    <>
      <DifferenceForest {...props} rival={reference} test={(arm) => arm.minusReference} />
      {random === null ? null : (
        <DifferenceForest {...props} rival={random} test={(arm) => arm.minusRandom} />
      )}
      {pool.arms.some((arm) => arm.minusReference ?? arm.minusRandom) ? (
        <DifferenceTable {...props} />
      ) : null}
    </>
  );
}

function DifferenceForest(
  props: PoolProps & { rival: string; test: (arm: ArmResult) => Paired | null },
) {
  const { pool, styles, rival, test } = props;
  const rows = pool.arms.flatMap((arm): ForestRow[] => {
    const found = test(arm);
    if (found === null) return [];
    const { difference, bound } = found;
    const { value, low, high } = difference;
    const range =
      low === null || high === null ? '' : ` [${pointsBetween(low)}, ${pointsBetween(high)}]`;
    return [
      {
        id: arm.id,
        label: arm.title,
        estimate: difference,
        bound,
        text: pointsBetween(value) + range,
      },
    ];
  });
  if (rows.length === 0) return null;
  const name = visible(titleOf(pool, rival));
  return (
    <Figure
      heading={`Final accuracy minus that of ${name}`}
      caption="Points of accuracy, paired by seed: mean, 95 % interval, and a tall tick at the one-sided 95 % lower bound."
    >
      <Forest
        describe={`Difference in final accuracy of every arm to ${name}, in points`}
        rows={rows}
        styles={styles}
        axis={{ label: 'points of accuracy', at: 0, format: pointsBetween }}
      />
    </Figure>
  );
}
