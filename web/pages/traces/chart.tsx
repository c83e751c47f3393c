/** @jsxImportSource preact */
/**
 * A value per token as a line that fills its box, with threshold, pivots and the picked token. Long responses are drawn by
 * the smallest and the largest value of each stretch, so that no peak is lost. Pointer and arrow keys pick a token.
 */
import { useRef } from 'preact/hooks';
import { decimal, isKnown, plural, whole } from '../../../src/report/format.ts';
import type { Chunk } from './model.ts';

export interface ChartProps {
  /** What is drawn, with its unit. */
  label: string;
  values: ArrayLike<number>;
  /** Drawn faintly behind, on the same scale. */
  behind?: ArrayLike<number> | null;
  /** null: none is drawn. */
  threshold: number | null;
  pivots: readonly number[];
  /** Tokens that are shown. */
  range: Chunk;
  at: number | null;
  tone: 'blue' | 'purple';
  /** Says a token and its value. */
  sayToken: (t: number) => string;
  onPick: (t: number) => void;
  onStep: (step: number) => void;
}

const WIDTH = 1000;
const HEIGHT = 100;
/** Stretches that a line is drawn by. */
const STRETCHES = 700;
/** Pivots that are drawn at most; more could not be told apart. */
const MOST_PIVOTS = 1500;

const steps: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -50,
  PageUp: 50,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Chart(props: ChartProps) {
  const { values, behind = null, range, threshold, at } = props;
  const box = useRef<HTMLDivElement>(null);
  const ends = endsOf([values, behind ?? []], range, threshold);
  const y = (value: number) =>
    HEIGHT - 4 - ((value - ends.low) / (ends.high - ends.low)) * (HEIGHT - 10);
  const x = (t: number) => ((t - range.from + 0.5) / (range.to - range.from)) * WIDTH;
  const pick = (event: PointerEvent) => {
    const bounds = box.current?.getBoundingClientRect();
    if (bounds === undefined || bounds.width === 0) return;
    const share = (event.clientX - bounds.left) / bounds.width;
    const t = range.from + Math.floor(share * (range.to - range.from));
    props.onPick(Math.max(range.from, Math.min(range.to - 1, t)));
  };
  const shown = props.pivots.filter((t) => t >= range.from && t < range.to);
  return (
    <div class="trace-chart">
      <p class="small">
        <strong>{props.label}</strong>
        <span class="dim">
          {' '}
          {decimal(ends.low)} to {decimal(ends.high)}
          {threshold === null
            ? ''
            : `, threshold τ ${decimal(threshold)}, ${plural(shown.length, 'pivot')}`}
        </span>
      </p>
      <div
        ref={box}
        class={`plane c-${props.tone}`}
        role="slider"
        tabIndex={0}
        aria-label={`${props.label}: token`}
        aria-valuemin={range.from + 1}
        aria-valuemax={range.to}
        aria-valuenow={(at ?? range.from) + 1}
        aria-valuetext={at === null ? 'no token picked' : props.sayToken(at)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          pick(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) pick(event);
        }}
        onKeyDown={(event) => {
          const step = steps[event.key];
          if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          props.onStep(step);
        }}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="axis" d={`M0,${HEIGHT - 4}H${WIDTH}`} />
          {behind === null ? null : <path class="line faint" d={pathOf(behind, range, x, y)} />}
          <path class="line" d={pathOf(values, range, x, y)} />
          {threshold === null ? null : (
            <path class="level" d={`M0,${place(y(threshold))}H${WIDTH}`} />
          )}
          <path class="pivots" d={ticksOf(shown, x)} />
          {at === null || at < range.from || at >= range.to ? null : (
            <path class="cursor" d={`M${place(x(at))},0V${HEIGHT}`} />
          )}
        </svg>
      </div>
      <p class="ends small dim" aria-hidden="true">
        <span>token {whole(range.from + 1)}</span>
        <span>{whole(range.to)}</span>
      </p>
    </div>
  );
}

function endsOf(lists: ArrayLike<number>[], { from, to }: Chunk, threshold: number | null) {
  let low = 0;
  let high = threshold ?? 0;
  for (const values of lists) {
    for (let t = from; t < Math.min(to, values.length); t++) {
      const value = values[t];
      if (!isKnown(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return { low, high: high > low ? high : low + 1 };
}

/** Down to the smallest and up to the largest value of each stretch; broken where nothing is defined. */
function pathOf(
  values: ArrayLike<number>,
  { from, to }: Chunk,
  x: (t: number) => number,
  y: (value: number) => number,
): string {
  const stride = Math.max(1, Math.ceil((to - from) / STRETCHES));
  let path = '';
  let pen = 'M';
  for (let start = from; start < to; start += stride) {
    let low = Infinity;
    let high = -Infinity;
    for (let t = start; t < Math.min(to, start + stride); t++) {
      const value = values[t];
      if (!isKnown(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high < low) {
      pen = 'M';
      continue;
    }
    const middle = place(x(Math.min(to - 1, start + (stride - 1) / 2)));
    path += `${pen}${middle},${place(y(low))}${high > low ? `V${place(y(high))}` : ''}`;
    pen = 'L';
  }
  return path;
}

function ticksOf(pivots: readonly number[], x: (t: number) => number): string {
  const stride = Math.ceil(pivots.length / MOST_PIVOTS);
  let path = '';
  for (let i = 0; i < pivots.length; i += stride) path += `M${place(x(pivots[i] ?? 0))},0v7`;
  return path;
}

function place(value: number): number {
  return Math.round(value * 10) / 10;
}
