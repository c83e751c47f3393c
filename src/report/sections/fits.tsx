/** @jsxImportSource preact */
/**
 * What the scores that are fitted on the probes have learnt.
 */
import type { FittedScore } from '../data.ts';
import { decimal, isKnown, plural, short, visible, whole } from '../format.ts';
import { Head, Num, Table } from './parts.tsx';

export function Fits({ fits }: { fits: readonly FittedScore[] }) {
  if (fits.length === 0) return null;
  const parts = [...new Set(fits.flatMap(({ weights }) => weights.map(({ name }) => name)))];
  return (
    <>
      <Table caption="Weights in the scores that were fitted on the probes">
        <Head columns={['Weight of', ...fits.map(({ name }) => `#${visible(name)}`)]} />
        <tbody>
          {parts.map((part) => (
            <tr key={part}>
              <th scope="row">{visible(part)}</th>
              {fits.map((fit) => (
                <Num key={fit.name}>
                  {decimal(fit.weights.find(({ name }) => name === part)?.weight, 3)}
                </Num>
              ))}
            </tr>
          ))}
        </tbody>
      </Table>
      {fits.map((fit) => (
        <p key={fit.name} class="small dim">
          {visible(fit.name)}: {sentence(fit)}
        </p>
      ))}
      <p class="small dim">
        Logistic weights belong to standardised scores: negative means that a high score lowers the
        expected pass rate. Isotonic weights are shares of one.
      </p>
    </>
  );
}

function sentence({ method, probes, folds, spearman, brier, ridge }: FittedScore): string {
  const held =
    folds > 1
      ? `each held out of one of ${whole(folds)} fits: rank correlation with the pass rate ${decimal(spearman, 3)}, Brier score ${decimal(brier, 3)}`
      : 'none held out';
  const penalty = isKnown(ridge)
    ? `; ridge penalty ${short(ridge)}, chosen on held-out probes`
    : '';
  return `${visible(method)} on ${plural(probes, 'probe')}, ${held}${penalty}.`;
}
