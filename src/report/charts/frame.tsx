/** @jsxImportSource preact */
/**
 * The frame of a chart: a figure with heading and caption, two drawings of the same data (wide and
 * narrow; the style sheet shows the one that fits, so that text keeps its size on a phone), axes and
 * grid. What is drawn inside comes from the caller as a function of the two scales.
 */
import type { ComponentChildren } from 'preact';
import type { ArmStyle, Mark } from '../arms.ts';
import { linear, px, type Scale } from './scale.ts';

export interface Axis {
  domain: readonly [number, number];
  /** What is measured, with its unit. */
  label: string;
  /** Tick text; the scale's own where missing. */
  format?: (value: number) => string;
}

/** The inner area of a drawing, in pixels of the view box, and the scales over it. */
export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
  wide: boolean;
  x: Scale;
  y: Scale;
}

export interface PlotProps {
  /** What the picture shows, for people who cannot see it. */
  describe: string;
  x: Axis;
  y: Axis;
  /** Pixels kept free at the right of the wide drawing for labels at the ends of lines. */
  labelRoom?: number;
  /** Small multiples have one, lower drawing. */
  small?: boolean;
  draw: (area: Area) => ComponentChildren;
}

/** A heading, a caption and whatever is drawn. */
export function Figure(props: {
  heading: string;
  caption?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <figure>
      <figcaption>
        <strong>{props.heading}</strong>
        {props.caption}
      </figcaption>
      {props.children}
    </figure>
  );
}

/** Axes, grid and the caller's marks, in both sizes. */
export function Plot(props: PlotProps) {
  return (
    <div class="plot">
      {props.small ? null : <Drawing {...props} wide={true} width={940} height={390} />}
      <Drawing {...props} wide={false} width={360} height={props.small ? 190 : 270} />
    </div>
  );
}

function Drawing(props: PlotProps & { wide: boolean; width: number; height: number }) {
  const { width, height, wide, x, y } = props;
  const left = 48;
  const right = width - (wide ? (props.labelRoom ?? 16) : 12);
  const top = 22;
  const bottom = height - 38;
  const area: Area = {
    left,
    right,
    top,
    bottom,
    wide,
    x: linear(x.domain, [left, right], wide ? 8 : 5),
    y: linear(y.domain, [bottom, top], props.small ? 4 : 6),
  };
  return (
    <svg
      class={wide ? 'wide' : 'narrow'}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={props.describe}
    >
      <Axes area={area} x={x} y={y} />
      {props.draw(area)}
    </svg>
  );
}

function Axes({ area, x, y }: { area: Area; x: Axis; y: Axis }) {
  const { left, right, top, bottom } = area;
  const grid = area.y.ticks.map((tick) => `M${left},${px(area.y.at(tick))}H${px(right)}`).join('');
  const marks = area.x.ticks.map((tick) => `M${px(area.x.at(tick))},${bottom}v5`).join('');
  return (
    <g>
      <path class="grid" d={grid} />
      <path class="axis" d={`M${left},${bottom}H${px(right)}${marks}`} />
      {area.y.ticks.map((tick) => (
        <text key={`y${tick}`} x={left - 7} y={px(area.y.at(tick) + 4)} text-anchor="end">
          {(y.format ?? area.y.label)(tick)}
        </text>
      ))}
      {area.x.ticks.map((tick) => (
        <text key={`x${tick}`} x={px(area.x.at(tick))} y={bottom + 19} text-anchor="middle">
          {(x.format ?? area.x.label)(tick)}
        </text>
      ))}
      <text class="strong" x={4} y={top - 10}>
        {y.label}
      </text>
      <text class="strong" x={px(right)} y={bottom + 34} text-anchor="end">
        {x.label} →
      </text>
    </g>
  );
}

/** A mark of one of four shapes, about `size` pixels in radius; `children` may hold a title. */
export function Shape(props: {
  mark: Mark;
  x: number;
  y: number;
  size: number;
  class: string;
  children?: ComponentChildren;
}) {
  const { mark, size } = props;
  const x = px(props.x);
  const y = px(props.y);
  if (mark === 'circle') {
    return (
      <circle class={props.class} cx={x} cy={y} r={size}>
        {props.children}
      </circle>
    );
  }
  const r = size * 1.25;
  const outline = {
    square: `M${px(x - size)},${px(y - size)}h${2 * size}v${2 * size}h${-2 * size}Z`,
    triangle: `M${x},${px(y - r)}L${px(x + r)},${px(y + r * 0.8)}H${px(x - r)}Z`,
    diamond: `M${x},${px(y - r)}L${px(x + r)},${y}L${x},${px(y + r)}L${px(x - r)},${y}Z`,
  }[mark];
  return (
    <path class={props.class} d={outline}>
      {props.children}
    </path>
  );
}

/** Legend of lines: a stroke with its dash pattern and mark, and the name. */
export function LineLegend({ items }: { items: { label: string; style: ArmStyle }[] }) {
  return (
    <ul class="legend">
      {items.map(({ label, style }) => (
        <li key={label} class={`c-${style.tone}`}>
          <svg viewBox="0 0 28 12" aria-hidden="true">
            <path class="curve" d="M0,6H28" stroke-dasharray={style.dash} />
            <Shape mark={style.mark} x={14} y={6} size={3.2} class="dot" />
          </svg>
          <span>{label}</span>
        </li>
      ))}
    </ul>
  );
}

/** Legend of filled areas: a square and the name. */
export function KeyLegend({ items }: { items: { label: string; tone: string }[] }) {
  return (
    <ul class="legend">
      {items.map(({ label, tone }) => (
        <li key={label} class={`c-${tone}`}>
          <span class="key" />
          <span>{label}</span>
        </li>
      ))}
    </ul>
  );
}
