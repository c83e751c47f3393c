/** @jsxImportSource preact */
/** What the policy answered, by class of equal answers: hidden until asked for, since it biases, and that goes on record. */
import { plural, whole } from '../../../src/report/format.ts';
import { Answer } from '../../parts/answer.tsx';
import { Action } from '../../parts/controls.tsx';
import type { Desk } from './desk.ts';

export function Policy({ desk }: { desk: Desk }) {
  const { answers, looked, shown } = desk.policy.value;
  if (desk.question.value === null) return null;
  return (
    <section class="panel policy" aria-labelledby="policy-title">
      <h2 id="policy-title">The model’s answers</h2>
      <p class="small dim">
        {looked
          ? 'You have looked at them; this is recorded with your label, since it biases.'
          : 'Seeing them biases your own answer. If you look, that is recorded with your label.'}
      </p>
      <Action
        label={shown ? 'Hide' : 'Reveal'}
        keyName="r"
        pressed={shown}
        onPress={() => void desk.reveal()}
      />
      {shown && answers !== null ? <Classes answers={answers} /> : null}
    </section>
  );
}

function Classes({ answers }: { answers: NonNullable<Desk['policy']['value']['answers']> }) {
  const { classes, unread } = answers;
  const total = classes.reduce((sum, one) => sum + one.count, unread);
  if (total === 0) return <p>The model has not answered this question yet.</p>;
  return (
    <>
      <ol class="classes">
        {classes.map((one) => (
          <li key={one.answer}>
            <span class="share" style={{ width: `${(100 * one.count) / total}%` }} />
            <span class="count">{whole(one.count)}</span>
            <span class="what">
              <Answer text={one.answer} />
            </span>
          </li>
        ))}
      </ol>
      {unread === 0 ? null : <p class="small dim">{plural(unread, 'answer')} could not be read.</p>}
    </>
  );
}
