/** @jsxImportSource preact */
/** One trace: what it is, its charts, its text, and the token under the pointer. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { decimal, percent, plural, whole } from '../../../src/report/format.ts';
import { type WireTrace, wireTrace } from '../../../src/server/wire-traces.ts';
import { get } from '../../api.ts';
import { announce, Loaded, Notice } from '../../parts/controls.tsx';
import { Foreign, LongText } from '../../parts/foreign.tsx';
import { Messages } from '../../parts/messages.tsx';
import { useRemote } from '../../parts/remote.ts';
import { type Look, queryOf, type TraceKey } from './address.ts';
import { Chart } from './chart.tsx';
import { Inspector, sayToken } from './inspector.tsx';
import { type Drawn, useDrawn } from './look.ts';
import { type Chunk, neighbour, type Trace, traceOf } from './model.ts';
import { Tokens } from './tokens.tsx';

export interface PaneProps {
  trace: TraceKey;
  look: Look;
  find: string;
  /** Where the address points to. */
  token: number | null;
  /** Tokens shown by the charts at a time; null: all. */
  span: number | null;
  onToken: (t: number) => void;
  /** Called when the trace is there, with what can be asked of it. */
  onReady: (handle: PaneHandle) => void;
}

/** What the page does with a pane by its keys and buttons. */
export interface PaneHandle {
  trace: Trace;
  /** To the next or previous pivot or find; says so where there is none. */
  jump(to: 'pivot' | 'hit', step: 1 | -1): void;
  /** Places found; at most `MOST_HITS` are counted. */
  hits: number;
}

export function Pane(props: PaneProps) {
  const query = queryOf(props.trace);
  const loaded = useRemote(
    async (signal) => traceOf(await get(`/api/trace?${query}`, wireTrace, { signal })),
    { key: query },
  );
  return (
    <section
      class="pane"
      aria-label={`Trace of ${props.trace.prompt}, sample ${props.trace.sample}`}
    >
      <Loaded of={loaded}>{(trace) => <Shown {...props} of={trace} />}</Loaded>
    </section>
  );
}

function Shown(props: PaneProps & { of: Trace }) {
  const { of: trace, look, find } = props;
  const drawn = useDrawn(trace, props.trace, look, find);
  return (
    <>
      <Facts wire={trace.wire} tokens={trace.tokens} />
      {drawn === null ? (
        <Notice tone="note">This trace holds no signal.</Notice>
      ) : (
        <Read {...props} drawn={drawn} />
      )}
      {trace.wire.decoded ? null : (
        <details>
          <summary>
            Text of the response (the tokenizer is not at hand, so tokens show as ids)
          </summary>
          <LongText text={trace.wire.response} />
        </details>
      )}
    </>
  );
}

function Read(props: PaneProps & { of: Trace; drawn: Drawn }) {
  const { of: trace, drawn, look, onToken, onReady } = props;
  const [at, setAt] = useState<number | null>(within(trace, props.token));
  const [hover, setHover] = useState<number | null>(null);
  const { signal, values, hits } = drawn;
  const pick = (t: number) => {
    setAt(t);
    onToken(t);
  };
  const step = (by: number) => {
    const t = Math.max(0, Math.min(trace.tokens - 1, (at ?? -1) + by));
    pick(t);
    announce(sayToken(trace, values, signal, t));
  };
  const jump = (to: 'pivot' | 'hit', by: 1 | -1) => {
    const places = to === 'pivot' ? signal.pivots : hits.map(({ from }) => from);
    const t = neighbour(places, at ?? -1, by);
    if (t === undefined) announce(to === 'pivot' ? 'No further pivot' : 'Nothing further found');
    else {
      pick(t);
      announce(sayToken(trace, values, signal, t));
    }
  };
  useEffect(() => onReady({ trace, jump, hits: hits.length }));
  // A link within the page may point to another token of the same trace.
  useEffect(() => {
    if (props.token !== null) setAt(within(trace, props.token));
  }, [trace, props.token]);
  const range = useMemo(() => rangeOf(trace.tokens, props.span, at), [trace, props.span, at]);
  const common = { range, at, onPick: pick, onStep: step };
  const changed = signal.changes;
  return (
    <>
      <div class="trace-charts">
        <Chart
          {...common}
          label={`${signal.label}${drawn.column === null ? '' : `, ${drawn.column}`} (${signal.unit})`}
          values={values}
          behind={drawn.column === null ? null : signal.values}
          threshold={null}
          pivots={signal.pivots}
          tone="blue"
          sayToken={(t) => sayToken(trace, values, signal, t)}
        />
        {changed === null || signal.name === 'layer_far_mass' ? null : (
          <Chart
            {...common}
            label={`change of ${signal.label}`}
            values={changed}
            threshold={signal.tau}
            pivots={signal.pivots}
            tone="purple"
            sayToken={(t) => sayToken(trace, changed, signal, t)}
          />
        )}
      </div>
      {drawn.problem === null ? null : <Notice tone="warning">{drawn.problem}</Notice>}
      <div class="reading">
        <Inspector trace={trace} drawn={drawn} at={hover ?? at} />
        <Tokens
          trace={trace}
          drawn={drawn.drawn}
          at={at}
          label={`Response, coloured by ${look.by === 'change' ? 'change of ' : ''}${signal.label}; arrow keys go from token to token`}
          onPick={pick}
          onHover={setHover}
          onStep={step}
        />
      </div>
    </>
  );
}

