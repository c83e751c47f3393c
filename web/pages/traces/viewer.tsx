/** @jsxImportSource preact */
/** One trace or two beside each other, with what they are coloured by and what is looked for in them. */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { plural, whole } from '../../../src/report/format.ts';
import { typing, useKeys } from '../../keys.ts';
import { Action, announce } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { Link, navigate } from '../../router.tsx';
import { type Address, searchOf, type TraceKey } from './address.ts';
import { pickedSignal } from './look.ts';
import { LEVELS, MOST_HITS, sharedStart, type Trace } from './model.ts';
import { Pane, type PaneHandle } from './pane.tsx';

/** What is typed and picked reaches the address a little later: browsers allow few changes of it in a row. */
const SETTLE = 400;

export function Viewer({ address, trace }: { address: Address; trace: TraceKey }) {
  const { look, beside } = address;
  const [find, setFind] = useState(address.find);
  const [span, setSpan] = useState<number | null>(null);
  const [panes, setPanes] = useState<{ first: PaneHandle | null; second: PaneHandle | null }>({
    first: null,
    second: null,
  });
  const active = useRef<'first' | 'second'>('first');
  const field = useRef<HTMLInputElement>(null);
  const settle = useSettled((changes: Partial<Address>) =>
    navigate(searchOf({ ...address, ...changes }), { replace: true }),
  );
  const jump = (to: 'pivot' | 'hit', step: 1 | -1) =>
    (panes[active.current] ?? panes.first)?.jump(to, step);
  useKeys([
    { key: 'n', act: () => jump('pivot', 1) },
    { key: 'p', act: () => jump('pivot', -1) },
    { key: 'f', act: () => field.current?.focus() },
  ]);
  const put = (changes: Partial<Address>) =>
    navigate(searchOf({ ...address, find, ...changes }), { replace: true });
  const ready = (which: 'first' | 'second') => (handle: PaneHandle) =>
    setPanes((before) => {
      const old = before[which];
      // The handle is new at every rendering; the page only looks at these.
      if (old?.trace === handle.trace && old.hits === handle.hits) {
        old.jump = handle.jump;
        return before;
      }
      return { ...before, [which]: handle };
    });
  const first = panes.first?.trace ?? null;
  const second = beside === null ? null : (panes.second?.trace ?? null);
  return (
    <>
      <p class="crumbs">
        <Link href="/traces">All traces</Link>
      </p>
      <h1 class="unseen">Trace viewer</h1>
      {first === null ? null : (
        <div class="controls">
          <Pickers trace={first} address={address} onLook={(changed) => put({ look: changed })} />
          <label>
            Charts
            <select
              value={String(span ?? 'all')}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setSpan(value === 'all' ? null : Number(value));
              }}
            >
              <option value="all">all tokens</option>
              <option value="2000">2,000 around the picked one</option>
              <option value="400">400 around the picked one</option>
            </select>
          </label>
          <Find
            field={field}
            value={find}
            found={(panes.first?.hits ?? 0) + (beside === null ? 0 : (panes.second?.hits ?? 0))}
            onType={(text) => {
              setFind(text);
              settle({ find: text });
            }}
            onJump={(step) => jump('hit', step)}
          />
          <div class="buttons">
            <Action label="Next pivot" keyName="n" tone="quiet" onPress={() => jump('pivot', 1)} />
            <Action
              label="Previous pivot"
              keyName="p"
              tone="quiet"
              onPress={() => jump('pivot', -1)}
            />
          </div>
          <Compare trace={trace} first={first} beside={beside} address={address} />
        </div>
      )}
      {first === null ? null : <Legend />}
      {first !== null && second !== null ? <Shared a={first} b={second} /> : null}
      <div class={beside === null ? 'panes' : 'panes two'}>
        {[trace, ...(beside === null ? [] : [beside])].map((key, i) => {
          const which = i === 0 ? 'first' : 'second';
          return (
            <div
              key={which}
              onFocusCapture={() => {
                active.current = which;
              }}
              onPointerDownCapture={() => {
                active.current = which;
              }}
            >
              <Pane
                trace={key}
                look={look}
                find={find}
                token={i === 0 ? address.token : null}
                span={span}
                onToken={(t) => (i === 0 ? settle({ token: t, find }) : undefined)}
                onReady={ready(which)}
              />
            </div>
          );
        })}
      </div>
    </>
  );
}

