/** @jsxImportSource preact */
/**
 * What the run cost, stage by stage.
 */
import { ShareBar } from '../charts/bars.tsx';
import { Figure, KeyLegend } from '../charts/frame.tsx';
import type { CostReport } from '../data.ts';
import { bytes, duration, isKnown, type Maybe, shareOf, short, visible, whole } from '../format.ts';
import { Head, Missing, Num, Section, Table } from './parts.tsx';

const TONES = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6'] as const;

export function Cost({ cost }: { cost: CostReport | null }) {
  return (
    <Section id="cost" title="What it cost">
      {cost === null || cost.stages.length === 0 ? (
        <Missing what="No stage has been recorded yet." command="pivottrace demo" />
      ) : (
        <Spent cost={cost} />
      )}
    </Section>
  );
}

function sum(values: Maybe[]): number | null {
  const known = values.filter(isKnown);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function Spent({ cost }: { cost: CostReport }) {
  const { stages } = cost;
  const seconds = sum(stages.map((s) => s.seconds));
  const timed = stages.flatMap((stage, i) =>
    isKnown(stage.seconds)
      ? [
          {
            label: visible(stage.name),
            tone: TONES[i % TONES.length] ?? 'f1',
            count: stage.seconds,
          },
        ]
      : [],
  );
  return (
    <>
      <p>
        {isKnown(cost.totalSeconds) ? `${duration(cost.totalSeconds)} of wall clock. ` : ''}
        {isKnown(cost.peakMemoryBytes) ? `Peak memory ${bytes(cost.peakMemoryBytes)}.` : ''}
      </p>
      {timed.length === 0 ? null : (
        <Figure heading="Time by stage">
          <KeyLegend items={timed} />
          <ShareBar describe="Seconds by stage" parts={timed} />
        </Figure>
      )}
      <Table caption="Cost by stage">
        <Head columns={['Stage', '#Time', '#Share', '#Rollouts', '#Tokens generated', '#Labels']} />
        <tbody>
          {stages.map((stage) => (
            <tr key={stage.name}>
              <th scope="row">{visible(stage.name)}</th>
              <Num>{duration(stage.seconds)}</Num>
              <Num>{shareOf(stage.seconds, seconds)}</Num>
              <Num>{whole(stage.rollouts)}</Num>
              <Num>{short(stage.tokens)}</Num>
              <Num>{whole(stage.labels)}</Num>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all stages</th>
            <Num>{duration(seconds)}</Num>
            <td />
            <Num>{whole(sum(stages.map((s) => s.rollouts)))}</Num>
            <Num>{short(sum(stages.map((s) => s.tokens)))}</Num>
            <Num>{whole(sum(stages.map((s) => s.labels)))}</Num>
          </tr>
        </tfoot>
      </Table>
    </>
  );
}
