/** @jsxImportSource preact */
/**
 * How much the ranking changes with the settings of the pivot score.
 */
import type { Sensitivity } from '../data.ts';
import { decimal, plural, visible } from '../format.ts';
import { Head, Missing, Num, Section, Table } from './parts.tsx';

const MEANING = {
  zeta: 'ζ, percentile of change that makes a pivot',
  psi: 'ψ, share of heads kept',
  Delta: 'Δ, window of change',
} as const;

export function SensitivityTable({ sensitivity }: { sensitivity: Sensitivity | null }) {
  return (
    <Section id="sensitivity" title="Sensitivity">
      {sensitivity === null || sensitivity.rows.length === 0 ? (
        <Missing
          what="The traces have not been scored under other settings yet."
          command="pivottrace trace"
        />
      ) : (
        <>
          <p>
            {plural(sensitivity.traces, 'trace')} scored again with one setting changed at a time. A
            rank correlation of 1 with the default means that the setting does not matter.
          </p>
          <Rows sensitivity={sensitivity} />
        </>
      )}
    </Section>
  );
}

function Rows({ sensitivity }: { sensitivity: Sensitivity }) {
  return (
    <Table caption="Pivot score under other settings; the default is shaded">
      <Head
        columns={[
          'Setting',
          '#Value',
          '#Rank correlation with default',
          '#in the paper',
          '#Threshold τ',
        ]}
      />
      <tbody>
        {sensitivity.rows.map((row) => (
          <tr key={`${row.parameter} ${row.setting}`} class={row.isDefault ? 'mark' : undefined}>
            <th scope="row">
              {MEANING[row.parameter]}
              {row.isDefault ? <span class="small dim">default</span> : null}
            </th>
            <Num>{visible(row.setting)}</Num>
            <Num>{decimal(row.withDefault, 3)}</Num>
            <Num>{decimal(row.published, 3)}</Num>
            <Num>{decimal(row.threshold)}</Num>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
