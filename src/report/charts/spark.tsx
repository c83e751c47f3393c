/** @jsxImportSource preact */
/**
 * A low line over the tokens of one response, with a threshold and the pivots marked. Long responses
 * are drawn by the largest value of each stretch, so that no peak is lost.
 */
import { decimal, isKnown, type Maybe, plural } from '../format.ts';
import { linear, pathOf, px } from './scale.ts';

export interface SparkProps {
  label: string;
  values: readonly Maybe[];
  /** Indices into `values`. */
  pivots: readonly number[];
  threshold: Maybe;
  thresholdLabel: string;
  tone: string;
}

const MOST = 500;

/** Sparkline in both sizes; an empty one is not drawn. */
export function Spark(props: SparkProps) {
  if (!props.values.some(isKnown)) return null;
  return (
    <div class="plot">
      <Drawing {...props} width={1000} variant="wide" />
      <Drawing {...props} width={360} variant="narrow" />
    </div>
  );
}

function Drawing(props: SparkProps & { width: number; variant: string }) {
  const { values, width, threshold } = props;
  const height = 86;
  const known = values.filter(isKnown);
  const marked = props.pivots.filter((index) => isKnown(values[index]));
  const top = known.reduce((most, v) => Math.max(most, v), isKnown(threshold) ? threshold : 0);
  const bottom = Math.min(0, ...peaks(values).map((p) => p.value));
  const x = linear([0, Math.max(1, values.length - 1)], [2, width - 2], 5);
  const y = linear([bottom, top > bottom ? top : bottom + 1], [height - 6, 32], 3);
  const line = peaks(values).map((p) => ({ x: x.at(p.index), y: y.at(p.value) }));
  return (
    <svg
      class={props.variant}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${props.label} over ${plural(values.length, 'token')}, largest ${decimal(top)}, ${plural(props.pivots.length, 'pivot')}.`}
    >
      <path class="axis" d={`M0,${height - 6}H${width}`} />
      <text class="strong" x={0} y={12}>
        {props.label}
      </text>
      <text x={width} y={12} text-anchor="end">
        {`max ${decimal(top)}${isKnown(threshold) ? `, ${props.thresholdLabel} ${decimal(threshold)}` : ''}`}
      </text>
      <g class={`c-${props.tone}`}>
        <path class="curve thin" d={pathOf(line)} />
      </g>
      {isKnown(threshold) ? <path class="rule" d={`M0,${px(y.at(threshold))}H${width}`} /> : null}
      <g class="c-orange">
        {marked.map((index) => (
          <path
            key={index}
            class="area"
            d={`M${px(x.at(index))},${px(y.at(values[index] ?? 0) - 3)}l-4,-7h8Z`}
          >
            <title>{`pivot at token ${index + 1}`}</title>
          </path>
        ))}
      </g>
    </svg>
  );
}

function peaks(values: readonly Maybe[]): { index: number; value: number }[] {
  const stride = Math.max(1, Math.ceil(values.length / MOST));
  const out: { index: number; value: number }[] = [];
  for (let from = 0; from < values.length; from += stride) {
    let best: { index: number; value: number } | undefined;
    for (let i = from; i < Math.min(values.length, from + stride); i++) {
      const value = values[i];
      if (isKnown(value) && (best === undefined || value > best.value)) best = { index: i, value };
    }
    if (best !== undefined) out.push(best);
  }
  return out;
}
