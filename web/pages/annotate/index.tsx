/** @jsxImportSource preact */
/** The annotate page: the next most useful question, a field for its answer, and a key for everything. */
import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { session } from '../../api.ts';
import { calls } from '../../calls.ts';
import { useKeys } from '../../keys.ts';
import { useLive } from '../../live.ts';
import { useTitle } from '../../parts/controls.tsx';
import { idleFor, watchActivity } from './activity.ts';
import { AnswerPanel } from './answer-panel.tsx';
import { createDesk } from './desk.ts';
import { openDrafts } from './drafts.ts';
import { Help } from './help.tsx';
import { Policy } from './policy.tsx';
import { ProgressStrip } from './progress-strip.tsx';
import { Nothing, Question } from './question.tsx';

/** Without a key or a touch for so long nobody is taken to be there, and no question is asked for. */
const AWAY_MS = 5 * 60_000;

export default function Annotate() {
  useTitle('Annotate');
  const me = session.value;
  return <Desk owner={`${me?.account ?? ''} ${me?.user?.id ?? ''}`} />;
}

function Desk({ owner }: { owner: string }) {
  const desk = useMemo(() => createDesk(calls, openDrafts(owner)), [owner]);
  const [help, setHelp] = useState(false);
  const [noting, setNoting] = useState(0);

  useEffect(() => {
    void desk.ask();
    const end = watchActivity();
    return () => {
      end();
      desk.close();
    };
  }, [desk]);

  useLive(['queue', 'labels'], () => {
    void desk.refresh();
    if (desk.question.value === null && idleFor() < AWAY_MS) void desk.ask();
  });

  const promptId = desk.question.value?.promptId;
  const has = promptId !== undefined;
  useLayoutEffect(() => setNoting(0), [promptId]);
  const when = (act: () => void) => () => {
    if (desk.question.value !== null) act();
  };
  useKeys([
    { key: 'enter', act: () => void (has ? desk.submit('answer') : desk.ask()) },
    { key: 's', act: when(() => void desk.submit('skip')) },
    { key: 'x', act: when(() => void desk.submit('no_answer')) },
    { key: 'w', act: when(() => void desk.submit('bad_question')) },
    { key: 'u', act: () => void desk.undo() },
    { key: 'r', act: when(() => void desk.reveal()) },
    { key: 'n', act: when(() => setNoting((times) => times + 1)) },
    { key: 'a', act: () => document.getElementById('answer')?.focus() },
    { key: 'g', act: () => void (has ? desk.renew() : desk.ask()) },
    { key: '?', act: () => setHelp(true) },
  ]);

  return (
    <div class="annotate">
      <h1 class="unseen">Annotate</h1>
      <ProgressStrip desk={desk} />
      <div class="bench">
        {has ? <Question desk={desk} /> : <Nothing desk={desk} />}
        <div class="side">
          <AnswerPanel
            desk={desk}
            noting={noting}
            onNote={() => setNoting((times) => times + 1)}
            onHelp={() => setHelp(true)}
          />
          <Policy desk={desk} />
        </div>
      </div>
      <Help open={help} onClose={() => setHelp(false)} />
    </div>
  );
}
