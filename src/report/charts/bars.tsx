/** @jsxImportSource preact */
/**
 * Stacked bars: one horizontal bar of shares, and upright bars over the steps of a run.
 */
import { isKnown, percent, plural, whole } from '../format.ts';
import { type Axis, Plot } from './frame.tsx';
import { amount, px } from './scale.ts';

export interface Part {
  label: string;
  tone: string;
  count: number;
}

const BAR_WIDTH = 1000;
/** Room that a letter of a bar's text takes at most. */
const LETTER = 8;

/** One bar of the parts' shares with the share written into every part that has room for it. */
export function ShareBar({ describe, parts }: { describe: string; parts: Part[] }) {
  const known = parts.map((p) => ({ ...p, count: amount(p.count) }));
  return (
    <div class="plot">
      <Bar describe={describe} parts={known} width={BAR_WIDTH} variant="wide" />
      <Bar describe={describe} parts={known} width={360} variant="narrow" />
    </div>
  );
}

function Bar(props: { describe: string; parts: Part[]; width: number; variant: string }) {
  const { parts, width } = props;
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  let from = 0;
  return (
    <svg
      class={props.variant}
      viewBox={`0 0 ${width} 44`}
      role="img"
      aria-label={`${props.describe}: ${parts.map((p) => `${p.label} ${whole(p.count)}`).join(', ')}`}
    >
      {parts.map((part) => {
        const share = total > 0 ? part.count / total : 0;
        const x = from;
        from += share * width;
        const text = `${part.label} ${percent(share)}`;
        return (
          <g key={part.label} class={`c-${part.tone}`}>
            <rect
              class="area"
              x={px(x)}
              y={2}
              width={px(Math.max(0, share * width - 2))}
              height={40}
            >
              <title>{`${part.label}: ${whole(part.count)} (${percent(share)})`}</title>
            </rect>
            {share * width > 64 ? (
              <text class="on" x={px(x + 8)} y={27}>
                {share * width > LETTER * text.length + 16 ? text : percent(share)}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

export interface Stack {
  /** Position on the x axis. */
  x: number;
  parts: Part[];
}

/** Upright stacked bars; the parts of all stacks are drawn in the order in which they come. */
export function StackChart(props: { describe: string; x: Axis; yLabel: string; stacks: Stack[] }) {
  const stacks = props.stacks
    .filter((s) => isKnown(s.x))
    .map(({ x, parts }) => ({ x, parts: parts.map((p) => ({ ...p, count: amount(p.count) })) }));
  const sums = stacks.map((s) => s.parts.reduce((sum, p) => sum + p.count, 0));
  const gap = smallestGap(stacks.map((s) => s.x));
  const domain = [props.x.domain[0] - gap / 2, props.x.domain[1] + gap / 2] as const;
  return (
    <Plot
      describe={props.describe}
      x={{ ...props.x, domain }}
      y={{ label: props.yLabel, domain: [0, Math.max(1, ...sums) * 1.05] }}
      draw={(area) => {
        const width = Math.max(1.5, (area.x.at(gap) - area.x.at(0)) * 0.78);
        return stacks.map((stack) => {
          let base = 0;
          return stack.parts.map((part) => {
            const y = area.y.at(base + part.count);
            const height = area.y.at(base) - y;
            base += part.count;
            return (
              <rect
                key={`${stack.x} ${part.label}`}
                class={`area c-${part.tone}`}
                x={px(area.x.at(stack.x) - width / 2)}
                y={px(y)}
                width={px(width)}
                height={px(height)}
              >
                <title>{`step ${whole(stack.x)}: ${part.label}, ${plural(part.count, 'prompt')}`}</title>
              </rect>
            );
          });
        });
      }}
    />
  );
}

function smallestGap(values: readonly number[]): number {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  let gap = Infinity;
  for (const [i, value] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined) gap = Math.min(gap, next - value);
  }
  return Number.isFinite(gap) ? gap : 1;
}
