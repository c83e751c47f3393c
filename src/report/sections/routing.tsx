/** @jsxImportSource preact */
/**
 * How prompts moved between routes while the policy trained.
 */
import { StackChart } from '../charts/bars.tsx';
import { Figure, KeyLegend } from '../charts/frame.tsx';
import { extent } from '../charts/scale.ts';
import type { RoutingReport } from '../data.ts';
import { decimal, plural, visible, whole } from '../format.ts';
import { Head, Missing, Num, Section, Table } from './parts.tsx';

const TONES = ['blue', 'orange', 'green', 'purple', 'olive', 'teal', 'grey'] as const;

export function Routing({ routing }: { routing: RoutingReport | null }) {
  return (
    <Section id="routing" title="Dynamic routing">
      {routing === null ? (
        <Missing
          what="No run with dynamic routing has been recorded; train.dynamic.enabled switches it on."
          command="pivottrace train"
        />
      ) : (
        <Moves routing={routing} />
      )}
    </Section>
  );
}

function Moves({ routing }: { routing: RoutingReport }) {
  const warmup =
    routing.warmupGroups === null
      ? ''
      : ` Nothing is predicted before ${plural(routing.warmupGroups, 'group')} were seen (cold start).`;
  return (
    <>
      <p>
        {plural(routing.total, 'move')} between routes in the arm “{visible(routing.arm)}”.{warmup}
      </p>
      <Chart routing={routing} />
      <Latest routing={routing} />
    </>
  );
}

function Chart({ routing }: { routing: RoutingReport }) {
  if (routing.moves.length === 0) return null;
  const kinds = [...new Set(routing.moves.map((m) => m.kind))].sort();
  const toneOf = (kind: string) => TONES[kinds.indexOf(kind) % TONES.length] ?? 'grey';
  const steps = [...new Set(routing.moves.map((m) => m.step))].sort((a, b) => a - b);
  const stacks = steps.map((step) => ({
    x: step,
    parts: kinds.flatMap((kind) => {
      const count = routing.moves
        .filter((m) => m.step === step && m.kind === kind)
        .reduce((sum, m) => sum + m.count, 0);
      return count > 0 ? [{ label: visible(kind), tone: toneOf(kind), count }] : [];
    }),
  }));
  return (
    <Figure heading="Moves over steps, by kind">
      <KeyLegend items={kinds.map((kind) => ({ label: visible(kind), tone: toneOf(kind) }))} />
      <StackChart
        describe={`Prompts that changed their route over steps, by kind: ${kinds.map(visible).join(', ')}`}
        x={{ label: 'optimisation steps', domain: extent([0, ...steps]) }}
        yLabel="prompts moved"
        stacks={stacks}
      />
    </Figure>
  );
}

function Latest({ routing }: { routing: RoutingReport }) {
  if (routing.latest.length === 0) return null;
  return (
    <Table
      caption={`The latest ${plural(routing.latest.length, 'move')} of ${whole(routing.total)}`}
    >
      <Head columns={['Prompt', '#Step', 'From', 'To', 'Rule', 'Evidence']} />
      <tbody>
        {routing.latest.map((move) => (
          <tr key={`${move.step} ${move.promptId} ${move.from} ${move.to}`}>
            <th scope="row">{visible(move.promptId)}</th>
            <Num>{whole(move.step)}</Num>
            <td>{visible(move.from)}</td>
            <td>{visible(move.to)}</td>
            <td class="text">{visible(move.rule)}</td>
            <td class="text">{evidence(move.evidence)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function evidence(values: Record<string, number | string | boolean | null>): string {
  return Object.entries(values)
    .map(([key, value]) => `${visible(key)} ${shown(value)}`)
    .join(', ');
}

function shown(value: number | string | boolean | null): string {
  if (typeof value === 'string') return visible(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value !== null && Number.isInteger(value) ? whole(value) : decimal(value, 3);
}
