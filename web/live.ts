/**
 * What changes on the server, as it happens: one stream of events for the page, shared by all that listen.
 *
 * The stream is open only while somebody listens and the page can be seen (browsers allow six connections to a server,
 * and each tab would hold one). Whenever it opens all listeners are told, for they may have missed something.
 */
import './jitless.ts';
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type LiveEvent, liveEvent, liveTopics, paths } from '../src/server/wire.ts';
import { checkSession, reached } from './api.ts';

type Topic = LiveEvent['topic'];

/** 'off': nobody listens; 'lost': it broke and will be tried again. */
export const connection = signal<'off' | 'opening' | 'open' | 'lost'>('off');

/** A listener hears of changes at most this often, in milliseconds: hundreds may label at once. */
const APART = 400;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 20_000;

interface Listener {
  topics: ReadonlySet<Topic>;
  notify: () => void;
  timer: ReturnType<typeof setTimeout> | null;
  last: number;
}

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | null = null;
let wait = FIRST_WAIT;

/** Calls `notify` after changes of these topics, and after gaps. Returns what ends that. */
function onLive(topics: readonly Topic[], notify: () => void): () => void {
  const listener: Listener = { topics: new Set(topics), notify, timer: null, last: 0 };
  listeners.add(listener);
  if (listeners.size === 1) document.addEventListener('visibilitychange', follow);
  follow();
  return () => {
    listeners.delete(listener);
    if (listener.timer !== null) clearTimeout(listener.timer);
    if (listeners.size > 0) return;
    document.removeEventListener('visibilitychange', follow);
    follow();
  };
}

/** `onLive` for as long as a component is shown; `notify` may change from one rendering to the next. */
export function useLive(topics: readonly Topic[], notify: () => void): void {
  const latest = useRef(notify);
  latest.current = notify;
  const key = topics.join(' ');
  useEffect(() => {
    const wanted = liveTopics.filter((topic) => key.split(' ').includes(topic));
    return onLive(wanted, () => latest.current());
  }, [key]);
}

function follow(): void {
  const wanted = listeners.size > 0 && document.visibilityState !== 'hidden';
  if (wanted && source === null && retry === null) open();
  if (!wanted) close();
}

function open(): void {
  if (connection.value !== 'lost') connection.value = 'opening';
  const stream = new EventSource(paths.live);
  source = stream;
  stream.onopen = () => {
    wait = FIRST_WAIT;
    connection.value = 'open';
    reached.value = true;
    // What was asked for before may be older than the stream, after a gap and at first.
    for (const listener of listeners) tell(listener);
  };
  stream.onmessage = (event: MessageEvent<string>) => hear(event.data);
  stream.onerror = () => {
    // The browser's own retry gives up on any status but 200, so the waiting is ours.
    stream.close();
    if (source !== stream) return;
    source = null;
    connection.value = 'lost';
    // The stream does not say why it ended: out of reach, signed out, or too many pages that listen.
    void checkSession();
    retry = setTimeout(() => {
      retry = null;
      follow();
    }, wait);
    wait = Math.min(LONGEST_WAIT, wait * 2);
  };
}

function close(): void {
  source?.close();
  source = null;
  if (retry !== null) clearTimeout(retry);
  retry = null;
  connection.value = 'off';
}

function hear(data: string): void {
  const event = liveEvent.safeParse(parsed(data));
  if (!event.success) return;
  for (const listener of listeners) if (listener.topics.has(event.data.topic)) tell(listener);
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function tell(listener: Listener): void {
  if (listener.timer !== null) return;
  const rest = Math.max(0, listener.last + APART - Date.now());
  listener.timer = setTimeout(() => {
    listener.timer = null;
    listener.last = Date.now();
    listener.notify();
  }, rest);
}
