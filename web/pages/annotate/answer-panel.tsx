/** @jsxImportSource preact */
/** Where the answer is typed: the field, how the verifier reads it, and the other things to say about a question. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { LONGEST } from '../../../src/server/wire.ts';
import { Answer, mathsIn, Reads } from '../../parts/answer.tsx';
import { Action } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { type Desk, verdictWords } from './desk.ts';

interface Props {
  desk: Desk;
  /** Counts up when the note is asked for. */
  noting: number;
  onNote: () => void;
  onHelp: () => void;
}

export function AnswerPanel({ desk, noting, onNote, onHelp }: Props) {
  const question = desk.question.value;
  const none = question === null;
  return (
    <section class="panel answering" aria-labelledby="answer-title">
      <h2 id="answer-title" class="unseen">
        Your answer
      </h2>
      <header>
        <label for="answer">Your answer</label>
        <Action label="Keys" keyName="?" tone="quiet" onPress={onHelp} />
      </header>
      <Field desk={desk} />
      <Understood desk={desk} />
      <Word desk={desk} />
      <div class="actions">
        <Action
          tone="main"
          label="Submit"
          keyName="Enter"
          disabled={none}
          onPress={() => void desk.submit('answer')}
        />
        <Action label="Skip" keyName="s" disabled={none} onPress={() => void desk.submit('skip')} />
        <Action label="Note" keyName="n" disabled={none} onPress={onNote} />
        <Action
          label="No checkable answer"
          keyName="x"
          disabled={none}
          onPress={() => void desk.submit('no_answer')}
        />
        <Action
          label="Question is wrong"
          keyName="w"
          disabled={none}
          onPress={() => void desk.submit('bad_question')}
        />
      </div>
      <Note desk={desk} asked={noting} />
      <Last desk={desk} />
    </section>
  );
}

/** Enter sends, Shift+Enter makes a line, Escape leaves. */
function Field({ desk }: { desk: Desk }) {
  const element = useRef<HTMLTextAreaElement>(null);
  const promptId = desk.question.value?.promptId;
  const begun = useRef(false);
  useLayoutEffect(() => {
    if (promptId === undefined) return;
    // Later the focus stays where it is (but for a note, which is of the last question): who has left the field works with single keys. On a phone it would open the
    // keyboard over the question.
    const fromNote = document.activeElement?.id === 'note';
    if (fromNote || (!begun.current && matchMedia('(pointer: fine)').matches))
      element.current?.focus({ preventScroll: true });
    begun.current = true;
    if (scrollY > 0) scrollTo({ top: 0 });
  }, [promptId]);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') element.current?.blur();
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) void desk.submit('answer');
  };
  return (
    <textarea
      ref={element}
      id="answer"
      rows={2}
      dir="auto"
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      enterkeyhint="send"
      maxLength={LONGEST.answer}
      readOnly={promptId === undefined}
      value={desk.answer.value}
      aria-describedby="understood"
      onInput={(event) => desk.write(event.currentTarget.value)}
      onKeyDown={press}
    />
  );
}

function Understood({ desk }: { desk: Desk }) {
  const reading = desk.reading.value;
  const answer = desk.answer.value.trim();
  const stale = reading.state === 'known' && reading.of !== answer;
  return (
    <div class={`understood ${stale ? 'stale' : ''}`}>
      <div id="understood" aria-live="polite" aria-atomic="true">
        {reading.state === 'known' ? (
          <Reads preview={reading.preview} />
        ) : (
          <p class="reads dim">{HINT[reading.state]}</p>
        )}
      </div>
      {mathsIn(answer) === null ? null : (
        <div class="typeset">
          <Answer text={answer} />
        </div>
      )}
      {answer.length < LONGEST.answer ? null : (
        <p class="reads dim">
          An answer has at most {LONGEST.answer.toLocaleString('en')} characters.
        </p>
      )}
    </div>
  );
}

const HINT = {
  blank: 'How the verifier reads it appears here.',
  asking: 'Reading…',
  unknown: 'How the verifier reads it is not known just now.',
} as const;

function Word({ desk }: { desk: Desk }) {
  const word = desk.word.value;
  return (
    <div role="alert">
      {word === null ? null : <p class={`notice ${word.tone}`}>{word.text}</p>}
    </div>
  );
}

function Note({ desk, asked }: { desk: Desk; asked: number }) {
  const element = useRef<HTMLTextAreaElement>(null);
  const shown = asked > 0 || desk.note.value !== '';
  // At once, or the first letters that follow the key would still go to the field before.
  useLayoutEffect(() => {
    if (asked > 0) element.current?.focus();
  }, [asked]);
  if (!shown || desk.question.value === null) return null;
  return (
    <>
      <label for="note">Note (for those who look at this label later)</label>
      <textarea
        ref={element}
        id="note"
        rows={2}
        dir="auto"
        maxLength={LONGEST.note}
        value={desk.note.value}
        onInput={(event) => desk.remark(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') document.getElementById('answer')?.focus();
        }}
      />
    </>
  );
}

const KINDS = {
  answer: 'Your answer',
  no_answer: 'No checkable answer',
  bad_question: 'Question is wrong',
  skip: 'The question',
} as const;

/** What became of the last one, and the way back. */
function Last({ desk }: { desk: Desk }) {
  const last = desk.last.value;
  return (
    <div class="last">
      <p class="small">
        {last === null ? (
          <span class="dim">Nothing sent since this page was opened.</span>
        ) : (
          <>
            <strong>{verdictWords[last.verdict]}</strong>{' '}
            <span class="dim">
              {KINDS[last.kind]}
              {last.answer === null ? null : (
                <>
                  : <Foreign text={last.answer.slice(0, 60)} />
                </>
              )}
            </span>
          </>
        )}
      </p>
      <Action label="Undo" keyName="u" tone="quiet" onPress={() => void desk.undo()} />
    </div>
  );
}
