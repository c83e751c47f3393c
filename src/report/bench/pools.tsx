/** @jsxImportSource preact */
/** The pools beside each other: what an arm gains as a pool holds more that teaches nothing. */
import type { ComponentChildren } from 'preact';
import { type ArmStyle, styleOf } from '../arms.ts';
import { type Axis, Figure, LineLegend } from '../charts/frame.tsx';
import { Lines, type Series } from '../charts/lines.tsx';
import { extent } from '../charts/scale.ts';
import type { Estimate } from '../data.ts';
import { DASH, percent, visible } from '../format.ts';
import { EstimateCell, Head, Num, Section, Table } from '../sections/parts.tsx';
import type { ArmResult, BenchData, PoolResult } from './data.ts';
import { isPivot } from './styles.ts';
import { RatioCell } from './tables.tsx';
import { pointsBetween, ratioOf, times } from './words.ts';

const BANDS =
  'Bands: 95 % intervals, of the arms named after pivots where there are many; the table has all.';

/** With more bands than this nothing can be seen. */
const MOST_BANDS = 3;

interface Props {
  data: BenchData;
  pools: readonly PoolResult[];
  styles: ReadonlyMap<string, ArmStyle>;
}

export function PoolsSection(props: Props) {
  const { data, pools } = props;
  const ids = [...new Set(pools.flatMap(({ arms }) => arms.map(({ id }) => id)))].filter(
    (id) => id !== data.reference,
  );
  return (
    <Section id="pools" title="By pool">
      <LineLegend
        items={ids.map((id) => ({
          label: titleIn(pools, id),
          style: styleOf(props.styles, id),
        }))}
      />
      <Over
        {...props}
        ids={ids}
        heading="How many times fewer rollouts"
        caption={`Until the reference’s final accuracy in the same pool; geometric mean over seeds. Arms of which no seed had it are left out. ${BANDS}`}
        of={(arm) => {
          const ratio = ratioOf(arm, data.reference, 'rollouts');
          return ratio === null || ratio === 'never' ? null : ratio.estimate;
        }}
        level={{ y: 1, label: 'as many as the reference' }}
        format={times}
        unit="rollouts of the reference / of the arm"
      />
      <PoolsTable
        {...props}
        caption="How many times fewer rollouts until the reference’s final accuracy in the same pool"
      >
        {(arm) => <RatioCell arm={arm} data={data} which="rollouts" />}
      </PoolsTable>
      <Over
        {...props}
        ids={ids}
        heading="Final accuracy minus that of the reference"
        caption={`Points of accuracy, paired by seed. ${BANDS}`}
        of={(arm) => arm.minusReference?.difference ?? null}
        level={{ y: 0, label: 'as good as the reference' }}
        format={pointsBetween}
        unit="points of accuracy"
      />
      <PoolsTable {...props} caption="Final accuracy minus that of the reference, points">
        {(arm) => (
          <EstimateCell estimate={arm.minusReference?.difference ?? null} format={pointsBetween} />
        )}
      </PoolsTable>
    </Section>
  );
}

function titleIn(pools: readonly PoolResult[], id: string): string {
  const arms = pools.flatMap((pool) => pool.arms);
  return visible(arms.find((arm) => arm.id === id)?.title ?? id);
}

function Over(
  props: Props & {
    ids: readonly string[];
    heading: string;
    caption: string;
    of: (arm: ArmResult) => Estimate | null;
    level: { y: number; label: string };
    format: (value: number) => string;
    unit: string;
  },
) {
  const { pools, ids, styles, format, level } = props;
  const found = (pool: PoolResult, id: string): Estimate | null => {
    const arm = pool.arms.find((one) => one.id === id);
    return arm === undefined ? null : props.of(arm);
  };
  const values = pools.flatMap((pool) => ids.map((id) => found(pool, id)?.value));
  const domain = extent([level.y, ...values], 0.25);
  const within = (value: number | null | undefined) =>
    value == null ? null : Math.min(domain[1], Math.max(domain[0], value));
  const isBanded = (id: string) => ids.length <= MOST_BANDS || isPivot(id);
  const places = placesOf(pools);
  const series = ids.map(
    (id): Series => ({
      label: titleIn(pools, id),
      style: styleOf(styles, id),
      points: places.order.map(({ pool, x }) => {
        const estimate = found(pool, id);
        const value = estimate?.value;
        const hint =
          value === undefined ? {} : { hint: `${visible(pool.title)}: ${format(value)}` };
        if (!isBanded(id)) return { x, y: value, ...hint };
        return { x, y: value, low: within(estimate?.low), high: within(estimate?.high), ...hint };
      }),
    }),
  );
  if (!series.some(({ points }) => points.some(({ y }) => y !== undefined))) return null;
  return (
    <Figure heading={props.heading} caption={props.caption}>
      <Lines
        describe={`${props.heading}, by pool`}
        x={places.axis}
        y={{ label: props.unit, domain, format }}
        series={series}
        level={level}
        marks
      />
    </Figure>
  );
}

/** By redundancy where every pool says its own, else in the order of the file. */
function placesOf(pools: readonly PoolResult[]): {
  order: { pool: PoolResult; x: number }[];
  axis: Axis;
} {
  const known = pools.flatMap((pool) =>
    pool.redundancy === null ? [] : [{ pool, x: pool.redundancy }],
  );
  if (known.length === pools.length) {
    const order = known.sort((a, b) => a.x - b.x);
    return {
      order,
      axis: {
        label: 'mastered or hopeless prompts, share of the pool',
        domain: extent(
          order.map(({ x }) => x),
          0.04,
        ),
        format: (value) => percent(value, 0),
      },
    };
  }
  return {
    order: pools.map((pool, x) => ({ pool, x })),
    axis: {
      label: 'pool',
      domain: [0, Math.max(1, pools.length - 1)],
      format: (value) => visible(pools[value]?.title ?? ''),
    },
  };
}

/** Arms down, pools across. */
function PoolsTable({
  data,
  pools,
  styles,
  caption,
  children,
}: Props & { caption: string; children: (arm: ArmResult) => ComponentChildren }) {
  const ids = [...new Set(pools.flatMap(({ arms }) => arms.map(({ id }) => id)))];
  return (
    <Table caption={caption}>
      <Head columns={['Arm', ...pools.map((pool) => `#${visible(pool.title)}`)]} />
      <tbody>
        {ids
          .filter((id) => id !== data.reference)
          .map((id) => (
            <tr key={id}>
              <th scope="row">
                <span class={`key c-${styleOf(styles, id).tone}`} /> {titleIn(pools, id)}
              </th>
              {pools.map((pool) => {
                const arm = pool.arms.find((one) => one.id === id);
                return arm === undefined ? <Num key={pool.id}>{DASH}</Num> : children(arm);
              })}
            </tr>
          ))}
      </tbody>
    </Table>
  );
}
