/** @jsxImportSource preact */
/** Traced responses, page by page, searched and filtered by the server; or the same to choose the second of a comparison. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { plural, short } from '../../../src/report/format.ts';
import {
  LONGEST_SEARCH,
  tracedPage,
  type WireTracedPage,
  type WireTracedRow,
} from '../../../src/server/wire-traces.ts';
import { get, said } from '../../api.ts';
import { announce, Empty, Loaded, Notice } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { Link, navigate } from '../../router.tsx';
import { type Address, type Filters, searchOf, type TraceKey, usualLook } from './address.ts';

export function List({ address }: { address: Address }) {
  const { filters, beside } = address;
  const query = queryOf(filters);
  const first = useRemote((signal) => get(`/api/traces?${query}`, tracedPage, { signal }), {
    key: query,
  });
  return (
    <>
      <h1>Traces</h1>
      {beside === null ? (
        <p class="dim">Responses with the attention signals of every token.</p>
      ) : (
        <Notice tone="note">
          Choose the trace to set beside <Foreign text={beside.prompt} />, sample {beside.sample}.{' '}
          <Link href={searchOf({ trace: beside })}>Back to it</Link>
        </Notice>
      )}
      <FilterForm address={address} rounds={first.value?.rounds ?? []} />
      <Loaded of={first}>
        {(page) => <Rows key={query} page={page} query={query} address={address} />}
      </Loaded>
    </>
  );
}

function queryOf(filters: Filters): string {
  const query = new URLSearchParams();
  for (const name of ['round', 'text', 'finish', 'verdict', 'route'] as const) {
    const value = filters[name];
    if (value !== null && value !== '') query.set(name, String(value));
  }
  return query.toString();
}

const SETTLE = 350;

function FilterForm({ address, rounds }: { address: Address; rounds: WireTracedPage['rounds'] }) {
  const { filters } = address;
  const [text, setText] = useState(filters.text);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const put = (changes: Partial<Filters>) =>
    navigate(searchOf({ ...address, filters: { ...filters, text, ...changes } }), {
      replace: true,
    });
  const latest = useRef(put);
  latest.current = put;
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  const type = (value: string) => {
    setText(value);
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current({ text: value }), SETTLE);
  };
  return (
    <search class="controls">
      <label class="grow">
        Search ids, questions and responses
        <input
          type="search"
          value={text}
          maxLength={LONGEST_SEARCH}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      {rounds.length > 1 ? (
        <Choice
          name="Round"
          value={String(filters.round ?? '')}
          options={[
            ['', 'newest'],
            ...rounds.map(({ round }): Option => [String(round), String(round)]),
          ]}
          onChoose={(value) => put({ round: value === '' ? null : Number(value) })}
        />
      ) : null}
      <Choice
        name="Answer"
        value={filters.verdict}
        options={verdicts}
        onChoose={(verdict) => put({ verdict })}
      />
      <Choice
        name="Ended"
        value={filters.finish}
        options={finishes}
        onChoose={(finish) => put({ finish })}
      />
      <Choice
        name="Route"
        value={filters.route}
        options={routes}
        onChoose={(route) => put({ route })}
      />
    </search>
  );
}

type Option<T extends string = string> = [value: T, name: string];

const verdicts: Option<Filters['verdict']>[] = [
  ['', 'any'],
  ['right', 'right'],
  ['wrong', 'wrong'],
  ['undecided', 'undecided'],
  ['unlabelled', 'without a label'],
];
const finishes: Option<Filters['finish']>[] = [
  ['', 'any way'],
  ['stop', 'by itself'],
  ['length', 'at the limit'],
];
const routes: Option[] = ['', 'discard', 'self', 'annotate', 'annotated', 'new'].map((name) => [
  name,
  name === '' ? 'any' : name,
]);

function Choice<T extends string>(props: {
  name: string;
  value: T;
  options: readonly Option<T>[];
  onChoose: (value: T) => void;
}) {
  return (
    <label>
      {props.name}
      <select
        value={props.value}
        onChange={(event) => {
          const chosen = props.options.find(([value]) => value === event.currentTarget.value);
          if (chosen !== undefined) props.onChoose(chosen[0]);
        }}
      >
        {props.options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Rows(props: { page: WireTracedPage; query: string; address: Address }) {
  const [more, setMore] = useState<WireTracedPage[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const pages = [props.page, ...more];
  const rows = pages.flatMap((page) => page.rows);
  const next = pages.at(-1)?.next ?? null;
  const goOn = async () => {
    if (next === null) return;
    setBusy(true);
    setProblem(null);
    try {
      const page = await get(`/api/traces?${props.query}&after=${next}`, tracedPage);
      setMore((before) => [...before, page]);
      announce(`${plural(page.rows.length, 'trace')} more`);
    } catch (error) {
      setProblem(said(error));
    } finally {
      setBusy(false);
    }
  };
  if (props.page.round === null)
    return (
      <Empty>
        Nothing was traced yet. <code>pivottrace trace</code> makes responses and traces them.
      </Empty>
    );
  return (
    <>
      <ul class="trace-list">
        {rows.map((row) => (
          <Row
            key={`${row.promptId} ${row.sample}`}
            row={row}
            href={hrefOf(row, props.page.round, props.address)}
          />
        ))}
      </ul>
      {rows.length === 0 ? <Empty>{nothing(next)}</Empty> : null}
      {problem === null ? null : (
        <Notice tone="warning" alert>
          {problem}
        </Notice>
      )}
      {next === null ? null : (
        <p>
          <button type="button" class="action plain" disabled={busy} onClick={() => void goOn()}>
            {busy ? 'Searching…' : rows.length === 0 ? 'Search on' : 'Show more'}
          </button>
        </p>
      )}
      <Totals page={props.page} />
    </>
  );
}

function nothing(next: string | null): string {
  return next === null ? 'No trace fits.' : 'Nothing so far; the search has not come to the end.';
}

function Totals({ page: { rounds, round } }: { page: WireTracedPage }) {
  const all = rounds.find((one) => one.round === round);
  if (all === undefined) return null;
  return (
    <p class="small dim">
      Round {all.round} holds {plural(all.traces, 'trace')} with {short(all.tokens)} tokens.
    </p>
  );
}

function hrefOf(
  row: WireTracedRow,
  round: number | null,
  { beside, filters, find }: Address,
): string {
  const key: TraceKey = { round, prompt: row.promptId, sample: row.sample };
  if (beside !== null) return searchOf({ trace: beside, beside: key, look: usualLook, find });
  // What was searched for is looked for in the text as well.
  return searchOf({ trace: key, find: filters.text });
}

function Row({ row, href }: { row: WireTracedRow; href: string }) {
  const { verdict, route } = row;
  return (
    <li>
      <Link href={href}>
        <Foreign text={row.promptId} /> <span class="small">sample {row.sample}</span>
      </Link>
      <p class="asked">
        <Foreign text={row.question} />
      </p>
      <p class="beginning dim small">
        <Foreign text={row.beginning.replace(/\s+/g, ' ')} />
      </p>
      <p class="badges small">
        {route === null ? null : (
          <span class={`badge c-${route === 'annotated' ? 'annotate' : route}`}>{route}</span>
        )}
        {verdict === null ? null : (
          <span
            class={`verdict-${verdict === 'right' ? 'good' : verdict === 'wrong' ? 'bad' : 'open'}`}
          >
            {verdict}
          </span>
        )}
        <span>
          {plural(row.tokens, 'token')}
          {row.finish === 'length' ? ', cut' : ''}
        </span>
        {row.pivots === null ? null : <span>{plural(row.pivots, 'pivot')}</span>}
        <span>answer {row.answer === null ? 'none' : <Foreign text={row.answer} />}</span>
      </p>
    </li>
  );
}
