/** A ruling in the making: what is chosen, and what is sent for it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { WireDispute } from '../../../src/server/wire.ts';
import { said } from '../../api.ts';
import { adminCalls, calls, type Ruling } from '../../calls.ts';
import { announce } from '../../parts/controls.tsx';
import { createReading, type Reading } from '../annotate/reading.ts';

/** An answer in dispute: a label that the prompt has, or what an annotator said. */
export interface Given {
  key: string;
  by: string;
  kind: WireDispute['annotations'][number]['kind'];
  answer: string | null;
  note: string;
  /** What an admin should know of it; '' for nothing. */
  remark: string;
  /** null: not known. */
  at: number | null;
}

/** Labels first, for they were there first. */
export function givenIn({ labels, annotations }: WireDispute): Given[] {
  return [
    ...labels.map(({ source, answer }, at) => ({
      key: `label ${source}`,
      by: source,
      ...{ kind: 'answer' as const, answer, note: '', at: null },
      remark: at === 0 ? 'the label so far' : 'another label',
    })),
    ...annotations.map(({ ordinal, annotator, revealed, ...rest }) => ({
      ...{ ...rest, key: ordinal.toString(), by: annotator },
      remark: revealed ? 'had seen the model’s answers' : '',
    })),
  ];
}

/** What is chosen: the place of an answer, one's own answer, or that there is none. */
export type Choice = number | 'own' | 'no_answer' | 'bad_question';

export interface Making {
  choice: Choice | null;
  own: string;
  note: string;
  /** How the verifier reads `own`. */
  reading: Reading;
  /** Why it was not sent. */
  problem: string | null;
  choose(choice: Choice): void;
  write(own: string): void;
  remark(note: string): void;
  settle(): Promise<void>;
}

/** The state of a ruling over one dispute. */
export function useMaking(dispute: WireDispute, onRuled: () => void): Making {
  const [choice, setChoice] = useState<Choice | null>(null);
  const [own, setOwn] = useState('');
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const reading = useMemo(() => createReading(calls.preview), []);
  useEffect(() => () => reading.close(), [reading]);

  const settle = async () => {
    const verdict = rulingOf(dispute, choice, own);
    if (typeof verdict === 'string') setProblem(verdict);
    if (typeof verdict === 'string' || busy) return;
    setBusy(true);
    try {
      await adminCalls.rule({ promptId: dispute.promptId, note: note.trim(), ...verdict });
      announce('Settled.');
      onRuled();
    } catch (error) {
      setProblem(said(error));
    }
    setBusy(false);
  };
  return {
    ...{ choice, own, note, problem, settle, remark: setNote },
    reading: reading.state.value,
    choose(next) {
      setChoice(next);
      setProblem(null);
    },
    write(text) {
      setOwn(text);
      reading.follow(dispute.promptId, text);
    },
  };
}

/** What to send for a choice, or what is missing. */
function rulingOf(
  dispute: WireDispute,
  choice: Choice | null,
  own: string,
): Pick<Ruling, 'kind' | 'answer'> | string {
  if (choice === null) return 'Choose an answer first, or say that there is none.';
  if (choice === 'no_answer' || choice === 'bad_question') return { kind: choice, answer: null };
  if (choice === 'own')
    return own.trim() === '' ? 'Type the answer first.' : { kind: 'answer', answer: own.trim() };
  const given = givenIn(dispute)[choice];
  if (given === undefined || given.kind === 'skip') return 'Choose another answer.';
  return { kind: given.kind, answer: given.answer };
}
