/** @jsxImportSource preact */
/**
 * A forest plot: a row per arm with an estimate, its interval and a one-sided bound, over a line at nothing. Drawn
 * wide, with names at the left, and narrow, with names above their rows.
 */
import { type ArmStyle, styleOf } from '../arms.ts';
import { Shape } from '../charts/frame.tsx';
import { extent, linear, px, type Scale } from '../charts/scale.ts';
import type { Estimate } from '../data.ts';
import { clip, isKnown, visible } from '../format.ts';

export interface ForestRow {
  id: string;
  label: string;
  estimate: Estimate;
  /** One-sided lower bound; a tick on the row. */
  bound: number | null;
  /** The figures, for the end of the row. */
  text: string;
}

export interface ForestProps {
  describe: string;
  rows: readonly ForestRow[];
  styles: ReadonlyMap<string, ArmStyle>;
  /** What is measured, with its unit; `at` is where nothing differs. */
  axis: { label: string; at: number; format: (value: number) => string };
}

export function Forest(props: ForestProps) {
  return (
    <div class="plot">
      <Drawing {...props} wide={true} />
      <Drawing {...props} wide={false} />
    </div>
  );
}

interface Frame {
  left: number;
  right: number;
  top: number;
  step: number;
  width: number;
  wide: boolean;
}

const WIDE: Frame = { left: 220, right: 720, top: 12, step: 28, width: 940, wide: true };
const NARROW: Frame = { left: 12, right: 348, top: 20, step: 40, width: 360, wide: false };

function Drawing(props: ForestProps & { wide: boolean }) {
  const { rows, axis, styles } = props;
  const frame = props.wide ? WIDE : NARROW;
  const bottom = frame.top + rows.length * frame.step;
  const ends = rows.flatMap(({ estimate: e, bound }) => [e.value, e.low, e.high, bound]);
  const x = linear(extent([axis.at, ...ends], 0.05), [frame.left, frame.right], props.wide ? 7 : 4);
  return (
    <svg
      class={props.wide ? 'wide' : 'narrow'}
      viewBox={`0 0 ${frame.width} ${bottom + 44}`}
      role="img"
      aria-label={props.describe}
    >
      <path
        class="grid"
        d={x.ticks.map((t) => `M${px(x.at(t))},${frame.top}V${bottom}`).join('')}
      />
      <path class="axis" d={`M${frame.left},${bottom}H${frame.right}`} />
      <path class="rule" d={`M${px(x.at(axis.at))},${frame.top - 6}V${bottom}`} />
      {x.ticks.map((tick) => (
        <text key={tick} x={px(x.at(tick))} y={bottom + 18} text-anchor="middle">
          {axis.format(tick)}
        </text>
      ))}
      <text class="strong" x={frame.right} y={bottom + 37} text-anchor="end">
        {axis.label} →
      </text>
      {rows.map((row, i) => (
        <Row
          key={row.id}
          row={row}
          style={styleOf(styles, row.id)}
          frame={frame}
          x={x}
          top={frame.top + i * frame.step}
        />
      ))}
    </svg>
  );
}

function Row(props: { row: ForestRow; style: ArmStyle; frame: Frame; x: Scale; top: number }) {
  const { row, style, frame, x, top } = props;
  const { value, low, high } = row.estimate;
  const y = top + (frame.wide ? frame.step / 2 : 26);
  const bar =
    isKnown(low) && isKnown(high)
      ? `M${px(x.at(low))},${y}H${px(x.at(high))}M${px(x.at(low))},${y - 4}v8M${px(x.at(high))},${y - 4}v8`
      : '';
  const label = visible(row.label);
  return (
    <g class={`c-${style.tone}`}>
      {frame.wide ? (
        <text class="strong" x={frame.left - 12} y={y + 4} text-anchor="end">
          {clip(label, 32)}
        </text>
      ) : (
        <text class="strong" x={frame.left} y={top + 12}>
          {clip(label, 26)}
        </text>
      )}
      <path class="curve" d={bar} />
      {isKnown(row.bound) ? (
        <path class="curve thin" d={`M${px(x.at(row.bound))},${y - 7}v14`} />
      ) : null}
      <Shape mark={style.mark} x={x.at(value)} y={y} size={4.2} class="dot">
        <title>{`${label}: ${row.text}`}</title>
      </Shape>
      <text
        class={frame.wide ? undefined : 'strong'}
        x={frame.wide ? frame.width - 4 : frame.right}
        y={frame.wide ? y + 4 : top + 12}
        text-anchor="end"
      >
        {row.text}
      </text>
    </g>
  );
}
