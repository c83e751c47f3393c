/** @jsxImportSource preact */
/** The question in hand, for how long it is, and what stands there when there is none. */
import { useEffect, useState } from 'preact/hooks';
import { whole } from '../../../src/report/format.ts';
import type { WireQuestion } from '../../../src/server/wire.ts';
import { Action } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { Messages } from '../../parts/messages.tsx';
import { idleFor } from './activity.ts';
import { type Desk, secondsLeft } from './desk.ts';

const REASONS: Record<string, string> = {
  group_disagrees: 'the model’s answers disagree',
  planned: 'chosen by the plan',
  undecided: 'the verifier could not decide',
};

export function Question({ desk }: { desk: Desk }) {
  const question = desk.question.value;
  if (question === null) return null;
  const reason = REASONS[question.reason];
  return (
    <section class="panel question" aria-labelledby="question-title">
      <header>
        <h2 id="question-title">Question</h2>
        <p class="dim small">
          <Foreign text={question.source} />
          {reason === undefined ? null : ` · ${reason}`}
          {question.run === null ? null : (
            <>
              {' · asked by '}
              <Foreign text={question.run} />
              {question.step === null ? null : ` at step ${whole(question.step)}`}
            </>
          )}
        </p>
      </header>
      <Lease desk={desk} question={question} />
      <Messages key={question.promptId} messages={question.messages} name={question.promptId} />
    </section>
  );
}

/** Seconds before its end at which a lease is mentioned at most. */
const SOON = 45;
/** Someone who did something within this time is taken to work on the question. */
const AT_WORK_MS = 60_000;

/** Keeps the question for as long as somebody works on it, and says so when time runs out for one who does not. */
function Lease({ desk, question }: { desk: Desk; question: WireQuestion }) {
  const [left, setLeft] = useState(() => secondsLeft(question));
  const [span, setSpan] = useState(left);
  useEffect(() => {
    const given = secondsLeft(question);
    let asked = false;
    setSpan(given);
    const look = () => {
      const now = secondsLeft(question);
      setLeft(now);
      const away = document.visibilityState === 'hidden' || idleFor() > AT_WORK_MS;
      if (asked || away || now > given / 2) return;
      asked = true;
      void desk.renew().finally(() => {
        // Where that failed it is tried again, but not at once.
        setTimeout(() => {
          asked = false;
        }, 5_000);
      });
    };
    look();
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [desk, question]);

  if (left > Math.min(SOON, span * 0.3)) return null;
  return (
    <div class="notice note lease">
      <p>
        {left > 0
          ? `This question is yours for ${Math.ceil(left).toString()} s more.`
          : 'Your time with this question has run out: it may go to somebody else. What you typed is kept.'}
      </p>
      <Action label="Keep it" keyName="g" onPress={() => void desk.renew()} />
    </div>
  );
}

const WHY: Record<'empty' | 'taken' | 'budget', { title: string; text: string }> = {
  empty: {
    title: 'All caught up',
    text: 'No question waits for a label. New ones appear here by themselves, as training asks for them.',
  },
  taken: {
    title: 'Nothing left for you',
    text: 'What still waits is in other hands, or you have answered it. A question that comes free appears here by itself.',
  },
  budget: {
    title: 'The budget is used up',
    text: 'No more labels may be added to this account. Thank you.',
  },
};

/** Why there is no question. */
export function Nothing({ desk }: { desk: Desk }) {
  const why = desk.nothing.value;
  if (why === null)
    return (
      <section class="panel question" aria-busy="true">
        {desk.word.value === null ? (
          <p class="dim">Fetching a question…</p>
        ) : (
          <>
            <p>{desk.word.value.text}</p>
            <Action label="Try again" keyName="g" onPress={() => void desk.ask()} />
          </>
        )}
      </section>
    );
  return (
    <section class="panel question nothing" aria-labelledby="question-title">
      <h2 id="question-title">{WHY[why].title}</h2>
      <p>{WHY[why].text}</p>
      {why === 'budget' ? null : (
        <Action label="Ask again" keyName="g" onPress={() => void desk.ask()} />
      )}
    </section>
  );
}
