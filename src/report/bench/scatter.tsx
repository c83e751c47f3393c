/** @jsxImportSource preact */
/** Points with an interval up and down, and the path by which each came there. */
import { type ArmStyle, styleOf } from '../arms.ts';
import { type Axis, Plot, Shape } from '../charts/frame.tsx';
import { pathOf, px } from '../charts/scale.ts';
import type { Estimate } from '../data.ts';
import { isKnown, visible } from '../format.ts';

export interface ScatterPoint {
  id: string;
  label: string;
  x: number;
  y: Estimate;
  /** From the start to the point. */
  path: readonly { x: number; y: number }[];
  hint: string;
}

export function Scatter(props: {
  describe: string;
  x: Axis;
  y: Axis;
  points: readonly ScatterPoint[];
  styles: ReadonlyMap<string, ArmStyle>;
}) {
  return (
    <Plot
      describe={props.describe}
      x={props.x}
      y={props.y}
      draw={(area) =>
        props.points.map((point) => {
          const style = styleOf(props.styles, point.id);
          const x = area.x.at(point.x);
          const { value, low, high } = point.y;
          const bar =
            isKnown(low) && isKnown(high)
              ? `M${px(x)},${px(area.y.at(low))}V${px(area.y.at(high))}`
              : '';
          const path = point.path.map((at) => ({ x: area.x.at(at.x), y: area.y.at(at.y) }));
          return (
            <g key={point.id} class={`c-${style.tone}`}>
              <path class="leader" d={pathOf(path)} stroke-dasharray={style.dash} />
              <path class="curve thin" d={bar} />
              <Shape
                mark={style.mark}
                x={x}
                y={area.y.at(value)}
                size={area.wide ? 5 : 4}
                class="dot"
              >
                <title>{`${visible(point.label)}: ${point.hint}`}</title>
              </Shape>
            </g>
          );
        })
      }
    />
  );
}
