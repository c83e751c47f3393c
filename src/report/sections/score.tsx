/** @jsxImportSource preact */
/**
 * How well the score ranks the pool, and how much of that is more than response length.
 */
import { RankChart, ReliabilityChart } from '../charts/calibration.tsx';
import { Figure } from '../charts/frame.tsx';
import type { Estimate, ScoreReport } from '../data.ts';
import {
  DASH,
  decimal,
  duration,
  isKnown,
  percent,
  plural,
  shareOf,
  short,
  visible,
  whole,
} from '../format.ts';
import { Fits } from './fits.tsx';
import { Head, interval, Missing, Num, Section, Table, Warning } from './parts.tsx';

export function Score({ score }: { score: ScoreReport | null }) {
  return (
    <Section id="score" title="Score against pass rate">
      {score === null || score.probes.length === 0 ? (
        <Missing what="No probe has been measured yet." command="pivottrace triage" />
      ) : (
        <Measured score={score} />
      )}
    </Section>
  );
}

function Measured({ score }: { score: ScoreReport }) {
  const name = visible(score.estimator);
  return (
    <>
      {score.beatsChance === false ? (
        <Warning>
          on these probes {name} does not rank prompts better than chance. Routes made from it are
          no better than a draw.
        </Warning>
      ) : null}
      {score.fallback === null ? null : (
        <Warning>fallback in use: {visible(score.fallback)}</Warning>
      )}
      <p>
        {plural(score.probes.length, 'probe')} out of {plural(score.poolPrompts, 'prompt')}, drawn
        evenly over the ranking by {name}; the pass rate of each was measured on{' '}
        {plural(score.rolloutsPerProbe, 'response')}.
      </p>
      <Tiles score={score} />
      <Figure
        heading={`Pass rate along the ranking by ${name}`}
        caption="One mark per probe; an open square is a probe whose majority answer was wrong. Line: isotonic fit. Band: 95 % bootstrap interval. Dashed: where one route ends and the next begins."
      >
        <RankChart score={score} />
      </Figure>
      <div class="charts">
        {score.reliability.length === 0 ? null : (
          <Figure
            heading="Calibration"
            caption="On the dashed line, a predicted pass rate is what was observed. The larger the mark, the more probes; bars are 95 % intervals."
          >
            <ReliabilityChart bins={score.reliability} />
          </Figure>
        )}
        <Ties score={score} />
      </div>
      <Estimators score={score} />
      <Fits fits={score.fits} />
    </>
  );
}

function Tile({ name, value, under }: { name: string; value: string; under: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {under === null ? null : <span>{under}</span>}
      </dd>
    </div>
  );
}

function rank(estimate: Estimate | null): { value: string; under: string | null } {
  if (estimate === null) return { value: DASH, under: null };
  return { value: decimal(estimate.value), under: interval(estimate, (v) => decimal(v)) };
}

function Tiles({ score }: { score: ScoreReport }) {
  const { metrics } = score;
  return (
    <>
      <dl class="tiles">
        <Tile name="Rank correlation of score and pass rate" {...rank(metrics.spearman)} />
        <Tile name="the same for plain response length" {...rank(metrics.lengthSpearman)} />
        <Tile name="score and pass rate, length held fixed" {...rank(metrics.partialGivenLength)} />
        <Tile name="AUROC of “not mastered” (0.5 is chance)" {...rank(metrics.auroc)} />
        <Tile name="Brier score (0 is best)" value={decimal(metrics.brier, 3)} under={null} />
        <Tile name="Expected calibration error" value={decimal(metrics.ece, 3)} under={null} />
      </dl>
      <p class="small dim">
        A correlation near −1 is good: a high score means a hard prompt. Pivot count grows with
        length, so read the first figure beside the two after it: only what is left with length held
        fixed is more than length. Ranges are 95 % intervals.
      </p>
    </>
  );
}

function Ties({ score }: { score: ScoreReport }) {
  const { ties } = score;
  if (ties === null) return null;
  const share = shareOf(ties.tiedPrompts, score.poolPrompts);
  return (
    <div>
      <h3>Ties</h3>
      <p>
        {plural(ties.tiedPrompts, 'prompt')} ({share}) share their score with another prompt; the
        largest group of equals has {plural(ties.largestTie, 'prompt')}, and{' '}
        {plural(ties.atZero, 'prompt')} score exactly zero.
        {ties.brokenBy.length === 0
          ? null
          : ` Equals are ordered by ${ties.brokenBy.map(visible).join(', then ')}.`}
      </p>
      {ties.largestLeft > score.poolPrompts * 0.1 ? (
        <Warning>
          inside such a group the ranking is arbitrary. More traces per prompt or the continuous
          score break ties.
        </Warning>
      ) : null}
    </div>
  );
}

function Estimators({ score }: { score: ScoreReport }) {
  if (score.estimators.length === 0) return null;
  const count = score.estimators.filter((row) => isKnown(row.spearman)).length;
  return (
    <Table
      caption={`${plural(count, 'estimator')} on the same probes; the one in use is shaded, better or not. Each is charged all that it reads: scores that read the same responses share them`}
    >
      <Head
        columns={[
          'Estimator',
          '#Rank correlation with pass rate',
          '#Length held fixed',
          '#AUROC of not mastered',
          '#Overlap with the hardest',
          '#Responses',
          '#Tokens generated',
          '#Time',
        ]}
      />
      <tbody>
        {score.estimators.map((row) => (
          <tr key={row.name} class={row.used ? 'mark' : undefined}>
            <th scope="row">
              {visible(row.name)}
              {row.used ? <span class="small dim">in use</span> : null}
            </th>
            <Num>{decimal(row.spearman, 3)}</Num>
            <Num>{decimal(row.partialGivenLength, 3)}</Num>
            <Num>{decimal(row.auroc, 3)}</Num>
            <Num>{percent(row.overlap)}</Num>
            <Num>{whole(row.cost.responses)}</Num>
            <Num>{short(row.cost.tokens)}</Num>
            <Num>{duration(row.cost.seconds)}</Num>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
