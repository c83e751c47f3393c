/**
 * Cells that a spreadsheet would run as a formula get an apostrophe in front, and lose it when they are read. Plain
 * numbers keep their sign. Reading undoes exactly what writing did: a text that has apostrophes before a formula gets
 * one more.
 */

/** Begins like a formula, also behind white space, full-width signs included, or like one that was guarded. */
const FORMULA = /^'*(?:\s*[=+\-@|\uff1d\uff0b\uff0d\uff20]|[\t\r])/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export function guarded(cell: string): string {
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}

export function unguarded(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
