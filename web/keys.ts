/**
 * Keys of a page. A key fires by itself while nothing is typed in, and with Alt at any time, so that every action is
 * within reach from the answer field.
 */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export interface Binding {
  /** A lower-case letter, a digit, '?' or 'enter' (which buttons and links keep to themselves, unless Ctrl is held). */
  key: string;
  /** Returns nothing; it is not called while a dialog is open. */
  act: () => void;
}

/** Whether a text field has the focus, so that keys need Alt. */
export const typing = signal(false);

/** Whether an element takes what is typed. */
function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type);
  return target.isContentEditable;
}

export interface Pressed {
  key: string;
  /** Fires from a text field too. */
  anywhere: boolean;
}

/** The key of an event as a binding names it; null for those that no binding can have. */
export function keyOf(
  event: Pick<
    KeyboardEvent,
    'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'isComposing' | 'repeat'
  >,
): Pressed | null {
  if (event.isComposing || event.repeat) return null;
  if (event.key === 'Enter' && !event.altKey && !event.shiftKey)
    return { key: 'enter', anywhere: event.ctrlKey || event.metaKey };
  // Ctrl with Alt is AltGr on some keyboards, which types characters.
  if (event.ctrlKey || event.metaKey) return null;
  if (!event.altKey)
    return event.key.length === 1 ? { key: event.key.toLowerCase(), anywhere: false } : null;
  if (event.code === 'Slash') return { key: '?', anywhere: true };
  // With Option a Mac types other characters: there the place of the key counts.
  const plain = /^[a-z0-9?]$/i.test(event.key)
    ? event.key
    : (/^(?:Key|Digit)([A-Z0-9])$/.exec(event.code)?.[1] ?? null);
  return plain === null ? null : { key: plain.toLowerCase(), anywhere: true };
}

/** Whether an element does something of its own with a key. */
function wants(target: EventTarget | null, key: string): boolean {
  if (takesText(target)) return true;
  return (
    key === 'enter' && target instanceof Element && target.closest('button, a, summary') !== null
  );
}

/** Listens for these keys while the component is shown, and keeps `typing`. */
export function useKeys(bindings: readonly Binding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const pressed = event.defaultPrevented ? null : keyOf(event);
      if (pressed === null || document.querySelector('dialog[open]') !== null) return;
      if (!pressed.anywhere && wants(event.target, pressed.key)) return;
      const found = latest.current.find((binding) => binding.key === pressed.key);
      if (found === undefined) return;
      event.preventDefault();
      found.act();
    };
    const look = () => {
      typing.value = takesText(document.activeElement);
    };
    // An element that goes while it has the focus says nothing, so the focus is looked at on keys too.
    const events = ['focusin', 'focusout', 'keydown'] as const;
    look();
    document.addEventListener('keydown', press);
    for (const name of events) document.addEventListener(name, look);
    return () => {
      document.removeEventListener('keydown', press);
      for (const name of events) document.removeEventListener(name, look);
    };
  }, []);
}
