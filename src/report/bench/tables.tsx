/** @jsxImportSource preact */
/** The tables of one pool. */
import { styleOf } from '../arms.ts';
import { averageAt, DASH, duration, isKnown, percent, short, visible, whole } from '../format.ts';
import { EstimateCell, Head, Num, Table } from '../sections/parts.tsx';
import type { ArmResult, Paired } from './data.ts';
import type { PoolProps } from './props.ts';
import { beforeText, neverText, pointsBetween, pValue, ratioOf, times, titleOf } from './words.ts';

export function AccuracyTable(props: PoolProps) {
  const { data, pool } = props;
  const budget = data.budget === null ? '' : ` at ${whole(data.budget)} rollouts`;
  return (
    <Table caption={`Final accuracy${budget} and what it took: means over seeds, 95 % intervals`}>
      <Head
        columns={[
          'Arm',
          `#${averageAt(data.k)}`,
          '#Greedy',
          '#Change of greedy, points',
          '#Labels',
          '#Rollouts',
          '#Tokens',
          '#Steps',
          '#Time',
          '#Seeds',
        ]}
      />
      <tbody>
        {pool.arms.map((arm) => (
          <tr key={arm.id} class={arm.id === data.reference ? 'mark' : undefined}>
            <Name {...props} arm={arm} />
            <EstimateCell estimate={arm.final} />
            <EstimateCell estimate={arm.greedy} />
            <EstimateCell estimate={arm.greedyChange} format={pointsBetween} />
            <Num under={labelsUnder(arm)}>{whole(arm.labels)}</Num>
            <Num under={beforeText(arm)}>{whole(arm.rollouts)}</Num>
            <Num>{short(Math.round(arm.tokens))}</Num>
            <Num>{whole(arm.steps)}</Num>
            <Num>{duration(arm.seconds)}</Num>
            <Num>{whole(arm.seeds.length)}</Num>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function labelsUnder({ labelShare, labelsVisited }: ArmResult): string {
  const visited = labelsVisited === null ? '' : `, ${whole(labelsVisited)} visited`;
  return `${percent(labelShare)}${visited}`;
}

function Name({ arm, styles }: PoolProps & { arm: ArmResult }) {
  const under = [arm.group, arm.note].flatMap((text) => text ?? []).join('. ');
  return (
    <th scope="row">
      <span class={`key c-${styleOf(styles, arm.id).tone}`} /> {visible(arm.title)}
      {under === '' ? null : <span class="small dim">{visible(under)}</span>}
    </th>
  );
}

export function DifferenceTable(props: PoolProps) {
  const { data, pool } = props;
  const rivals = [data.reference, ...(data.random === null ? [] : [data.random])];
  const columns = (rival: string) => [
    `#Minus ${visible(titleOf(pool, rival))}, points`,
    '#One-sided bound',
    '#p',
    '#p, Holm',
    '#p, sign flips',
  ];
  return (
    <Table caption="Differences in final accuracy, paired by seed">
      <Head columns={['Arm', ...rivals.flatMap(columns)]} />
      <tbody>
        {pool.arms.map((arm) => (
          <tr key={arm.id}>
            <Name {...props} arm={arm} />
            <TestCells test={arm.minusReference} />
            {data.random === null ? null : <TestCells test={arm.minusRandom} />}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function TestCells({ test }: { test: Paired | null }) {
  return (
    <>
      <EstimateCell estimate={test?.difference ?? null} format={pointsBetween} />
      <Num>{isKnown(test?.bound) ? pointsBetween(test.bound) : DASH}</Num>
      <Num>{pValue(test?.p ?? null)}</Num>
      <Num>{pValue(test?.holm ?? null)}</Num>
      <Num>{pValue(test?.signFlip ?? null)}</Num>
    </>
  );
}

export function ConvergenceTable(props: PoolProps) {
  const { pool, data } = props;
  if (pool.target === null) return null;
  const name = visible(titleOf(pool, data.reference));
  return (
    <Table
      caption={`Until the final accuracy of ${name}, ${percent(pool.target)}: spent, and how many times less than ${name}`}
    >
      <Head
        columns={[
          'Arm',
          '#Rollouts',
          '#Ratio',
          '#Strict bound',
          '#On the mean curves',
          '#Steps',
          '#Ratio of steps',
          '#Time',
          '#Ratio of time',
          '#Never had it',
        ]}
      />
      <tbody>
        {pool.arms.map((arm) => (
          <ConvergenceRow key={arm.id} {...props} arm={arm} />
        ))}
      </tbody>
    </Table>
  );
}

function ConvergenceRow(props: PoolProps & { arm: ArmResult }) {
  const { convergence } = props.arm;
  if (convergence === null) {
    return (
      <tr>
        <Name {...props} />
        {Array.from({ length: 9 }, (_, i) => (
          <Num key={`c${i}`}>{DASH}</Num>
        ))}
      </tr>
    );
  }
  const { at, strictBound, onMeanCurve, referenceReached, seeds } = convergence;
  const isReference = props.arm.id === props.data.reference;
  return (
    <tr class={isReference ? 'mark' : undefined}>
      <Name {...props} />
      <Num>{whole(at.rollouts)}</Num>
      <RatioCell {...props} which="rollouts" />
      <Num>{isKnown(strictBound) && !isReference ? times(strictBound) : DASH}</Num>
      <EstimateCell estimate={isReference ? null : onMeanCurve} format={times} />
      <Num>{whole(at.steps)}</Num>
      <RatioCell {...props} which="steps" />
      <Num>{duration(at.seconds)}</Num>
      <RatioCell {...props} which="seconds" />
      <Num
        under={
          isReference || referenceReached === seeds ? null : `reference ${seeds - referenceReached}`
        }
      >
        {neverText(convergence)}
      </Num>
    </tr>
  );
}

/** A ratio with its interval; an upper bound says so. */
export function RatioCell(props: {
  arm: ArmResult;
  data: { reference: string };
  which: 'rollouts' | 'steps' | 'seconds';
}) {
  const ratio = ratioOf(props.arm, props.data.reference, props.which);
  if (ratio === null || ratio === 'never') return <Num>{ratio ?? DASH}</Num>;
  const { value, low, high } = ratio.estimate;
  return (
    <Num under={isKnown(low) && isKnown(high) ? `${times(low)} to ${times(high)}` : null}>
      {`${ratio.prefix}${times(value)}`}
    </Num>
  );
}
