/**
 * Finds LaTeX in Markdown: `$..$`, `$$..$$`, `\(..\)`, `\[..\]` and whole environments (`\begin{align}..\end{align}`).
 *
 * Code (fences and back ticks) has none, `\$` is a dollar, and sums of money are not formulas: an opening dollar is
 * followed by no space, a closing one comes after no space and before no digit (as in Pandoc), and no bare dollar is
 * between them. A padded formula, `$ x^2 $`, counts where it holds something of LaTeX. The pieces together are the text.
 */

export type Segment =
  | { kind: 'text'; source: string }
  | {
      kind: 'maths';
      /** With its delimiters, as in the text. */
      source: string;
      /** Without them. */
      tex: string;
      display: boolean;
    };

/** Characters of one formula; a longer one stays text, and no search goes further. */
export const LONGEST_FORMULA = 5_000;

const ENVIRONMENTS =
  /^\\begin\{((?:align|alignat|gather|equation|multline|eqnarray|split|cases|array|[pbvBV]?matrix|smallmatrix|aligned)\*?)\}/;

interface Found {
  /** Place behind the formula. */
  end: number;
  tex: string;
  display: boolean;
}

/** Splits a text; neighbouring pieces of text are one. */
export function splitMaths(text: string): Segment[] {
  const out: Segment[] = [];
  const mark = /[$\\`]|~~~/g;
  const code = new Code(text);
  const closers = new Closers(text);
  let from = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    const at = match.index;
    const behind = code.endFrom(at);
    if (behind !== null) {
      mark.lastIndex = behind;
      continue;
    }
    const found = formulaAt(text, at, closers);
    if (found === null) {
      // What a backslash escapes starts nothing, and the second of two dollars opens nothing.
      mark.lastIndex = at + (match[0] === '\\' || text.startsWith('$$', at) ? 2 : match[0].length);
      continue;
    }
    if (at > from) out.push({ kind: 'text', source: text.slice(from, at) });
    const { end, tex, display } = found;
    out.push({ kind: 'maths', source: text.slice(at, end), tex, display });
    from = end;
    mark.lastIndex = end;
  }
  if (from < text.length) out.push({ kind: 'text', source: text.slice(from) });
  return out;
}

/** Where code ends that starts at a place. */
class Code {
  readonly #text: string;
  /** Lengths of back tick runs that are known to have no partner further on. */
  readonly #alone = new Set<number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** null where no code starts. Back ticks without partners are passed over whole. */
  endFrom(at: number): number | null {
    const run = /^(?:`+|~{3,})/.exec(this.#text.slice(at, at + 100))?.[0];
    if (run === undefined) return null;
    if (run.length >= 3 && this.#startsLine(at)) return this.#fence(at, run);
    if (run.startsWith('~')) return at + run.length;
    return this.#span(at, run.length) ?? at + run.length;
  }

  #startsLine(at: number): boolean {
    const line = this.#text.lastIndexOf('\n', at - 1) + 1;
    return at - line <= 8 && /^[ \t>]*$/.test(this.#text.slice(line, at));
  }

  #fence(at: number, run: string): number {
    const closing = new RegExp(`^[ \\t>]*${run[0]}{${run.length},}[ \\t]*$`, 'gm');
    closing.lastIndex = at + run.length;
    return closing.exec(this.#text) === null ? this.#text.length : closing.lastIndex;
  }

  #span(at: number, length: number): number | null {
    if (this.#alone.has(length)) return null;
    const runs = /`+/g;
    runs.lastIndex = at + length;
    for (let run = runs.exec(this.#text); run !== null; run = runs.exec(this.#text))
      if (run[0].length === length) return runs.lastIndex;
    this.#alone.add(length);
    return null;
  }
}

/** Finds the next closing mark; many openings without one cost a single search. */
class Closers {
  readonly #text: string;
  readonly #next = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Place of the first at or behind `at`, which never gets smaller from call to call; Infinity where there is none. */
  from(closing: string, at: number): number {
    const known = this.#next.get(closing) ?? -1;
    if (known >= at) return known;
    const found = this.#text.indexOf(closing, at);
    const place = found === -1 ? Number.POSITIVE_INFINITY : found;
    this.#next.set(closing, place);
    return place;
  }
}

function formulaAt(text: string, at: number, closers: Closers): Found | null {
  if (text[at] === '$')
    return text[at + 1] === '$' ? between(text, at, '$$', true, closers) : betweenDollars(text, at);
  if (text.startsWith('\\(', at)) return between(text, at, '\\)', false, closers);
  if (text.startsWith('\\[', at)) return between(text, at, '\\]', true, closers);
  return environmentAt(text, at);
}

/** From an opening of two characters to its closing; what a backslash escapes does not close. */
function between(
  text: string,
  at: number,
  closing: string,
  display: boolean,
  closers: Closers,
): Found | null {
  const from = at + 2;
  const limit = Math.min(text.length, from + LONGEST_FORMULA);
  const first = closers.from(closing, from);
  if (first > limit) return null;
  for (let i = from; i < limit; i += 1) {
    if (i >= first && text.startsWith(closing, i)) {
      const tex = text.slice(from, i);
      return tex.trim() === '' ? null : { end: i + 2, tex, display };
    }
    if (text[i] === '\\') i += 1;
    else if (!display && blankLine(text, i)) return null;
  }
  return null;
}

function betweenDollars(text: string, at: number): Found | null {
  const from = at + 1;
  const limit = Math.min(text.length, from + LONGEST_FORMULA);
  for (let i = from; i < limit; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '$') {
      const tex = text.slice(from, i);
      return closes(tex, text[i + 1]) ? { end: i + 1, tex, display: false } : null;
    } else if (blankLine(text, i)) return null;
  }
  return null;
}

function closes(tex: string, next: string | undefined): boolean {
  if (tex.trim() === '') return false;
  const before = /^\s/.test(tex);
  const after = /\s$/.test(tex);
  if (before !== after) return false;
  if (before) return /[\\^_={}]/.test(tex);
  return next === undefined || !/\d/.test(next);
}

function blankLine(text: string, at: number): boolean {
  return text[at] === '\n' && /^\n[ \t]*(?:\r?\n|$)/.test(text.slice(at, at + 80));
}

function environmentAt(text: string, at: number): Found | null {
  const name = ENVIRONMENTS.exec(text.slice(at, at + 40))?.[1];
  if (name === undefined) return null;
  const window = text.slice(at, at + LONGEST_FORMULA);
  const marks = /\\(begin|end)\{([A-Za-z]+\*?)\}/g;
  let depth = 0;
  for (const match of window.matchAll(marks)) {
    if (match[2] !== name) continue;
    depth += match[1] === 'begin' ? 1 : -1;
    if (depth > 0) continue;
    const end = match.index + match[0].length;
    return { end: at + end, tex: window.slice(0, end), display: true };
  }
  return null;
}
