/** @jsxImportSource preact */
/**
 * Two pictures of a calibration: the pass rate along the ranking with fit, band and thresholds, and
 * predicted against observed pass rate. They draw what the data says and fit nothing themselves.
 */
import type { ScoreReport } from '../data.ts';
import { decimal, isKnown, percent, visible, whole } from '../format.ts';
import { type Area, Plot, Shape } from './frame.tsx';
import { amount, bandOf, pathOf, px } from './scale.ts';

const RATE = { domain: [0, 1] as const, format: (v: number) => percent(v, 0) };

/** Probes over the ranking; the size of the pool turns the rank's share into a number of prompts. */
export function RankChart({ score }: { score: ScoreReport }) {
  return (
    <Plot
      describe={`Measured pass rate of ${score.probes.length} probes over their rank by ${visible(score.estimator)}, with the isotonic fit, its bootstrap band and the thresholds between the routes.`}
      x={{
        ...RATE,
        label: 'rank in the pool by score, most certain first',
      }}
      y={{ ...RATE, label: 'measured pass rate' }}
      draw={(area) => (
        <>
          <Fit area={area} score={score} />
          <Thresholds area={area} score={score} />
          <Probes area={area} score={score} />
        </>
      )}
    />
  );
}

function Fit({ area, score }: { area: Area; score: ScoreReport }) {
  const at = (x: number, y: number) => ({ x: area.x.at(x), y: area.y.at(y) });
  const curve = score.curve.filter((p) => isKnown(p.rank) && isKnown(p.passRate));
  const band = curve.flatMap(({ rank, low, high }) =>
    isKnown(low) && isKnown(high) ? [{ upper: at(rank, high), lower: at(rank, low) }] : [],
  );
  return (
    <g class="c-blue">
      <path
        class="band"
        d={bandOf(
          band.map((b) => b.upper),
          band.map((b) => b.lower),
        )}
      />
      <path class="curve" d={pathOf(curve.map((p) => at(p.rank, p.passRate)))} />
    </g>
  );
}

function Thresholds({ area, score }: { area: Area; score: ScoreReport }) {
  const known = score.thresholds.filter((t) => isKnown(t.rank));
  return (
    <g>
      {known.map(({ rank, label }, i) => {
        const x = area.x.at(rank);
        const leftSide = x > (area.left + area.right) / 2;
        return (
          <g key={label}>
            <path class="rule" d={`M${px(x)},${area.top}V${area.bottom}`} />
            <text
              class="strong"
              x={px(x + (leftSide ? -5 : 5))}
              y={area.bottom - 8 - (area.wide ? 0 : i * 16)}
              text-anchor={leftSide ? 'end' : 'start'}
            >
              {visible(label)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

function Probes({ area, score }: { area: Area; score: ScoreReport }) {
  const known = score.probes.filter((p) => isKnown(p.rank) && isKnown(p.passRate));
  return (
    <g class="c-orange">
      {known.map((probe) => (
        <Shape
          key={probe.promptId}
          mark={probe.voteRight === false ? 'square' : 'circle'}
          x={area.x.at(probe.rank)}
          y={area.y.at(probe.passRate)}
          size={area.wide ? 4 : 3}
          class={probe.voteRight === false ? 'hollow' : 'dot'}
        >
          <title>
            {`${visible(probe.promptId)}: pass rate ${percent(probe.passRate, 0)}, score ${decimal(probe.score, 3)}, rank ${percent(probe.rank, 0)}`}
          </title>
        </Shape>
      ))}
    </g>
  );
}

/** Reliability: on the diagonal a predicted pass rate is what was observed. Area of a mark = probes. */
export function ReliabilityChart({ bins }: { bins: ScoreReport['reliability'] }) {
  const known = bins.filter((b) => isKnown(b.predicted) && isKnown(b.observed));
  const most = Math.max(1, ...known.map((b) => amount(b.count)));
  return (
    <Plot
      describe={`Observed against predicted pass rate in ${known.length} bins of probes.`}
      x={{ ...RATE, label: 'predicted pass rate' }}
      y={{ ...RATE, label: 'observed pass rate' }}
      draw={(area) => (
        <g class="c-blue">
          <path class="rule" d={`M${area.left},${area.bottom}L${px(area.right)},${area.top}`} />
          {known.map(({ predicted, low, high }) =>
            isKnown(low) && isKnown(high) ? (
              <path
                key={predicted}
                class="curve thin"
                d={`M${px(area.x.at(predicted))},${px(area.y.at(low))}V${px(area.y.at(high))}`}
              />
            ) : null,
          )}
          <path
            class="curve thin"
            d={pathOf(known.map((b) => ({ x: area.x.at(b.predicted), y: area.y.at(b.observed) })))}
          />
          {known.map((bin) => (
            <Shape
              key={bin.predicted}
              mark="circle"
              x={area.x.at(bin.predicted)}
              y={area.y.at(bin.observed)}
              size={px(3 + 5 * Math.sqrt(amount(bin.count) / most))}
              class="dot"
            >
              <title>
                {`${whole(bin.count)} probes: predicted ${percent(bin.predicted)}, observed ${percent(bin.observed)}`}
              </title>
            </Shape>
          ))}
        </g>
      )}
    />
  );
}
