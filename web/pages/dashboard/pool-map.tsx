/** @jsxImportSource preact */
/**
 * The pool along its score: below how many prompts stand where by their routes now, above what is known of pass rates, with
 * the fit and the thresholds of the plan.
 */
import { type Area, Figure, KeyLegend, Plot, Shape } from '../../../src/report/charts/frame.tsx';
import { bandOf, pathOf, px } from '../../../src/report/charts/scale.ts';
import { decimal, percent, plural, visible, whole } from '../../../src/report/format.ts';
import { poolMap, type WirePoolMap } from '../../../src/server/wire-dashboard.ts';
import { get } from '../../api.ts';
import { Loaded, Notice, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { Link } from '../../router.tsx';
import { searchOf } from '../traces/address.ts';
import { states, toneOf } from './styles.ts';

export function PoolPanel({ plan }: { plan: string }) {
  const map = useRemote(
    (signal) => get(`/api/dashboard/map?plan=${encodeURIComponent(plan)}`, poolMap, { signal }),
    { key: plan, topics: ['labels', 'runs'] },
  );
  return (
    <Panel id="pool" title="The pool">
      <Loaded of={map}>{(value) => <PoolMap map={value} />}</Loaded>
    </Panel>
  );
}

function PoolMap({ map }: { map: WirePoolMap }) {
  const present = states.filter((state) => map.states.some((one) => one.state === state));
  return (
    <>
      <p>
        Plan <Foreign text={map.plan} />: {plural(map.pool, 'prompt')} ranked by{' '}
        <Foreign text={map.estimator.replaceAll('_', ' ')} />, rule {map.rule}, revision{' '}
        {map.revision}.
      </p>
      {map.fallback === null ? null : (
        <Notice tone="warning">
          <p>{visible(map.fallback)}</p>
        </Notice>
      )}
      <dl class="tiles">
        {present.map((state) => (
          <div key={state} class={`c-${toneOf(state)}`}>
            <dt>
              <span class="key" /> {state}
            </dt>
            <dd>{whole(map.states.find((one) => one.state === state)?.prompts)}</dd>
          </div>
        ))}
      </dl>
      <Rates map={map} />
      <Histogram map={map} />
      <details>
        <summary>Thresholds and the hardest probes as text</summary>
        <p class="small">
          Discard below {decimal(map.thresholds.discardBelow)}, annotate above{' '}
          {decimal(map.thresholds.annotateAbove)}.
        </p>
        <ul class="small plain">
          {[...map.probes]
            .sort((a, b) => a.passRate - b.passRate || b.score - a.score)
            .slice(0, 12)
            .map(({ promptId, score, passRate }) => (
              <li key={promptId}>
                <Link href={searchOf({ trace: { round: map.round, prompt: promptId, sample: 0 } })}>
                  <Foreign text={promptId} />
                </Link>
                : pass rate {percent(passRate, 0)}, score {decimal(score)}
              </li>
            ))}
        </ul>
      </details>
    </>
  );
}

/** The axis of both pictures; what lies beyond it stands at its edge. */
function axisOf({ histogram, probes, moved }: WirePoolMap): readonly [number, number] {
  if (histogram !== null && histogram.high > histogram.low) return [histogram.low, histogram.high];
  const scores = [...probes, ...moved].map(({ score }) => score);
  return scores.length === 0 ? [0, 1] : [Math.min(...scores), Math.max(...scores)];
}

const rate = { domain: [0, 1] as const, format: (v: number) => percent(v, 0) };

function Rates({ map }: { map: WirePoolMap }) {
  const domain = axisOf(map);
  const label = `score, ${map.estimator.replaceAll('_', ' ')}`;
  return (
    <Figure
      heading="Pass rate against score"
      caption={`${plural(map.probes.length, 'probe')} with a measured pass rate (filled; an open square had a wrong majority)${
        map.moved.length === 0
          ? ''
          : `, ${plural(map.moved.length, 'prompt')} that training moved (ring: agreement of its rollouts with the label or the majority)`
      }. Colour: where the prompt stands now. Line and band: calibration of the plan. Dashed: its thresholds.`}
    >
      <Plot
        describe={`Pass rate of ${map.probes.length} probes and ${map.moved.length} visited prompts against their score.`}
        x={{ domain, label }}
        y={{ ...rate, label: 'pass rate' }}
        draw={(area) => (
          <>
            <Fit area={area} map={map} />
            <Cuts area={area} map={map} />
            <Moved area={area} map={map} />
            <Probes area={area} map={map} />
          </>
        )}
      />
    </Figure>
  );
}

function Fit({ area, map }: { area: Area; map: WirePoolMap }) {
  const [low, high] = area.x.domain;
  const curve = map.curve.filter(({ score }) => score >= low && score <= high);
  const at = (x: number, y: number) => ({ x: area.x.at(x), y: area.y.at(y) });
  return (
    <g class="c-grey">
      <path
        class="band"
        d={bandOf(
          curve.map((one) => at(one.score, one.high)),
          curve.map((one) => at(one.score, one.low)),
        )}
      />
      <path class="curve thin" d={pathOf(curve.map((one) => at(one.score, one.rate)))} />
    </g>
  );
}

function Cuts({ area, map }: { area: Area; map: WirePoolMap }) {
  const [low, high] = area.x.domain;
  const cuts = [
    { at: map.thresholds.discardBelow, label: 'discard below' },
    { at: map.thresholds.annotateAbove, label: 'annotate above' },
  ].filter(({ at }) => at >= low && at <= high);
  return (
    <g>
      {cuts.map(({ at, label }, i) => {
        const x = area.x.at(at);
        const left = x > (area.left + area.right) / 2;
        return (
          <g key={label}>
            <path class="rule" d={`M${px(x)},${area.top}V${area.bottom}`} />
            <text
              class="strong"
              x={px(x + (left ? -5 : 5))}
              y={area.top + 12 + i * 16}
              text-anchor={left ? 'end' : 'start'}
            >
              {label}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function within(area: Area, score: number): number {
  return area.x.at(Math.max(area.x.domain[0], Math.min(area.x.domain[1], score)));
}

function Probes({ area, map }: { area: Area; map: WirePoolMap }) {
  return (
    <g>
      {map.probes.map((probe) => (
        <g key={probe.promptId} class={`c-${toneOf(probe.state)}`}>
          <Shape
            mark={probe.voteRight === false ? 'square' : 'circle'}
            x={within(area, probe.score)}
            y={area.y.at(probe.passRate)}
            size={area.wide ? 4 : 3}
            class={probe.voteRight === false ? 'hollow' : 'dot'}
          >
            <title>{`${visible(probe.promptId)}: pass rate ${percent(probe.passRate, 0)}, score ${decimal(probe.score)}, ${probe.state ?? 'new'}`}</title>
          </Shape>
        </g>
      ))}
    </g>
  );
}

function Moved({ area, map }: { area: Area; map: WirePoolMap }) {
  return (
    <g>
      {map.moved.map((one) => (
        <g key={one.promptId} class={`c-${toneOf(one.state)}`}>
          <circle
            class="ring"
            cx={px(within(area, one.score))}
            cy={px(area.y.at(one.agreement))}
            r={area.wide ? 3.4 : 2.6}
          >
            <title>{`${visible(one.promptId)}: agreement ${percent(one.agreement, 0)} of ${decimal(one.rollouts, 1)} rollouts by step ${one.step}, score ${decimal(one.score)}, ${one.state ?? 'new'}`}</title>
          </circle>
        </g>
      ))}
    </g>
  );
}

function Histogram({ map }: { map: WirePoolMap }) {
  const { histogram } = map;
  if (histogram === null || histogram.high <= histogram.low) return null;
  const { low, high, bins, parts } = histogram;
  const width = (high - low) / bins;
  const sums = new Map<number, number>();
  for (const { bin, prompts } of parts) sums.set(bin, (sums.get(bin) ?? 0) + prompts);
  const most = Math.max(1, ...sums.values());
  const present = states.filter((state) => parts.some((part) => part.state === state));
  return (
    <Figure
      heading="The whole pool by score and route"
      caption="As prompts stand now. The last bar also holds the few scores beyond it."
    >
      <KeyLegend items={present.map((state) => ({ label: state, tone: toneOf(state) }))} />
      <Plot
        describe={`Histogram of the scores of ${map.pool} prompts by route.`}
        x={{ domain: [low, high], label: `score, ${map.estimator.replaceAll('_', ' ')}` }}
        y={{ label: 'prompts', domain: [0, most * 1.04] }}
        draw={(area) =>
          [...sums.keys()].map((bin) => {
            const from = area.x.at(low + bin * width);
            const room = area.x.at(low + (bin + 1) * width) - from;
            let base = 0;
            return present.map((state) => {
              const prompts =
                parts.find((part) => part.bin === bin && part.state === state)?.prompts ?? 0;
              const y = area.y.at(base + prompts);
              const height = area.y.at(base) - y;
              base += prompts;
              return prompts === 0 ? null : (
                <rect
                  key={`${bin} ${state}`}
                  class={`area c-${toneOf(state)}`}
                  x={px(from + 0.5)}
                  y={px(y)}
                  width={px(Math.max(1, room - 1))}
                  height={px(height)}
                >
                  <title>{`score ${decimal(low + bin * width)} to ${decimal(low + (bin + 1) * width)}: ${plural(prompts, 'prompt')} ${state}`}</title>
                </rect>
              );
            });
          })
        }
      />
    </Figure>
  );
}
