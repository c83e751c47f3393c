/**
 * What of a trace is drawn: the signal and the head or layer that were picked, the colours that follow, the places that are
 * found. Picked columns are fetched when they are needed.
 */
import { useMemo } from 'preact/hooks';
import { floatsOf, wireColumn } from '../../../src/server/wire-traces.ts';
import { get } from '../../api.ts';
import { type Remote, useRemote } from '../../parts/remote.ts';
import { type Look, queryOf, type TraceKey } from './address.ts';
import { type Chunk, drawnAs, levelsOf, placesOf, type Signal, type Trace } from './model.ts';

export interface Drawn {
  signal: Signal;
  /** The picked column's name; null: the mean. */
  column: string | null;
  /** The column's values, or the mean until they are there. */
  values: ArrayLike<number>;
  /** By `drawnAs`. */
  drawn: Uint8Array;
  hits: readonly Chunk[];
  /** Why the column cannot be shown. */
  problem: string | null;
}

/** The picked signal of a trace; the configured one where it has none of this name. */
export function pickedSignal(trace: Trace, look: Look): Signal | undefined {
  return trace.signals.find(({ name }) => name === look.signal) ?? trace.signals[0];
}

const none = new Float32Array();

export function useDrawn(trace: Trace, key: TraceKey, look: Look, find: string): Drawn | null {
  const signal = pickedSignal(trace, look);
  const place = signal?.columns.findIndex((column) => column.key === look.column) ?? -1;
  const column = useColumn(key, signal?.name ?? '', place);
  const values = column.value ?? signal?.values ?? none;
  const levels = useMemo(
    () => levelsOf(look.by === 'change' ? (signal?.changes ?? none) : values),
    [look.by, signal, values],
  );
  const hits = useMemo(() => placesOf(trace, find), [trace, find]);
  const drawn = useMemo(
    () =>
      drawnAs(
        levels.length > 0 ? levels : new Uint8Array(trace.tokens),
        signal?.pivots ?? [],
        hits,
      ),
    [trace, levels, signal, hits],
  );
  if (signal === undefined) return null;
  const label = signal.columns[place]?.label ?? null;
  return { signal, column: label, values, drawn, hits, problem: column.problem };
}

function useColumn(key: TraceKey, signal: string, place: number): Remote<Float32Array | null> {
  const query = place < 0 ? '' : `${queryOf(key)}&signal=${signal}&column=${place}`;
  return useRemote(
    async (abort) =>
      query === ''
        ? null
        : floatsOf((await get(`/api/trace/column?${query}`, wireColumn, { signal: abort })).values),
    { key: query },
  );
}
