/** Where two JSON values differ, for people. */

/** `train.lr was 0.0001, now 0.00001` for every leaf that differs; lists are leaves. */
export function differences(before: unknown, now: unknown, path = ''): string[] {
  if (isRecord(before) && isRecord(now)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...keys].flatMap((key) =>
      differences(before[key], now[key], path === '' ? key : `${path}.${key}`),
    );
  }
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  return [`${path} was ${text(before)}, now ${text(now)}`];
}

function text(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
