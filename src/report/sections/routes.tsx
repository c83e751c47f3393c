/** @jsxImportSource preact */
/**
 * Where the prompts went and what was spent on them.
 */
import { ShareBar } from '../charts/bars.tsx';
import { Figure, KeyLegend } from '../charts/frame.tsx';
import type { RouteName, RouteSummary, TriageSummary } from '../data.ts';
import { isKnown, percent, plural, shareOf, visible, whole } from '../format.ts';
import { Head, Missing, Num, Section, Table, Warning } from './parts.tsx';

const ROUTES: readonly RouteName[] = ['discard', 'self', 'annotate'];

const MEANING: Record<RouteName, string> = {
  discard: 'left out of training',
  self: 'trained on the majority answer',
  annotate: 'a label is bought',
};

export function Routes({ triage }: { triage: TriageSummary | null }) {
  return (
    <Section id="routes" title="Routes and budget">
      {triage === null ? (
        <Missing what="The pool has not been triaged yet." command="pivottrace triage" />
      ) : (
        <Plan triage={triage} />
      )}
    </Section>
  );
}

function Plan({ triage }: { triage: TriageSummary }) {
  const total = triage.routes.reduce((sum, route) => sum + route.prompts, 0);
  const spent = triage.routes.reduce((sum, route) => sum + route.labels, 0);
  const budget = isKnown(triage.budget) ? ` of a budget of ${whole(triage.budget)}` : '';
  return (
    <>
      {triage.fallback === null ? null : (
        <Warning>The plan fell back: {visible(triage.fallback)}</Warning>
      )}
      <p>
        Plan “{visible(triage.plan)}” routed {plural(total, 'prompt')} by{' '}
        {visible(triage.estimator)} with the {triage.rule} rule and spent {plural(spent, 'label')}
        {budget}.
      </p>
      <Figure heading="Prompts by route">
        <KeyLegend
          items={ROUTES.map((route) => ({ label: `${route}: ${MEANING[route]}`, tone: route }))}
        />
        <ShareBar
          describe="Prompts by route"
          parts={triage.routes.map((r) => ({ label: r.route, tone: r.route, count: r.prompts }))}
        />
      </Figure>
      <RouteTable routes={triage.routes} total={total} spent={spent} />
      <GroupTable triage={triage} />
    </>
  );
}

function RouteTable(props: { routes: RouteSummary[]; total: number; spent: number }) {
  const { routes, total, spent } = props;
  return (
    <Table caption="Routes, with the labels spent on each; probes are labels too">
      <Head
        columns={[
          'Route',
          '#Prompts',
          '#Share',
          '#Labels spent',
          '#of these probes',
          '#Expected pass rate',
          '#Majority right on probes',
        ]}
      />
      <tbody>
        {routes.map((route) => (
          <tr key={route.route}>
            <th scope="row">
              <span class={`key c-${route.route}`} /> {route.route}
            </th>
            <Num>{whole(route.prompts)}</Num>
            <Num>{shareOf(route.prompts, total)}</Num>
            <Num>{whole(route.labels)}</Num>
            <Num>{whole(route.probes)}</Num>
            <Num>{percent(route.expectedPassRate)}</Num>
            <Num>{percent(route.voteRight)}</Num>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">all</th>
          <Num>{whole(total)}</Num>
          <Num>{shareOf(total, total)}</Num>
          <Num under={`${shareOf(spent, total)} of pool`}>{whole(spent)}</Num>
          <Num>{whole(routes.reduce((sum, route) => sum + route.probes, 0))}</Num>
          <td />
          <td />
        </tr>
      </tfoot>
    </Table>
  );
}

function GroupTable({ triage }: { triage: TriageSummary }) {
  if (triage.groups.length === 0) return null;
  return (
    <Table caption={`Routes by ${visible(triage.groupedBy)}`}>
      <Head
        columns={[
          visible(triage.groupedBy),
          '#Prompts',
          ...ROUTES.map((r) => `#${r}`),
          '#Pass rate',
        ]}
      />
      <tbody>
        {triage.groups.map(({ name, counts, meanPassRate }) => {
          const total = ROUTES.reduce((sum, route) => sum + counts[route], 0);
          return (
            <tr key={name}>
              <th scope="row">{visible(name)}</th>
              <Num>{whole(total)}</Num>
              {ROUTES.map((route) => (
                <Num key={route} under={shareOf(counts[route], total)}>
                  {whole(counts[route])}
                </Num>
              ))}
              <Num>{percent(meanPassRate)}</Num>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}
