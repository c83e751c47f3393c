/** @jsxImportSource preact */
/** How far the account is, and how one gets on oneself. */
import { duration, whole } from '../../../src/report/format.ts';
import { Meter } from '../../parts/controls.tsx';
import type { Desk } from './desk.ts';

export function ProgressStrip({ desk }: { desk: Desk }) {
  const progress = desk.progress.value;
  if (progress === null) return <div class="strip" />;
  const { labels, budget, open, leased, adjudicate, mine } = progress;
  return (
    <section class="strip" aria-label="Progress">
      {budget === null ? null : <Meter label="Labels of the budget" value={labels} of={budget} />}
      <ul>
        <li>
          <b>{whole(labels)}</b>{' '}
          {budget === null ? (labels === 1 ? 'label' : 'labels') : `of ${whole(budget)} labels`}
        </li>
        <li>
          <b>{whole(open)}</b> waiting
        </li>
        <li class="less">
          <b>{whole(leased)}</b> in hand
        </li>
        {adjudicate === 0 ? null : (
          <li class="less">
            <b>{whole(adjudicate)}</b> to adjudicate
          </li>
        )}
        <li class="mine">
          you: <b>{whole(mine.today)}</b> today
          {mine.medianSeconds === null ? '' : `, ${pace(mine.medianSeconds)} each`}
        </li>
      </ul>
    </section>
  );
}

/** Median time per answer: whole seconds will do. */
function pace(seconds: number): string {
  return seconds < 60 ? `${Math.max(1, Math.round(seconds)).toString()} s` : duration(seconds);
}