function within(trace: Trace, t: number | null): number | null {
  return t === null || trace.tokens === 0 ? null : Math.min(t, trace.tokens - 1);
}

/** `span` tokens around the picked one. It moves in steps of half a span, so that it stands still from token to token. */
function rangeOf(tokens: number, span: number | null, at: number | null): Chunk {
  if (span === null || span >= tokens) return { from: 0, to: Math.max(1, tokens) };
  const half = span / 2;
  const from = Math.min(tokens - span, Math.max(0, Math.floor((at ?? 0) / half - 0.5) * half));
  return { from, to: from + span };
}

function Facts({ wire, tokens }: { wire: WireTrace; tokens: number }) {
  return (
    <>
      <h2 class="of">
        <Foreign text={wire.promptId} /> <span class="dim">sample {wire.sample}</span>
      </h2>
      <p class="badges">
        {wire.route === null ? null : (
          <span class={`badge c-${wire.route === 'annotated' ? 'annotate' : wire.route}`}>
            {wire.route}
          </span>
        )}
        <Verdict wire={wire} />
        <span>
          {plural(tokens, 'token')}
          {wire.finish === 'length' ? ', cut at the limit' : ''}
        </span>
        <span>
          answer{' '}
          {wire.answer === null ? (
            <em>none found</em>
          ) : (
            <code>
              <Foreign text={wire.answer} />
            </code>
          )}
        </span>
      </p>
      <details class="more">
        <summary>Question, figures and scores</summary>
        <Messages
          name={`${wire.promptId} ${wire.sample}`}
          messages={wire.prompt.map(({ role, text }) => ({
            role,
            parts: [{ type: 'text', text }],
          }))}
        />
        <Figures wire={wire} />
      </details>
    </>
  );
}

function Verdict({ wire: { verdict, label } }: { wire: WireTrace }) {
  if (verdict === null) return <span class="dim">no label</span>;
  const tone = { right: 'good', wrong: 'bad', undecided: 'open' }[verdict];
  return (
    <span class={`verdict-${tone}`}>
      {verdict}
      {verdict === 'right' ? null : (
        <span class="dim">
          {' '}
          (label <Foreign text={label ?? ''} />)
        </span>
      )}
    </span>
  );
}

function Figures({
  wire: { figures, scores, promptTokens, source, round, settings },
}: {
  wire: WireTrace;
}) {
  const facts: [string, string][] = [
    ['source', source],
    ['round', String(round)],
    ['tokens of the prompt', whole(promptTokens)],
    ['mean log probability', decimal(figures.meanLogprob, 3)],
    ['mean entropy, nats', decimal(figures.meanEntropy, 3)],
    ['largest entropy, nats', decimal(figures.maxEntropy, 3)],
    ['self-certainty', decimal(figures.meanSelfCertainty, 3)],
    ...scores.map(({ estimator, value }): [string, string] => [
      `score ${estimator}`,
      decimal(value, 3),
    ]),
  ];
  return (
    <>
      <dl class="facts small">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>
              <Foreign text={name} />
            </dt>
            <dd>
              <Foreign text={value} />
            </dd>
          </div>
        ))}
      </dl>
      {settings === null ? null : (
        <p class="small dim">
          Changes of {settings.signal.replace('_', ' ')} over {plural(settings.delta, 'token')}; the
          threshold is the {percent(settings.zeta / 100, 0)} quantile of the round.
        </p>
      )}
    </>
  );
}
