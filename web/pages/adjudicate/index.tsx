/** @jsxImportSource preact */
/** The adjudicate page: answers that disagree, side by side, and a ruling that settles the question. */
import { useEffect, useState } from 'preact/hooks';
import { plural, whole } from '../../../src/report/format.ts';
import type { WireDispute } from '../../../src/server/wire.ts';
import { adminCalls } from '../../calls.ts';
import { useKeys } from '../../keys.ts';
import { Action, Empty, Loaded, useTitle } from '../../parts/controls.tsx';
import { Messages } from '../../parts/messages.tsx';
import { useRemote } from '../../parts/remote.ts';
import { Ruling } from './ruling.tsx';

export default function Adjudicate() {
  useTitle('Adjudicate');
  const remote = useRemote((signal) => adminCalls.disputes(signal), { topics: ['queue'] });
  return (
    <>
      <h1>Adjudicate</h1>
      <Loaded of={remote}>
        {({ disputes, total }) =>
          disputes.length === 0 ? (
            <Empty>
              No answers disagree. Questions come here when two people answer differently, or a
              person and a label.
            </Empty>
          ) : (
            <Disputes disputes={disputes} total={total} onRuled={remote.reload} />
          )
        }
      </Loaded>
    </>
  );
}

/** One at a time. The one on screen stays there when others come or go. */
function Disputes(props: { disputes: readonly WireDispute[]; total: number; onRuled: () => void }) {
  const { disputes, total } = props;
  const [wanted, setWanted] = useState<string | null>(null);
  const found = disputes.findIndex((one) => one.promptId === wanted);
  const at = Math.max(0, found);
  const dispute = disputes[at];
  const go = (by: number) =>
    setWanted(disputes[(at + by + disputes.length) % disputes.length]?.promptId ?? null);
  useEffect(() => {
    if (dispute !== undefined && wanted !== dispute.promptId) setWanted(dispute.promptId);
  }, [dispute, wanted]);
  useKeys([
    { key: 'j', act: () => go(1) },
    { key: 'k', act: () => go(-1) },
  ]);
  if (dispute === undefined) return null;
  return (
    <>
      <div class="turn">
        <p>
          <b>{whole(at + 1)}</b> of {plural(total, 'question')} in dispute
        </p>
        <Action
          label="Previous"
          keyName="k"
          disabled={disputes.length < 2}
          onPress={() => go(-1)}
        />
        <Action label="Next" keyName="j" disabled={disputes.length < 2} onPress={() => go(1)} />
      </div>
      <section class="panel question" aria-labelledby="question-title">
        <h2 id="question-title">Question</h2>
        <Messages key={dispute.promptId} messages={dispute.messages} name={dispute.promptId} />
      </section>
      <Ruling key={dispute.promptId} dispute={dispute} onRuled={props.onRuled} />
    </>
  );
}
