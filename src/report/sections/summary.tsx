/** @jsxImportSource preact */
/**
 * The verdict and the table of all arms.
 */
import { type ArmStyle, styleOf } from '../arms.ts';
import type { Arm, Comparison } from '../data.ts';
import { averageAt, DASH, duration, isKnown, plural, shareOf, visible, whole } from '../format.ts';
import { pointsOf, verdictOf } from '../verdict.ts';
import { EstimateCell, Head, Missing, Num, Section, Table } from './parts.tsx';

export function Summary(props: {
  comparison: Comparison | null;
  styles: ReadonlyMap<string, ArmStyle>;
}) {
  const { comparison, styles } = props;
  return (
    <Section id="summary" title="Was it worth it?">
      {comparison === null || comparison.arms.length === 0 ? (
        <Missing what="No arm has been trained and evaluated yet." command="pivottrace train" />
      ) : (
        <>
          <Words comparison={comparison} />
          <ArmTable comparison={comparison} styles={styles} />
        </>
      )}
    </Section>
  );
}

function Words({ comparison }: { comparison: Comparison }) {
  const { lead, points } = verdictOf(comparison);
  return (
    <div class="verdict">
      <p class="lead">{lead}</p>
      <ul>
        {points.map((point) => (
          <li key={point}>{point}</li>
        ))}
      </ul>
    </div>
  );
}

function ArmTable(props: { comparison: Comparison; styles: ReadonlyMap<string, ArmStyle> }) {
  const { comparison, styles } = props;
  const { k, testPrompts } = comparison;
  return (
    <>
      <Table
        caption={`Arms on ${plural(testPrompts, 'held-out test prompt')}; accuracies with 95 % intervals over test prompts`}
      >
        <Head
          columns={[
            'Arm',
            `#${averageAt(k)}`,
            '#Against full, points',
            '#Greedy',
            '#Labels',
            '#Pool trained on',
            '#Steps',
            '#Rollouts',
            '#Steps to full’s final accuracy',
            '#Time',
          ]}
        />
        <tbody>
          {comparison.arms.map((arm) => (
            <ArmRow
              key={arm.id}
              arm={arm}
              comparison={comparison}
              tone={styleOf(styles, arm.id).tone}
            />
          ))}
        </tbody>
      </Table>
      <p class="small dim">
        {averageAt(k)} is the mean share of right answers over {plural(k, 'sample')} per test
        prompt. Labels count the probes. Rollouts are all responses generated for an arm, those for
        scoring and probing included. “Against full” is paired by test prompt.
      </p>
    </>
  );
}

function ArmRow({ arm, comparison, tone }: { arm: Arm; comparison: Comparison; tone: string }) {
  const { reached } = arm;
  const pool = comparison.poolPrompts;
  const word = reached === 'not reached' ? 'not reached' : DASH;
  const got = reached === null || reached === 'not reached' ? null : reached;
  return (
    <tr class={arm.kind === 'pivottrace' ? 'mark' : undefined}>
      <th scope="row">
        <span class={`key c-${tone}`} /> {visible(arm.label)}
        {arm.note === null ? null : <span class="small dim">{visible(arm.note)}</span>}
      </th>
      <EstimateCell estimate={arm.avgAtK} />
      <EstimateCell estimate={arm.versusReference} format={pointsOf} />
      <EstimateCell estimate={arm.greedy} />
      <Num under={isKnown(arm.labelsUsed) ? shareOf(arm.labelsUsed, pool) : null}>
        {whole(arm.labelsUsed)}
      </Num>
      <Num under={isKnown(arm.trainedPrompts) ? plural(arm.trainedPrompts, 'prompt') : null}>
        {shareOf(arm.trainedPrompts, pool)}
      </Num>
      <Num>{whole(arm.steps)}</Num>
      <Num>{whole(arm.rollouts)}</Num>
      <Num under={got === null ? null : plural(got.rollouts, 'rollout')}>
        {got === null ? word : whole(got.steps)}
      </Num>
      <Num>{duration(arm.wallSeconds)}</Num>
    </tr>
  );
}
