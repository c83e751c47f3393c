/** @jsxImportSource preact */
/** What was spent: responses and tokens by round, wall clock by stage; and files to take away. */
import { bytes, duration, short, whole } from '../../../src/report/format.ts';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import { costFigures, exportsList, type WireCost } from '../../../src/server/wire-dashboard.ts';
import { get } from '../../api.ts';
import { Loaded, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';

export function CostPanel() {
  const cost = useRemote((signal) => get('/api/dashboard/cost', costFigures, { signal }));
  return (
    <Panel id="cost" title="Cost">
      <Loaded of={cost}>{(value) => <Cost cost={value} />}</Loaded>
    </Panel>
  );
}

function Cost({ cost: { rounds, stages, peakMemoryBytes } }: { cost: WireCost }) {
  return (
    <>
      {rounds.length === 0 ? (
        <p class="missing">Nothing was sampled yet.</p>
      ) : (
        <Table caption="Sampled to score and to probe; what runs sampled stands with them">
          <Head columns={['Round', '#Prompts', '#Responses', '#Tokens']} />
          <tbody>
            {rounds.map(({ round, prompts, rollouts, tokens }) => (
              <tr key={round}>
                <th scope="row">{round}</th>
                <td class="n">{whole(prompts)}</td>
                <td class="n">{whole(rollouts)}</td>
                <td class="n">{short(tokens)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {stages.length === 0 ? null : (
        <Table caption="Wall clock by stage; a part stands behind a stroke and is counted in its stage">
          <Head columns={['Stage', '#Time']} />
          <tbody>
            {stages.map(({ stage, seconds }) => (
              <tr key={stage}>
                <th scope="row">
                  <Foreign text={stage} />
                </th>
                <td class="n">{duration(seconds)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {peakMemoryBytes === null ? null : (
        <p class="small dim">Most memory of one process: {bytes(peakMemoryBytes)}.</p>
      )}
    </>
  );
}

export function ExportsPanel({ plan, account }: { plan: string; account: string }) {
  const query = new URLSearchParams({ plan, account }).toString();
  const list = useRemote((signal) => get(`/api/exports?${query}`, exportsList, { signal }), {
    key: query,
  });
  return (
    <Panel id="exports" title="Export">
      <Loaded of={list}>
        {({ files }) => (
          <ul class="exports">
            {files.map(({ href, title, detail }) => (
              <li key={href}>
                <a class="action plain" href={href} download="">
                  {title}
                </a>
                <span class="small dim">{detail}</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
