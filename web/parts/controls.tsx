/** @jsxImportSource preact */
/**
 * What pages are made of: buttons that show their key, notices, panels, loading and emptiness, announcements.
 */
import { type Signal, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { typing } from '../keys.ts';
import type { Remote } from './remote.ts';

/** A key as it has to be pressed now: with Alt while something is typed. */
export function Key({ name, always = false }: { name: string; always?: boolean }) {
  const alt = !always && typing.value;
  return (
    <span class="keycap" aria-hidden="true">
      {alt ? 'Alt ' : ''}
      {name.toUpperCase()}
    </span>
  );
}

/** A button with the key that does the same. The key itself is bound by the page (`useKeys`). */
export function Action(props: {
  label: string;
  keyName?: string;
  onPress: () => void;
  disabled?: boolean;
  pressed?: boolean;
  tone?: 'main' | 'plain' | 'quiet';
  title?: string;
}) {
  const { keyName } = props;
  const short = keyName?.length === 1;
  return (
    <button
      type="button"
      class={`action ${props.tone ?? 'plain'}`}
      disabled={props.disabled}
      aria-pressed={props.pressed}
      title={props.title}
      aria-keyshortcuts={short ? `${keyName} Alt+${keyName}` : keyName}
      onClick={props.onPress}
    >
      <span>{props.label}</span>
      {keyName === undefined ? null : <Key name={keyName} always={!short} />}
    </button>
  );
}

/** A sentence that stands out. `alert` is read out at once by screen readers; the others are not. */
export function Notice(props: {
  tone: 'note' | 'warning' | 'good';
  alert?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div class={`notice ${props.tone}`} role={props.alert ? 'alert' : undefined}>
      {props.children}
    </div>
  );
}

/** A part of a page with a heading. */
export function Panel(props: {
  id: string;
  title: string;
  hideTitle?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-labelledby={`${props.id}-title`}>
      <h2 id={`${props.id}-title`} class={props.hideTitle ? 'unseen' : undefined}>
        {props.title}
      </h2>
      {props.children}
    </section>
  );
}

/** What came of a `useRemote`: its value, or that it loads, or why it cannot be had (and both, where a newer one failed). */
export function Loaded<T>(props: { of: Remote<T>; children: (value: T) => ComponentChildren }) {
  const { value, problem, reload } = props.of;
  return (
    <>
      {problem === null ? null : (
        <Notice tone="warning" alert>
          <p>{problem}</p>
          <button type="button" class="action plain" onClick={reload}>
            Try again
          </button>
        </Notice>
      )}
      {value === null ? (
        problem === null ? (
          <p class="dim">Loading…</p>
        ) : null
      ) : (
        props.children(value)
      )}
    </>
  );
}

/** Says that there is nothing, and what would bring something. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="missing">{children}</p>;
}

/** How much of a whole is done. */
export function Meter(props: { label: string; value: number; of: number }) {
  return (
    <progress
      aria-label={props.label}
      value={Math.min(props.value, props.of)}
      max={Math.max(props.of, 1)}
    />
  );
}

/** The last thing said to screen readers; the shell holds the region. A trailing space tells a repetition. */
const announcement: Signal<string> = signal('');

/** Has a screen reader say something when it is free to. */
export function announce(text: string): void {
  announcement.value = announcement.value === text ? `${text} ` : text;
}

export function Announcer() {
  return (
    <p class="unseen" role="status" aria-live="polite">
      {announcement.value}
    </p>
  );
}

/** A dialog over the page; the browser keeps the focus in it and Escape closes it. */
export function Dialog(props: {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (props.open && element.current?.open === false) {
      element.current.showModal();
      // The browser would go to the first button, which may be far down.
      element.current.querySelector<HTMLElement>('h2')?.focus();
    }
    if (!props.open && element.current?.open) element.current.close();
  }, [props.open]);
  return (
    <dialog ref={element} aria-labelledby="dialog-title" onClose={props.onClose}>
      <h2 id="dialog-title" tabIndex={-1}>
        {props.title}
      </h2>
      {props.open ? props.children : null}
      <p>
        <button type="button" class="action main" onClick={props.onClose}>
          <span>Close</span>
          <Key name="Esc" always />
        </button>
      </p>
    </dialog>
  );
}

/** Sets the title of the window. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · pivottrace`;
  }, [title]);
}
