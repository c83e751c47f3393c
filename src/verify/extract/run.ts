// Formulas of a sentence that are one answer: "$x = 2$ and $y = 3$", "$5$ cm".
import type { Extraction, Mark } from '../types.ts';
import { type Formula, lastSide } from './formula.ts';
import { unitEnd } from './number.ts';
import { masked, type Passage } from './passage.ts';
import { type Span, within } from './span.ts';
import { tidied } from './tidy.ts';

/** One formula, or several that the writer lists. */
export interface Run extends Span {
  formulas: Formula[];
  /** Names alone ("x", "P"): what the sentence is about rather than what it says. */
  name: boolean;
}

const connector =
  /^[ \t]{0,4}(?:,|;|and|or|&|,? ?(?:and|or)|[\u548c\u6216\u3001\uff0c])[ \t]{0,4}\n?$/u;

const name =
  /^(?:\\(?:angle|triangle|overline|vec|mathbf|mathrm|mathcal|mathbb)\s?)?\{?(?:[A-Za-z]{1,8}|\\(?:alpha|beta|gamma|delta|theta|lambda|mu|sigma|phi|psi|omega|Delta|Omega))(?:_\{?[\w,]{1,4}\}?)?(?:\([a-z]\))?'{0,2}\}?$/u;

/** The runs of formulas inside `span`, in order. */
export function runsIn(passage: Passage, span: Span): Run[] {
  const runs: Run[] = [];
  for (const formula of passage.formulas) {
    if (!within(formula, span)) continue;
    const last = runs.at(-1);
    if (last !== undefined && isListed(passage, last, formula)) {
      last.formulas.push(formula);
      last.end = formula.end;
      last.name &&= isName(passage.text, formula);
    } else {
      const { start, end } = formula;
      runs.push({ start, end, formulas: [formula], name: isName(passage.text, formula) });
    }
  }
  return runs;
}

function isName(text: string, { inner }: Formula): boolean {
  return inner.end - inner.start < 40 && name.test(text.slice(inner.start, inner.end));
}

/** A comma joins formulas of one form: two equations, two values; not a condition and what follows from it. */
function isListed(passage: Passage, run: Run, next: Formula): boolean {
  const last = run.formulas.at(-1);
  if (last === undefined || last.display || next.display) return false;
  if (!connector.test(masked(passage, run.end, next.start))) return false;
  return form(passage.text, last) === form(passage.text, next);
}

function form(text: string, { inner }: Formula): string {
  const found = /=|[<>]|\\(?:leq?|geq?|neq?|lt|gt|in|approx)(?![A-Za-z])/u.exec(
    text.slice(inner.start, inner.end),
  );
  if (found === null) return 'value';
  return found[0] === '=' ? 'equation' : 'relation';
}

/** The ways to read a run: the whole with its unit, and the last side of a chain (first where the rest derives it). */
export function runReadings(passage: Passage, run: Run, mark: Mark): Extraction[] {
  const { text } = passage;
  const only = run.formulas.length === 1 ? run.formulas[0] : undefined;
  const quantity = only !== undefined && !run.name && form(text, only) === 'value';
  const end = quantity ? unitEnd(text, run.end, passage.end) : run.end;
  const span = end > run.end ? { start: run.start, end } : tidied(text, run.start, run.end);
  const found = [extraction(text, span, mark)];
  const side = only === undefined ? undefined : lastSide(text, only.inner.start, only.inner.end);
  if (side !== undefined) {
    const last = tidied(text, side.start, side.end);
    if (last.start < last.end) {
      if (side.derived) found.unshift(extraction(text, last, mark));
      else found.push(extraction(text, last, mark));
    }
  }
  return found;
}

export function extraction(text: string, { start, end }: Span, mark: Mark): Extraction {
  return { text: text.slice(start, end), start, end, mark };
}
