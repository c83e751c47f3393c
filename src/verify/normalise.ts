// Takes the wrapping off an answer (Markdown, LaTeX delimiters, quotes, a closing full stop) and brings text into one
// form. Linear in the length. Knows nothing of numbers, choices or verdicts.

const pairs: readonly (readonly [string, string])[] = [
  ['$$', '$$'],
  ['$', '$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
  ['***', '***'],
  ['**', '**'],
  ['__', '__'],
  ['*', '*'],
  ['_', '_'],
  ['`', '`'],
  ['"', '"'],
  ["'", "'"],
  ['\u201c', '\u201d'],
];

const commands = ['\\boxed{', '\\fbox{', '\\text{', '\\textbf{', '\\mathrm{', '\\mathbf{'];

/** Deeper wrapping than this is left on. */
const maxLayers = 8;

/** `answer` without outer wrapping. Letter case and inner spaces stay as they are. */
export function unwrap(answer: string): string {
  let text = answer.trim();
  for (let layer = 0; layer < maxLayers; layer++) {
    const inner = withoutLayer(text).trim();
    if (inner === text) break;
    text = inner;
  }
  return text;
}

function withoutLayer(text: string): string {
  if (text.endsWith('.') && !text.endsWith('..')) return text.slice(0, -1);
  const command = commands.find((name) => text.startsWith(name));
  if (command !== undefined && closingBrace(text, command.length - 1) === text.length - 1) {
    return text.slice(command.length, -1);
  }
  for (const [open, close] of pairs) {
    const size = text.length - open.length - close.length;
    if (size > 0 && text.startsWith(open) && text.endsWith(close)) {
      return text.slice(open.length, open.length + size);
    }
  }
  if (text.startsWith('\\$')) return text.slice(2);
  return text.startsWith('$') && !text.endsWith('$') ? text.slice(1) : text;
}

/** Index of the brace that closes the one at `open`, looking at most `limit` characters on; -1 where there is none. */
export function closingBrace(text: string, open: number, limit = Number.POSITIVE_INFINITY): number {
  const end = Math.min(text.length, open + limit);
  let depth = 0;
  for (let at = open; at < end; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
  }
  return -1;
}

/** One form for texts that a reader takes as the same: Unicode NFC, single spaces, lower case unless it matters. */
export function normalText(text: string, caseMatters: boolean): string {
  const cased = caseMatters ? text : text.toLowerCase();
  return cased.normalize('NFC').replace(/\s+/g, ' ').trim();
}
