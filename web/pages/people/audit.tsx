/** @jsxImportSource preact */
/** Who did what, the newest first. */
import { useState } from 'preact/hooks';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import type { WireAudit } from '../../../src/server/wire.ts';
import { adminCalls } from '../../calls.ts';
import { Empty, Loaded, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { When } from '../../parts/when.tsx';

/** Characters of a detail that are shown. */
const LONGEST = 300;

export function Audit() {
  const [before, setBefore] = useState<number | null>(null);
  const remote = useRemote((signal) => adminCalls.audit(before, signal), {
    key: String(before),
    topics: before === null ? ['queue', 'labels', 'users'] : [],
  });
  return (
    <Panel id="audit" title="What was done">
      <Loaded of={remote}>
        {(page) =>
          page.entries.length === 0 ? (
            <Empty>Nothing is on record yet.</Empty>
          ) : (
            <>
              <Entries of={page.entries} />
              <div class="turn">
                {before === null ? null : (
                  <button type="button" class="action plain" onClick={() => setBefore(null)}>
                    <span>Newest</span>
                  </button>
                )}
                {page.before === null ? null : (
                  <button type="button" class="action plain" onClick={() => setBefore(page.before)}>
                    <span>Older</span>
                  </button>
                )}
              </div>
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Entries({ of }: { of: WireAudit['entries'] }) {
  return (
    <Table caption="The audit log; nothing is ever deleted from it">
      <Head columns={['When', 'Who', 'Did', 'To', 'Detail']} />
      <tbody>
        {of.map((entry) => (
          <tr key={entry.ordinal}>
            <td class="nowrap">
              <When at={entry.at} />
            </td>
            <td>
              {entry.who === null ? (
                <span class="dim">nobody signed in</span>
              ) : (
                <Foreign text={entry.who} />
              )}
            </td>
            <td>
              <Foreign text={entry.action.replaceAll('_', ' ')} />
            </td>
            <td>
              <Foreign text={entry.subject.slice(0, LONGEST)} />
            </td>
            <td class="text">
              <Foreign text={detailOf(entry.detail)} />
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function detailOf(detail: WireAudit['entries'][number]['detail']): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
    .slice(0, LONGEST);
}
