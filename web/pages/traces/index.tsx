/** @jsxImportSource preact */
/** Traces: a list to choose from, and the tokens of one or two responses. */
import { useTitle } from '../../parts/controls.tsx';
import { place } from '../../router.tsx';
import { addressOf } from './address.ts';
import { List } from './list.tsx';
import { Viewer } from './viewer.tsx';

export default function TracesPage() {
  const address = addressOf(place.value.search);
  const { trace, beside } = address;
  useTitle(trace === null ? 'Traces' : `Trace of ${trace.prompt.slice(0, 60)}`);
  if (trace === null) return <List address={address} />;
  const named = [trace, beside].map((key) => JSON.stringify(key)).join(' ');
  return <Viewer key={named} address={address} trace={trace} />;
}
