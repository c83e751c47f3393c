/** @jsxImportSource preact */
/** The answers in dispute as cards to choose from, one's own answer, and the ruling. Choosing is one step, ruling another. */
import { useRef } from 'preact/hooks';
import { LONGEST, type WireDispute } from '../../../src/server/wire.ts';
import { useKeys } from '../../keys.ts';
import { Action, Key, Notice } from '../../parts/controls.tsx';
import { Card, Reading } from './card.tsx';
import { type Choice, givenIn, type Making, useMaking } from './choice.ts';

/** Answers that have a digit for a key. */
const DIGITS = 9;

export function Ruling({ dispute, onRuled }: { dispute: WireDispute; onRuled: () => void }) {
  const { promptId } = dispute;
  const answers = givenIn(dispute);
  const making = useMaking(dispute, onRuled);
  const focus = (id: string) => document.getElementById(id)?.focus();
  useKeys([
    ...answers
      .slice(0, DIGITS)
      .map((_, at) => ({ key: (at + 1).toString(), act: () => making.choose(at) })),
    { key: 'x', act: () => making.choose('no_answer') },
    { key: 'w', act: () => making.choose('bad_question') },
    { key: 'o', act: () => focus('own') },
    { key: 'n', act: () => focus('note') },
    { key: 'enter', act: () => void making.settle() },
  ]);
  return (
    <div class="ruling">
      <fieldset>
        <legend>Which answer is right?</legend>
        <div class="cards">
          {answers.map((given, at) => (
            <Card
              key={given.key}
              given={given}
              promptId={promptId}
              number={at < DIGITS ? at + 1 : null}
              chosen={making.choice === at}
              onChoose={() => making.choose(at)}
            />
          ))}
          <Own making={making} />
          <Other making={making} choice="no_answer" name="No checkable answer" keyName="x" />
          <Other making={making} choice="bad_question" name="The question is wrong" keyName="w" />
        </div>
      </fieldset>
      <Note making={making} />
      {making.problem === null ? null : (
        <Notice tone="warning" alert>
          <p>{making.problem}</p>
        </Notice>
      )}
      <div class="actions">
        <Action
          tone="main"
          label="Settle it"
          keyName="Enter"
          onPress={() => void making.settle()}
        />
      </div>
    </div>
  );
}

function Own({ making }: { making: Making }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') field.current?.blur();
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) void making.settle();
  };
  return (
    <div class="card-choice">
      <input
        type="radio"
        name="choice"
        id="choose-own"
        checked={making.choice === 'own'}
        onChange={() => field.current?.focus()}
      />
      <label for="choose-own">Another answer</label>
      <Key name="o" />
      <textarea
        ref={field}
        id="own"
        rows={2}
        dir="auto"
        spellcheck={false}
        maxLength={LONGEST.answer}
        aria-label="The other answer"
        value={making.own}
        onFocus={() => making.choose('own')}
        onInput={(event) => making.write(event.currentTarget.value)}
        onKeyDown={press}
      />
      <Reading of={making.reading} />
    </div>
  );
}

function Other(props: { making: Making; choice: Choice; name: string; keyName: string }) {
  const { making, choice } = props;
  return (
    <label class="card-choice">
      <input
        type="radio"
        name="choice"
        checked={making.choice === choice}
        onChange={() => making.choose(choice)}
      />
      <span>{props.name}</span>
      <Key name={props.keyName} />
    </label>
  );
}

function Note({ making }: { making: Making }) {
  return (
    <>
      <label for="note">
        Note <Key name="n" />
      </label>
      <textarea
        id="note"
        rows={2}
        dir="auto"
        maxLength={LONGEST.note}
        value={making.note}
        onInput={(event) => making.remark(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
    </>
  );
}
