/** @jsxImportSource preact */
/**
 * Where the page is: the path and the query as a signal, links that stay in the page, and what to do on leaving.
 */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

export interface Place {
  path: string;
  /** With its '?', or ''. */
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

export const place = signal<Place>(here());

window.addEventListener('popstate', () => {
  place.value = here();
});

/** Goes to an address of this app ('/traces?run=a'). `replace` makes no entry in the history: for what is typed. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const before = place.value.path;
  if (options.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  place.value = here();
  if (place.value.path !== before) scrollTo(0, 0);
}

/** A link within the app; the browser keeps its ways of opening one elsewhere (Ctrl, middle button). */
export function Link(props: {
  href: string;
  class?: string;
  current?: boolean;
  children: ComponentChildren;
}) {
  return (
    <a
      href={props.href}
      class={props.class}
      aria-current={props.current ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
          return;
        event.preventDefault();
        navigate(props.href);
      }}
    >
      {props.children}
    </a>
  );
}
