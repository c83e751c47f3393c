/**
 * Data of the server in a component: loaded, loaded again when the server says that it changed, kept on screen meanwhile.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LiveEvent } from '../../src/server/wire.ts';
import { said } from '../api.ts';
import { useLive } from '../live.ts';

export interface Remote<T> {
  /** The last that came; null until something has. */
  value: T | null;
  /** For people; null where the last request went well. */
  problem: string | null;
  loading: boolean;
  /** Loads it again. */
  reload: () => void;
}

/**
 * `load` is called at first, whenever `key` changes (then `value` is null until it comes) and after changes of the
 * topics. Of several requests under way only the last counts, and the others are aborted.
 */
export function useRemote<T>(
  load: (signal: AbortSignal) => Promise<T>,
  options: { key?: string; topics?: readonly LiveEvent['topic'][] } = {},
): Remote<T> {
  const { key = '', topics = [] } = options;
  const [state, setState] = useState<{ key: string; value: T | null; problem: string | null }>({
    key,
    value: null,
    problem: null,
  });
  const [loading, setLoading] = useState(true);
  const latest = useRef(load);
  latest.current = load;
  const under = useRef<AbortController | null>(null);

  const reload = useCallback(() => {
    under.current?.abort();
    const controller = new AbortController();
    under.current = controller;
    setLoading(true);
    const done = (next: (old: T | null) => { value: T | null; problem: string | null }) => {
      if (under.current !== controller) return;
      setState((old) => ({ key, ...next(old.key === key ? old.value : null) }));
      setLoading(false);
    };
    latest.current(controller.signal).then(
      (value) => done(() => ({ value, problem: null })),
      (error: unknown) => done((old) => ({ value: old, problem: said(error) })),
    );
  }, [key]);

  useEffect(() => {
    reload();
    return () => {
      under.current?.abort();
      under.current = null;
    };
  }, [reload]);
  useLive(topics, reload);

  const fresh = state.key === key;
  return {
    value: fresh ? state.value : null,
    problem: fresh ? state.problem : null,
    loading,
    reload,
  };
}
