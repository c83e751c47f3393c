/** @jsxImportSource preact */
/**
 * Pieces that the sections share: a section with its heading, a table in its own scrolling box, a
 * notice, and the sentence for what has not been run yet.
 */
import type { ComponentChildren } from 'preact';
import type { Estimate } from '../data.ts';
import { DASH, isKnown, percent, visible } from '../format.ts';

export function Section(props: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section id={props.id} aria-labelledby={`${props.id}-title`}>
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** Says which command makes what is missing. */
export function Missing({ what, command }: { what: string; command: string }) {
  return (
    <p class="missing">
      {what} Run <code>{command}</code>, then write the report again.
    </p>
  );
}

export function Warning({ children }: { children: ComponentChildren }) {
  return (
    <div class="warning" role="note">
      <p>
        <strong>Note: </strong>
        {children}
      </p>
    </div>
  );
}

/** A box that scrolls by itself has to be named and reachable by keyboard (WCAG 2.1.1). */
export function scrollBox(label: string) {
  return { role: 'region', tabIndex: 0, 'aria-label': label } as const;
}

/** A table that scrolls sideways in its own box. */
export function Table(props: { caption: string; children: ComponentChildren }) {
  return (
    <div class="table" {...scrollBox(props.caption)}>
      <table>
        <caption>
          <span>{props.caption}</span>
        </caption>
        {props.children}
      </table>
    </div>
  );
}

/** Head row; a heading that starts with '#' belongs to a column of numbers. */
export function Head({ columns }: { columns: string[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col" class={column.startsWith('#') ? 'n' : undefined}>
            {column.replace(/^#/, '')}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** A cell of one number, already formatted, with an optional second line. */
export function Num({ children, under }: { children: string; under?: string | null }) {
  return (
    <td class="n">
      {children}
      {under === undefined || under === null ? null : <span class="ci">{under}</span>}
    </td>
  );
}

/** An estimate with its interval under it; the interval is without the unit. */
export function EstimateCell(props: {
  estimate: Estimate | null;
  format?: (value: number) => string;
}) {
  const { estimate, format = percent } = props;
  if (estimate === null || !isKnown(estimate.value)) return <Num>{DASH}</Num>;
  const bare = (value: number) => format(value).replace('\u00a0%', '');
  return <Num under={interval(estimate, bare)}>{format(estimate.value)}</Num>;
}

/** The interval of an estimate as text; null when it has none. */
export function interval(estimate: Estimate, format: (value: number) => string): string | null {
  if (!isKnown(estimate.low) || !isKnown(estimate.high)) return null;
  return `${format(estimate.low)} to ${format(estimate.high)}`;
}

/** Names and values beside each other, as at the top of a page. */
export function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{visible(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
