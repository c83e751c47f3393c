/** @jsxImportSource preact */
/** One answer in dispute: who gave it, as it is set and as it was typed, and how the verifier reads it. */
import { useEffect, useState } from 'preact/hooks';
import type { WirePreview } from '../../../src/server/wire.ts';
import { calls } from '../../calls.ts';
import { Answer, mathsIn, Reads } from '../../parts/answer.tsx';
import { Key } from '../../parts/controls.tsx';
import { Foreign, LongText } from '../../parts/foreign.tsx';
import { When } from '../../parts/when.tsx';
import type { Reading as State } from '../annotate/reading.ts';
import type { Given } from './choice.ts';

const SAYS = {
  answer: '',
  no_answer: 'No checkable answer',
  bad_question: 'The question is wrong',
  skip: 'Skipped',
} as const;

interface Props {
  given: Given;
  promptId: string;
  /** Its key; null where it has none. */
  number: number | null;
  chosen: boolean;
  onChoose: () => void;
}

export function Card({ given, promptId, number, chosen, onChoose }: Props) {
  const { answer, by, kind, note, remark, at } = given;
  return (
    <label class={`card-choice ${chosen ? 'chosen' : ''}`}>
      <input
        type="radio"
        name="choice"
        checked={chosen}
        disabled={kind === 'skip'}
        onChange={onChoose}
      />
      <span class="by">
        <Foreign text={by} />
        <span class="dim small">
          {' '}
          {at === null ? null : <When at={at} />}
          {at === null || remark === '' ? '' : ' · '}
          {remark}
        </span>
      </span>
      {number === null ? null : <Key name={number.toString()} />}
      {answer === null ? (
        <p class="given">{SAYS[kind]}</p>
      ) : (
        <div class="given">
          <Answer text={answer} />
          {mathsIn(answer) === null ? null : <LongText text={answer} first={600} />}
          <OfAnswer promptId={promptId} answer={answer} />
        </div>
      )}
      {note === '' ? null : (
        <div class="remark">
          <span class="dim small">Note: </span>
          {note.length > 400 ? <LongText text={note} first={400} /> : <Foreign text={note} />}
        </div>
      )}
    </label>
  );
}

function OfAnswer({ promptId, answer }: { promptId: string; answer: string }) {
  const [preview, setPreview] = useState<WirePreview | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    // Without a reading the answer itself is still there to judge.
    calls.preview(promptId, answer, controller.signal).then(setPreview, () => undefined);
    return () => controller.abort();
  }, [promptId, answer]);
  return preview === null ? null : <Reads preview={preview} />;
}

/** How the verifier reads what is being typed. */
export function Reading({ of }: { of: State }) {
  return (
    <div aria-live="polite">{of.state === 'known' ? <Reads preview={of.preview} /> : null}</div>
  );
}
