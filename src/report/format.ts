/**
 * Numbers and foreign text as they appear on the page. Knows nothing of markup: escaping is the
 * renderer's. A value that is missing or not finite prints as a dash, so that no page ever shows
 * the language's own words for such values.
 */

/** What stands where a value is missing. */
export const DASH = '–';

/** A value that may be missing; not finite counts as missing. */
export type Maybe = number | null | undefined;

/** True when `value` is a finite number. */
export function isKnown(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}

/** Plain decimal with `digits` places. */
export function decimal(value: Maybe, digits = 2): string {
  return isKnown(value) ? fixed(value, digits) : DASH;
}

/** Decimal with an explicit sign, for differences. */
export function signed(value: Maybe, digits = 2): string {
  if (!isKnown(value)) return DASH;
  const text = fixed(value, digits);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** Whole number with thousands separators. */
export function whole(value: Maybe): string {
  if (!isKnown(value)) return DASH;
  return fixed(Math.round(value), 0).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A share 0..1 as per cent; the space before the sign does not break. */
export function percent(value: Maybe, digits = 1): string {
  return isKnown(value) && isKnown(value * 100) ? `${fixed(value * 100, digits)}\u00a0%` : DASH;
}

/** `part` of `total` as per cent; a dash when there is no total. */
export function shareOf(part: Maybe, total: Maybe, digits = 1): string {
  return isKnown(part) && isKnown(total) && total > 0 ? percent(part / total, digits) : DASH;
}

/** Short number for parameters and tokens: 3.2 M, 12.5 k. */
export function short(value: Maybe): string {
  if (!isKnown(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 999_950_000) return `${fixed(value / 1e9, 1)} G`;
  if (size >= 999_950) return `${fixed(value / 1e6, 1)} M`;
  if (size >= 10_000) return `${fixed(value / 1e3, 1)} k`;
  return Number.isInteger(value) ? whole(value) : fixed(value, size < 1 ? 3 : 1);
}

/** A duration: 0.42 s, 12.3 s, 4 min 05 s, 2 h 03 min. */
export function duration(seconds: Maybe): string {
  if (!isKnown(seconds)) return DASH;
  if (seconds < 59.95) return `${fixed(seconds, seconds < 10 ? 2 : 1)} s`;
  const total = Math.round(seconds);
  if (total < 3600) return `${Math.floor(total / 60)} min ${pad(total % 60)} s`;
  const minutes = Math.round(total / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** A size in binary units. */
export function bytes(value: Maybe): string {
  if (!isKnown(value)) return DASH;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${fixed(size, unit < 2 ? 0 : size < 10 ? 2 : 1)} ${units[unit]}`;
}

/** The name of the metric: the mean over k samples per prompt. */
export function averageAt(k: Maybe): string {
  return `avg@${isKnown(k) ? whole(k) : 'k'}`;
}

/** One form or the other, with the number before it. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/**
 * Foreign text made harmless to look at: control characters become their visible pictures, and
 * characters that reorder a line of text are shown as code points, so that what is read is what is
 * there. Line feeds and tabs stay.
 */
export function visible(text: string): string {
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 && code !== 0x0a && code !== 0x09) out += String.fromCodePoint(0x2400 + code);
    else if (code >= 0x7f && code < 0xa0) out += '\u2421';
    else if (reorders(code)) out += `[U+${code.toString(16).toUpperCase()}]`;
    else if (code >= 0xd800 && code <= 0xdfff) out += '\ufffd';
    else out += char;
  }
  return out;
}

function reorders(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/** `text` cut to `limit` characters with an ellipsis. */
export function clip(text: string, limit: number): string {
  const chars = [...text];
  return chars.length <= limit ? text : `${chars.slice(0, limit - 1).join('')}…`;
}
