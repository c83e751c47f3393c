/** @jsxImportSource preact */
/** What is known of one token: its text, its id, every signal at it, and whether it is a pivot. */
import { DASH, decimal, isKnown, visible, whole } from '../../../src/report/format.ts';
import type { Drawn } from './look.ts';
import type { Signal, Trace } from './model.ts';

/** Keeps its height, so that the text below does not move as the pointer does. */
export function Inspector({ trace, drawn, at }: { trace: Trace; drawn: Drawn; at: number | null }) {
  if (at === null)
    return (
      <div class="inspector">
        <p class="dim">Point at a token, or pick one, to see its values.</p>
      </div>
    );
  return (
    <div class="inspector">
      <p>
        <span class="dim">Token {whole(at + 1)}</span>{' '}
        <code class="piece">{quoted(trace, at)}</code> <span class="dim">id {trace.ids[at]}</span>
        {drawn.signal.pivots.includes(at) ? <strong class="pivot"> pivot</strong> : null}
      </p>
      <dl>
        {drawn.column === null ? null : (
          <Value name={`${drawn.signal.label}, ${drawn.column}`} value={drawn.values[at]} />
        )}
        {trace.signals.map((signal) => (
          <SignalValues key={signal.name} signal={signal} at={at} />
        ))}
      </dl>
    </div>
  );
}

function SignalValues({ signal, at }: { signal: Signal; at: number }) {
  const { label, tau, changes } = signal;
  return (
    <>
      <Value name={label} value={signal.values[at]} />
      {changes === null || signal.name === 'layer_far_mass' ? null : (
        <Value
          name={`its change${tau === null ? '' : ` (τ ${decimal(tau)})`}`}
          value={changes[at]}
          loud={tau !== null && (changes[at] ?? 0) >= tau}
        />
      )}
    </>
  );
}

function Value(props: { name: string; value: number | undefined; loud?: boolean }) {
  return (
    <div class={props.loud ? 'loud' : undefined}>
      <dt>{props.name}</dt>
      <dd>{isKnown(props.value) ? decimal(props.value, 3) : DASH}</dd>
    </div>
  );
}

function quoted(trace: Trace, t: number): string {
  return visible(trace.piece(t)).replaceAll('\n', '⏎').replaceAll(' ', '␣');
}

/** A token and its value in words. */
export function sayToken(
  trace: Trace,
  values: ArrayLike<number>,
  signal: Signal,
  t: number,
): string {
  const pivot = signal.pivots.includes(t) ? ', pivot' : '';
  return `token ${t + 1}: ${visible(trace.piece(t)).trim() || 'space'}, ${decimal(values[t])}${pivot}`;
}
