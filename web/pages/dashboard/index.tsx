/** @jsxImportSource preact */
/** The dashboard: pool, labels, runs, changes of route, cost, exports. Plan and account stand in the address. */
import { type DashboardNames, dashboardNames } from '../../../src/server/wire-dashboard.ts';
import { get } from '../../api.ts';
import { Empty, Loaded, Panel, useTitle } from '../../parts/controls.tsx';
import { useRemote } from '../../parts/remote.ts';
import { navigate, place } from '../../router.tsx';
import { CostPanel, ExportsPanel } from './cost.tsx';
import { LabelsPanel } from './labels.tsx';
import { PoolPanel } from './pool-map.tsx';
import { RunsPanel } from './runs.tsx';
import { TransitionsPanel } from './transitions.tsx';

export default function DashboardPage() {
  useTitle('Dashboard');
  const names = useRemote((signal) => get('/api/dashboard', dashboardNames, { signal }), {
    topics: ['runs'],
  });
  return (
    <>
      <h1>Dashboard</h1>
      <Loaded of={names}>{(value) => <Panels names={value} />}</Loaded>
    </>
  );
}

function Panels({ names }: { names: DashboardNames }) {
  const query = new URLSearchParams(place.value.search);
  const all = [...new Set([...names.plans, ...names.logs])];
  const plan =
    query.get('plan') ?? (all.includes(names.plan) ? names.plan : (all[0] ?? names.plan));
  const account = query.get('account') ?? names.account;
  const choose = (changes: Record<string, string>) => {
    const next = new URLSearchParams({ plan, account, ...changes });
    navigate(`/dashboard?${next}`, { replace: true });
  };
  return (
    <>
      <div class="controls">
        <Choice name="Plan" value={plan} of={all} onChoose={(value) => choose({ plan: value })} />
        <Choice
          name="Label account"
          value={account}
          of={names.accounts}
          onChoose={(value) => choose({ account: value })}
        />
      </div>
      <div class="dashboard">
        <RunsPanel />
        {names.plans.includes(plan) ? (
          <PoolPanel plan={plan} />
        ) : (
          <Panel id="pool" title="The pool">
            <Empty>
              No triage plan of this name. <code>pivottrace triage</code> makes one.
            </Empty>
          </Panel>
        )}
        <LabelsPanel account={account} />
        <TransitionsPanel plan={plan} />
        <CostPanel />
        <ExportsPanel plan={plan} account={account} />
      </div>
    </>
  );
}

function Choice(props: {
  name: string;
  value: string;
  of: readonly string[];
  onChoose: (value: string) => void;
}) {
  const options = props.of.includes(props.value) ? props.of : [props.value, ...props.of];
  return (
    <label>
      {props.name}
      <select value={props.value} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}
