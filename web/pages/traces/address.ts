/**
 * What the address of the viewer says, and the address that says it: a link opens the same tokens for everybody. Pure.
 */

/** Which response; `round` null: the newest. */
export interface TraceKey {
  round: number | null;
  prompt: string;
  sample: number;
}

export interface Filters {
  round: number | null;
  text: string;
  finish: '' | 'stop' | 'length';
  verdict: '' | 'right' | 'wrong' | 'undecided' | 'unlabelled';
  route: string;
}

/** What the tokens are coloured by. */
export interface Look {
  /** Name of a signal; null: the configured one. */
  signal: string | null;
  /** 'L2H3' or 'L2'; null: the mean over the kept heads. */
  column: string | null;
  by: 'value' | 'change';
}

export interface Address {
  /** null: the list. */
  trace: TraceKey | null;
  /** The second trace of a comparison; with no first one, the list is there to choose it. */
  beside: TraceKey | null;
  look: Look;
  /** Position from 0; null where nothing is picked. */
  token: number | null;
  find: string;
  filters: Filters;
}

export const noFilters: Filters = { round: null, text: '', finish: '', verdict: '', route: '' };
export const usualLook: Look = { signal: null, column: null, by: 'value' };

export function addressOf(search: string): Address {
  const query = new URLSearchParams(search);
  const text = (name: string) => query.get(name) ?? '';
  const trace = keyOf(query, '');
  return {
    trace,
    beside: keyOf(query, 'with_'),
    look: {
      signal: text('signal') || null,
      column: text('column') || null,
      by: text('by') === 'change' ? 'change' : 'value',
    },
    token: whole(query.get('token')),
    find: text('find'),
    filters: {
      round: whole(query.get('round')),
      text: text('text'),
      finish: oneOf(text('finish'), ['stop', 'length']),
      verdict: oneOf(text('verdict'), ['right', 'wrong', 'undecided', 'unlabelled']),
      route: text('route'),
    },
  };
}

/** The address of this page that says so; what is as usual is left out. */
export function searchOf(address: Partial<Address>): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | number | null | undefined) => {
    if (value !== null && value !== undefined && value !== '') query.set(name, String(value));
  };
  const { trace, beside, look, token, find, filters } = address;
  if (trace) {
    put('round', trace.round);
    put('prompt', trace.prompt);
    put('sample', trace.sample);
    put('signal', look?.signal);
    put('column', look?.column);
    if (look?.by === 'change') put('by', 'change');
    put('token', token);
    put('find', find);
  } else if (filters) {
    for (const name of ['round', 'text', 'finish', 'verdict', 'route'] as const)
      put(name, filters[name]);
  }
  if (beside) {
    put('with_round', beside.round);
    put('with_prompt', beside.prompt);
    put('with_sample', beside.sample);
  }
  const text = query.toString();
  return `/traces${text === '' ? '' : `?${text}`}`;
}

/** The part of a request that names a trace. */
export function queryOf({ round, prompt, sample }: TraceKey): string {
  const query = new URLSearchParams({ prompt, sample: String(sample) });
  if (round !== null) query.set('round', String(round));
  return query.toString();
}

function keyOf(query: URLSearchParams, prefix: string): TraceKey | null {
  const prompt = query.get(`${prefix}prompt`);
  if (prompt === null || prompt === '') return null;
  return {
    prompt,
    round: whole(query.get(`${prefix}round`)),
    sample: whole(query.get(`${prefix}sample`)) ?? 0,
  };
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function oneOf<T extends string>(text: string, names: readonly T[]): T | '' {
  return names.find((name) => name === text) ?? '';
}
