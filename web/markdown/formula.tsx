/** @jsxImportSource preact */
/** A formula: its source until it can be set, and where it cannot. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { visible } from '../../src/report/format.ts';
import { scrollBox } from '../../src/report/sections/parts.tsx';
import { loadKatex, readyKatex, typeset } from './typeset.ts';

/** What became of a formula: set, too wide for its place (so that it scrolls), or not to be set. */
type Outcome = 'set' | 'wide' | 'failed';

export function Formula(props: { tex: string; source: string; display: boolean }) {
  const { tex, source, display } = props;
  const element = useRef<HTMLSpanElement>(null);
  const [state, setState] = useState<{ of: string; is: Outcome } | null>(null);
  const of = `${display} ${tex}`;

  useLayoutEffect(() => {
    let current = true;
    const set = (katex: Parameters<typeof typeset>[0]) => {
      const into = element.current;
      if (!current || into === null) return;
      setState({ of, is: setInto(katex, into, tex, display) });
    };
    const katex = readyKatex();
    if (katex !== null) set(katex);
    else
      loadKatex().then(set, () => {
        if (current) setState({ of, is: 'failed' });
      });
    return () => {
      current = false;
    };
  }, [of, tex, display]);

  const is = state?.of === of ? state.is : null;
  const shown = is === 'set' || is === 'wide';
  // Two elements: what KaTeX makes stands in one that preact never fills, so that neither undoes the other.
  return (
    <span class={`formula ${display ? 'display' : 'inline'}`} dir="ltr">
      <span
        ref={element}
        key={of}
        hidden={!shown}
        class={`set ${is === 'wide' ? 'wide' : ''}`}
        {...(is === 'wide' ? scrollBox('Formula') : {})}
      />
      {shown ? null : <Source text={source} failed={is === 'failed'} />}
    </span>
  );
}

function Source({ text, failed }: { text: string; failed: boolean }) {
  return (
    <code
      class={failed ? 'unset' : undefined}
      title={failed ? 'This formula cannot be set; here is its source.' : undefined}
    >
      {visible(text)}
    </code>
  );
}

function setInto(
  katex: Parameters<typeof typeset>[0],
  into: HTMLElement,
  tex: string,
  display: boolean,
): Outcome {
  if (!typeset(katex, into, tex, display)) return 'failed';
  into.hidden = false;
  return into.scrollWidth > into.clientWidth + 1 ? 'wide' : 'set';
}
