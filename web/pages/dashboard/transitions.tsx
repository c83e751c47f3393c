/** @jsxImportSource preact */
/** Every change of a prompt's route with its evidence, the newest first, by plan, prompt and rule. */
import { useState } from 'preact/hooks';
import { decimal, plural, whole } from '../../../src/report/format.ts';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import {
  transitionsPage,
  type WireTransition,
  type WireTransitionsPage,
} from '../../../src/server/wire-dashboard.ts';
import { get, said } from '../../api.ts';
import { announce, Empty, Loaded, Notice, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { Link } from '../../router.tsx';
import { searchOf } from '../traces/address.ts';

export function TransitionsPanel({ plan }: { plan: string }) {
  const [prompt, setPrompt] = useState('');
  const [rule, setRule] = useState('');
  const query = new URLSearchParams({ plan, prompt: prompt.trim(), rule }).toString();
  const page = useRemote(
    (signal) => get(`/api/dashboard/transitions?${query}`, transitionsPage, { signal }),
    { key: query, topics: ['runs', 'labels'] },
  );
  const rules = page.value?.rules ?? [];
  return (
    <Panel id="transitions" title="Changes of route">
      <search class="controls">
        <label>
          Prompt
          <input
            type="search"
            value={prompt}
            placeholder="id"
            onChange={(event) => setPrompt(event.currentTarget.value)}
          />
        </label>
        <label>
          Rule
          <select value={rule} onChange={(event) => setRule(event.currentTarget.value)}>
            <option value="">any</option>
            {(rules.some((one) => one.rule === rule) || rule === ''
              ? rules
              : [{ rule, moves: 0 }, ...rules]
            ).map(({ rule: name, moves }) => (
              <option key={name} value={name}>
                {name.replaceAll('_', ' ')} ({whole(moves)})
              </option>
            ))}
          </select>
        </label>
      </search>
      <Loaded of={page}>
        {(first) => <Log key={`${query} ${first.rows[0]?.ordinal}`} first={first} query={query} />}
      </Loaded>
    </Panel>
  );
}

function Log({ first, query }: { first: WireTransitionsPage; query: string }) {
  const [more, setMore] = useState<WireTransitionsPage[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const pages = [first, ...more];
  const rows = pages.flatMap((page) => page.rows);
  const next = pages.at(-1)?.next ?? null;
  const goOn = async () => {
    setProblem(null);
    try {
      const page = await get(`/api/dashboard/transitions?${query}&before=${next}`, transitionsPage);
      setMore([...more, page]);
      announce(`${plural(page.rows.length, 'change')} more`);
    } catch (error) {
      setProblem(said(error));
    }
  };
  if (rows.length === 0) return <Empty>No change of route fits.</Empty>;
  return (
    <>
      <Table caption="The newest first">
        <Head columns={['Prompt', 'From', 'To', 'Rule', '#Step', 'Evidence']} />
        <tbody>
          {rows.map((row) => (
            <Row key={row.ordinal} row={row} />
          ))}
        </tbody>
      </Table>
      {problem === null ? null : (
        <Notice tone="warning" alert>
          <p>{problem}</p>
        </Notice>
      )}
      {next === null ? null : (
        <p>
          <button type="button" class="action plain" onClick={() => void goOn()}>
            Show older ones
          </button>
        </p>
      )}
    </>
  );
}

function Row({ row }: { row: WireTransition }) {
  return (
    <tr>
      <th scope="row">
        <Link href={searchOf({ trace: { round: row.round, prompt: row.promptId, sample: 0 } })}>
          <Foreign text={row.promptId} />
        </Link>
      </th>
      <td>{row.from ?? '–'}</td>
      <td>{row.to}</td>
      <td>
        <Foreign text={row.rule.replaceAll('_', ' ')} />
      </td>
      <td class="n">{row.step === null ? '–' : whole(row.step)}</td>
      <td class="text small">
        {Object.entries(row.evidence).map(([name, value]) => (
          <span key={name} class="fact">
            <span class="dim">
              <Foreign text={name.replaceAll('_', ' ')} />
            </span>{' '}
            <Foreign text={shown(value)} />
          </span>
        ))}
      </td>
    </tr>
  );
}

function shown(value: number | string | boolean): string {
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) ? whole(value) : decimal(value, 3);
}
