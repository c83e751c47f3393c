/** @jsxImportSource preact */
/** A time as people say it, in the reader's own zone; the exact one in its title. */
import { serverNow } from '../api.ts';

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** `at`: milliseconds since 1970. */
export function When({ at }: { at: number }) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return null;
  const today = date.toDateString() === new Date(serverNow()).toDateString();
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {today ? clock.format(date) : day.format(date)}
    </time>
  );
}
