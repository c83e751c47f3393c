/**
 * Scales and ticks for the charts: numbers in, numbers and path strings out. Knows nothing of
 * markup or of what is drawn.
 */
import { isKnown, type Maybe } from '../format.ts';

/** A linear map from a domain to pixels, with round tick values inside the domain. */
export interface Scale {
  domain: readonly [number, number];
  ticks: number[];
  at(value: number): number;
  /** Tick label with as many places as the tick step needs. */
  label(value: number): string;
}

export interface Point {
  x: number;
  y: number;
}

/** Tick step of 1, 2 or 5 times a power of ten that gives about `count` ticks over `span`. */
function tickStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  const round = lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10;
  return round * power;
}

/**
 * Linear scale over `domain` onto `range` (pixels). A domain of no width is widened, so that every
 * scale is finite everywhere.
 */
export function linear(
  domain: readonly [number, number],
  range: readonly [number, number],
  count: number,
): Scale {
  const [low, high] = widened(domain);
  const step = tickStep(high - low, count);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toFixed(places)));
  }
  const biggest = Math.max(Math.abs(low), Math.abs(high));
  const slope = (range[1] - range[0]) / (high - low);
  return {
    domain: [low, high],
    ticks,
    at: (value) => clamp(range[0] + (value - low) * slope, FAR),
    label: (value) => compact(value, places, biggest),
  };
}

/** Bounds on domains and pixels: far beyond any real figure, and safe to calculate with. */
const MOST = 1e15;
const FAR = 1e6;

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}

/** A count or duration as a length to draw: 0 where it is unknown or negative. */
export function amount(value: Maybe): number {
  return isKnown(value) ? Math.max(0, clamp(value, MOST)) : 0;
}

function widened([from, to]: readonly [number, number]): [number, number] {
  if (!isKnown(from) || !isKnown(to)) return [0, 1];
  const low = clamp(from, MOST);
  const high = clamp(to, MOST);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > Math.max(1e-12, size * 1e-9)) return [low, high];
  const pad = size > 1e-9 ? size * 0.1 : 1;
  return [low - pad, low + pad];
}

/** One unit for all ticks of a scale, picked by its largest value. */
function compact(value: number, places: number, biggest: number): string {
  if (value !== 0 && biggest >= 2e6) return `${Number((value / 1e6).toFixed(2))}M`;
  if (value !== 0 && biggest >= 10_000) return `${Number((value / 1e3).toFixed(1))}k`;
  return value.toFixed(places).replace('-', '−');
}

/**
 * Smallest interval around the known values, grown by `margin` (share of its width) at both ends
 * and kept within `limits`. [0, 1] when no value is known.
 */
export function extent(
  values: Iterable<Maybe>,
  margin = 0,
  limits: readonly [number, number] = [-Infinity, Infinity],
): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!isKnown(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const pad = (high - low) * margin;
  return [Math.max(limits[0], low - pad), Math.min(limits[1], high + pad)];
}

/** A coordinate with at most two decimals: keeps the file small. */
export function px(value: number): number {
  return Math.round(value * 100) / 100;
}

/** SVG path through `points`, straight or as steps (each value holds until the next point). */
export function pathOf(points: readonly Point[], steps = false): string {
  let path = '';
  for (const [i, point] of points.entries()) {
    if (i === 0) path += `M${px(point.x)},${px(point.y)}`;
    else path += steps ? `H${px(point.x)}V${px(point.y)}` : `L${px(point.x)},${px(point.y)}`;
  }
  return path;
}

/** Closed SVG path between an upper and a lower edge of the same length. */
export function bandOf(upper: readonly Point[], lower: readonly Point[]): string {
  if (upper.length === 0) return '';
  return `${pathOf(upper)}L${pathOf([...lower].reverse()).slice(1)}Z`;
}

/**
 * Vertical places for labels that want to be at `wanted` (pixels), at least `gap` apart and inside
 * [low, high] as far as they fit. Order of the result is the order of `wanted`.
 */
export function spread(
  wanted: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y || a.i - b.i);
  const placed = new Array<number>(wanted.length).fill(low);
  let floor = low;
  for (const { y, i } of order) {
    placed[i] = Math.max(y, floor);
    floor = (placed[i] ?? low) + gap;
  }
  let ceiling = high;
  for (const { i } of order.reverse()) {
    placed[i] = Math.min(placed[i] ?? low, ceiling);
    ceiling = (placed[i] ?? low) - gap;
  }
  return placed;
}

/** At most `limit` items of `items`, evenly picked, first and last always among them. */
export function thin<T>(items: readonly T[], limit: number): T[] {
  if (items.length <= limit) return [...items];
  const stride = (items.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, i) => items[Math.round(i * stride)]).filter(
    (item) => item !== undefined,
  );
}

/** Trailing mean over `window` known values; unknown ones stay unknown. */
export function trailingMean(values: readonly Maybe[], window: number): (number | null)[] {
  return values.map((value, i) => {
    if (!isKnown(value)) return null;
    const near = values.slice(Math.max(0, i - window + 1), i + 1).filter(isKnown);
    return near.reduce((sum, x) => sum + x, 0) / near.length;
  });
}
