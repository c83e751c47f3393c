/** @jsxImportSource preact */
/**
 * Lines over a common axis: one line per series with an optional interval band, marks, and the
 * series' name at its end in the wide drawing.
 */
import type { ArmStyle } from '../arms.ts';
import { clip, isKnown, type Maybe } from '../format.ts';
import { type Area, type Axis, Plot, Shape } from './frame.tsx';
import { bandOf, pathOf, px, spread, thin } from './scale.ts';

export interface LinePoint {
  x: Maybe;
  y: Maybe;
  low?: Maybe;
  high?: Maybe;
  /** Shown when the pointer rests on the mark. */
  hint?: string;
}

export interface Series {
  label: string;
  style: ArmStyle;
  points: LinePoint[];
}

export interface LinesProps {
  describe: string;
  x: Axis;
  y: Axis;
  series: Series[];
  /** Draw as steps: a value holds until the next one. */
  steps?: boolean;
  /** Draw a mark at every point (for few points). */
  marks?: boolean;
  small?: boolean;
  /** A level to compare with, e.g. the reference's final accuracy. */
  level?: { y: number; label: string } | null;
}

interface Known {
  x: number;
  y: number;
  low: number;
  high: number;
  hint: string | undefined;
}

const MOST_POINTS = 240;

/** Line chart; points with a missing coordinate are left out and the line goes on over them. */
export function Lines(props: LinesProps) {
  const series = props.series.map((one) => ({ ...one, known: knownPoints(one.points) }));
  const drawn = series.filter((one) => one.known.length > 0);
  return (
    <Plot
      describe={props.describe}
      x={props.x}
      y={props.y}
      small={props.small ?? false}
      labelRoom={190}
      draw={(area) => (
        <>
          <Level area={area} level={props.level ?? null} />
          {drawn.map((one) => (
            <Line
              key={one.label}
              area={area}
              style={one.style}
              points={one.known}
              steps={props.steps ?? false}
              marks={props.marks ?? false}
            />
          ))}
          {area.wide ? <EndLabels area={area} series={drawn} /> : null}
        </>
      )}
    />
  );
}

function knownPoints(points: readonly LinePoint[]): Known[] {
  const known: Known[] = [];
  for (const { x, y, low, high, hint } of points) {
    if (!isKnown(x) || !isKnown(y)) continue;
    known.push({ x, y, low: isKnown(low) ? low : y, high: isKnown(high) ? high : y, hint });
  }
  return thin(known, MOST_POINTS);
}

function Line(props: {
  area: Area;
  style: ArmStyle;
  points: Known[];
  steps: boolean;
  marks: boolean;
}) {
  const { area, style, points } = props;
  const at = (x: number, y: number) => ({ x: area.x.at(x), y: area.y.at(y) });
  const banded = points.some((p) => p.high > p.low);
  return (
    <g class={`c-${style.tone}`}>
      {banded ? (
        <path
          class="band"
          d={bandOf(
            points.map((p) => at(p.x, p.high)),
            points.map((p) => at(p.x, p.low)),
          )}
        />
      ) : null}
      <path
        class={area.wide ? 'curve' : 'curve thin'}
        stroke-dasharray={style.dash}
        d={pathOf(
          points.map((p) => at(p.x, p.y)),
          props.steps,
        )}
      />
      {props.marks || points.length === 1
        ? points.map((p) => (
            <Shape
              key={p.x}
              mark={style.mark}
              x={area.x.at(p.x)}
              y={area.y.at(p.y)}
              size={area.wide ? 3.6 : 2.8}
              class="dot"
            >
              {p.hint === undefined ? null : <title>{p.hint}</title>}
            </Shape>
          ))
        : null}
    </g>
  );
}

function Level({ area, level }: { area: Area; level: { y: number; label: string } | null }) {
  if (level === null || !isKnown(level.y)) return null;
  const y = area.y.at(level.y);
  return (
    <g>
      <path class="rule" d={`M${area.left},${px(y)}H${px(area.right)}`} />
      <text class="strong" x={area.left + 4} y={px(y - 5)}>
        {area.wide ? level.label : ''}
      </text>
    </g>
  );
}

function EndLabels({
  area,
  series,
}: {
  area: Area;
  series: { label: string; style: ArmStyle; known: Known[] }[];
}) {
  const ends = series.map((one) => one.known.at(-1) ?? { x: 0, y: 0 });
  const places = spread(
    ends.map((end) => area.y.at(end.y) + 4),
    15,
    area.top + 4,
    area.bottom,
  );
  return (
    <g>
      {series.map((one, i) => {
        const end = ends[i] ?? { x: 0, y: 0 };
        const y = places[i] ?? 0;
        const from = `M${px(area.x.at(end.x) + 5)},${px(area.y.at(end.y))}`;
        return (
          <g key={one.label} class={`c-${one.style.tone}`}>
            <path class="leader" d={`${from}L${px(area.right + 6)},${px(y - 4)}`} />
            <text class="tag" x={px(area.right + 9)} y={px(y)}>
              {clip(one.label, 26)}
            </text>
          </g>
        );
      })}
    </g>
  );
}
