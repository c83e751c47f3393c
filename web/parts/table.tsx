/** @jsxImportSource preact */
/** A table that scrolls sideways in its own box, which has to be named and reachable by keyboard (WCAG 2.1.1). */
import type { ComponentChildren } from 'preact';
import { scrollBox } from '../../src/report/sections/parts.tsx';

export { Head, Table } from '../../src/report/sections/parts.tsx';

/** Any other box that scrolls. */
export function Scroll(props: { label: string; class?: string; children: ComponentChildren }) {
  return (
    <div class={`scroll ${props.class ?? ''}`} {...scrollBox(props.label)}>
      {props.children}
    </div>
  );
}