/** Calls `act` when nothing was asked for a while; what is asked meanwhile adds up. */
function useSettled<T extends object>(act: (changes: T) => void): (changes: T) => void {
  const latest = useRef(act);
  latest.current = act;
  const waiting = useRef<{ changes: T; timer: ReturnType<typeof setTimeout> } | null>(null);
  useEffect(
    () => () => {
      if (waiting.current !== null) clearTimeout(waiting.current.timer);
    },
    [],
  );
  return (changes) => {
    const all = { ...waiting.current?.changes, ...changes };
    if (waiting.current !== null) clearTimeout(waiting.current.timer);
    const timer = setTimeout(() => {
      waiting.current = null;
      latest.current(all);
    }, SETTLE);
    waiting.current = { changes: all, timer };
  };
}

function Pickers(props: {
  trace: Trace;
  address: Address;
  onLook: (look: Address['look']) => void;
}) {
  const { look } = props.address;
  const signal = pickedSignal(props.trace, look);
  if (signal === undefined) return null;
  return (
    <>
      <label>
        Signal
        <select
          value={signal.name}
          onChange={(event) =>
            props.onLook({ ...look, signal: event.currentTarget.value, column: null })
          }
        >
          {props.trace.signals.map(({ name, label, tau }) => (
            <option key={name} value={name}>
              {label}
              {tau === null ? '' : ' (with pivots)'}
            </option>
          ))}
        </select>
      </label>
      <label>
        Head or layer
        <select
          value={look.column ?? ''}
          onChange={(event) => props.onLook({ ...look, column: event.currentTarget.value || null })}
        >
          <option value="">mean of {whole(signal.columns.length)}</option>
          {signal.columns.map(({ key, label }) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Colour by
        <select
          value={look.by}
          onChange={(event) =>
            props.onLook({
              ...look,
              by: event.currentTarget.value === 'change' ? 'change' : 'value',
            })
          }
        >
          <option value="value">value</option>
          <option value="change">change</option>
        </select>
      </label>
    </>
  );
}

function Find(props: {
  field: RefObject<HTMLInputElement>;
  value: string;
  found: number;
  onType: (text: string) => void;
  onJump: (step: 1 | -1) => void;
}) {
  const { found, value } = props;
  const told = found >= MOST_HITS ? `${whole(MOST_HITS)} or more` : whole(found);
  return (
    <search>
      <label>
        Find in the text
        <input
          ref={props.field}
          type="search"
          value={value}
          aria-keyshortcuts="f Alt+f"
          onInput={(event) => props.onType(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            props.onJump(event.shiftKey ? -1 : 1);
          }}
        />
      </label>
      {value === '' ? null : (
        <span class="found small dim" role="status">
          {found === 1 ? '1 place' : `${told} places`}
          {typing.value && found > 0 ? ', Enter goes on' : ''}
        </span>
      )}
    </search>
  );
}

function Compare(props: {
  trace: TraceKey;
  first: Trace;
  beside: TraceKey | null;
  address: Address;
}) {
  const { trace, first, beside, address } = props;
  const { round, promptId, sample, samples } = first.wire;
  const to = (other: TraceKey | null) => navigate(searchOf({ ...address, beside: other }));
  if (beside !== null) {
    return (
      <div class="buttons">
        <Action
          label="Only the first"
          tone="quiet"
          onPress={() => {
            to(null);
            announce('One trace is shown');
          }}
        />
      </div>
    );
  }
  const others = samples.filter((one) => one !== sample);
  return (
    <label>
      Compare with
      <select
        value=""
        onChange={(event) => {
          const { value } = event.currentTarget;
          if (value === 'list')
            navigate(
              searchOf({ beside: { ...trace, round }, filters: { ...address.filters, round } }),
            );
          else if (value !== '') to({ round, prompt: promptId, sample: Number(value) });
        }}
      >
        <option value="">nothing</option>
        {others.map((one) => (
          <option key={one} value={one}>
            sample {one} of this prompt
          </option>
        ))}
        <option value="list">another trace…</option>
      </select>
    </label>
  );
}

function Legend() {
  return (
    <p class="small dim legend-line">
      <span class="scale" aria-hidden="true">
        {Array.from({ length: LEVELS }, (_, i) => (
          <i key={`t${i + 1}`} class={`t${i + 1}`} />
        ))}
      </span>{' '}
      the stronger, the larger. A <mark class="t">framed</mark> token is a pivot: there the signal
      changes by the threshold or more, and more than at the tokens around it.
    </p>
  );
}

function Shared({ a, b }: { a: Trace; b: Trace }) {
  const shared = sharedStart(a, b);
  if (a.wire.promptId !== b.wire.promptId)
    return (
      <p class="small dim">
        Two prompts: <Foreign text={a.wire.promptId} /> and <Foreign text={b.wire.promptId} />.
      </p>
    );
  return (
    <p class="small dim">
      {shared === 0
        ? 'They differ from the first token on.'
        : `Their first ${plural(shared, 'token')} are the same.`}
    </p>
  );
}
