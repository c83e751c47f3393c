/** @jsxImportSource preact */
/**
 * The tokens of a response as text, coloured by level. Tokens have no listeners and no numbers of their own: the box knows
 * from a token's place in its chunk which one it is, so that 16,000 of them stay light. Chunks out of sight are not laid out.
 */
import { Component, type RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { visible } from '../../../src/report/format.ts';
import { scrollBox } from '../../../src/report/sections/parts.tsx';
import { type Chunk, classOf, isPivot, type Trace } from './model.ts';

interface ChunkProps {
  chunk: Chunk;
  trace: Trace;
  /** Of the whole response, by `drawnAs`. */
  drawn: Uint8Array;
}

class ChunkText extends Component<ChunkProps> {
  override shouldComponentUpdate({ trace, chunk, drawn }: ChunkProps): boolean {
    if (trace !== this.props.trace || chunk !== this.props.chunk) return true;
    for (let t = chunk.from; t < chunk.to; t++) if (drawn[t] !== this.props.drawn[t]) return true;
    return false;
  }

  override render({ chunk, trace, drawn }: ChunkProps) {
    const tokens = [];
    for (let t = chunk.from; t < chunk.to; t++) {
      const bits = drawn[t] ?? 0;
      const text = shownAs(trace.piece(t));
      tokens.push(
        isPivot(bits) ? (
          <mark key={t} class={classOf(bits)}>
            {text}
          </mark>
        ) : (
          <span key={t} class={classOf(bits)}>
            {text}
          </span>
        ),
      );
    }
    return <div class="chunk">{tokens}</div>;
  }
}

/** A line feed is shown by a sign as well, or a pivot on it could not be seen; an empty piece by another. */
function shownAs(piece: string): string {
  return piece === '' ? '∅' : visible(piece).replaceAll('\n', '⏎\n');
}

export interface TokensProps {
  trace: Trace;
  drawn: Uint8Array;
  /** The token that is picked; null: none. */
  at: number | null;
  label: string;
  onPick: (t: number) => void;
  /** null: the pointer has left. */
  onHover: (t: number | null) => void;
  /** Steps by keyboard: arrows, Home, End. */
  onStep: (step: number) => void;
}

const steps: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Tokens(props: TokensProps) {
  const { trace, drawn, at } = props;
  const box = useRef<HTMLDivElement>(null);
  useMark(box, trace, at);
  useListeners(box, props);
  return (
    <div ref={box} class="tokens" {...scrollBox(props.label)}>
      {trace.chunks.map((chunk) => (
        <ChunkText key={chunk.from} chunk={chunk} trace={trace} drawn={drawn} />
      ))}
    </div>
  );
}

/** One listener of each sort for all tokens. */
function useListeners(box: RefObject<HTMLDivElement>, props: TokensProps): void {
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const tokenAt = (event: Event) => indexOf(element, latest.current.trace, event.target);
    const click = (event: Event) => {
      const t = tokenAt(event);
      if (t !== null) latest.current.onPick(t);
    };
    const over = (event: PointerEvent) => {
      if (event.pointerType === 'mouse') latest.current.onHover(tokenAt(event));
    };
    const leave = () => latest.current.onHover(null);
    const press = (event: KeyboardEvent) => {
      const step = steps[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      latest.current.onStep(step);
    };
    element.addEventListener('click', click);
    element.addEventListener('pointerover', over);
    element.addEventListener('pointerleave', leave);
    element.addEventListener('keydown', press);
    return () => {
      element.removeEventListener('click', click);
      element.removeEventListener('pointerover', over);
      element.removeEventListener('pointerleave', leave);
      element.removeEventListener('keydown', press);
    };
  }, [box]);
}

function elementOf(box: HTMLElement | null, trace: Trace, t: number): Element | null {
  const place = trace.chunks.findIndex(({ to }) => t < to);
  const chunk = trace.chunks[place];
  return chunk === undefined ? null : (box?.children[place]?.children[t - chunk.from] ?? null);
}

function indexOf(box: HTMLElement, trace: Trace, target: EventTarget | null): number | null {
  if (!(target instanceof Element)) return null;
  const { parentElement } = target;
  if (parentElement === null || parentElement.parentElement !== box) return null;
  const chunk = trace.chunks[Array.prototype.indexOf.call(box.children, parentElement)];
  const place = Array.prototype.indexOf.call(parentElement.children, target);
  return chunk === undefined ? null : chunk.from + place;
}

/** Marks the picked token and brings it into view, without rendering anything anew. */
function useMark(box: RefObject<HTMLDivElement>, trace: Trace, at: number | null): void {
  const marked = useRef<Element | null>(null);
  // After every rendering: one that changed the token's class took the mark away.
  useLayoutEffect(() => {
    const element = at === null ? null : elementOf(box.current, trace, at);
    if (marked.current !== element) marked.current?.classList.remove('at');
    element?.classList.add('at');
    marked.current = element;
  });
  useEffect(() => {
    if (at === null) return;
    bring(box.current, elementOf(box.current, trace, at));
    // Chunks that come into sight get their true height, which moves what is below them.
    const frame = requestAnimationFrame(() =>
      bring(box.current, elementOf(box.current, trace, at)),
    );
    return () => cancelAnimationFrame(frame);
  }, [box, trace, at]);
}

/** Scrolls the box, and only the box, until the token can be seen. */
function bring(box: HTMLElement | null, element: Element | null): void {
  if (box === null || element === null) return;
  const outer = box.getBoundingClientRect();
  const inner = element.getBoundingClientRect();
  const margin = 40;
  if (inner.top >= outer.top + margin && inner.bottom <= outer.bottom - margin) return;
  box.scrollTop += inner.top - outer.top - outer.height / 3;
}
