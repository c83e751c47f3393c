// Takes the wrapping off an answer: boxes, Markdown, outer dollar signs, quotes, a closing full stop. Linear in the length.
// Knows nothing of what an answer means.

/** What may stand around a whole answer. The longer of two with one beginning comes first. */
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
  ['```', '```'],
  ['`', '`'],
  ['"', '"'],
  ["'", "'"],
  ['\u201c', '\u201d'],
  ['\u2018', '\u2019'],
  ['\u300c', '\u300d'],
];

const commands = ['\\boxed', '\\fbox', '\\framebox', '\\text', '\\textbf', '\\displaystyle'];

/** Deeper wrapping is left on. */
const maxLayers = 8;

/** `answer` without what only dresses it. Letter case and inner blanks stay as they are. */
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
  if (/[^.\\][.\u3002]$/.test(text)) return text.slice(0, -1);
  const command = commands.find((name) => text.startsWith(name));
  if (command !== undefined) {
    const rest = text.slice(command.length).trimStart();
    if (command === '\\displaystyle') return rest;
    if (rest.startsWith('{') && closesAtEnd(rest)) return rest.slice(1, -1);
  }
  for (const [open, close] of pairs) {
    const size = text.length - open.length - close.length;
    const inner = text.slice(open.length, open.length + size);
    if (size <= 0 || !text.startsWith(open) || !text.endsWith(close)) continue;
    // "$a$ and $b$" is not wrapped as a whole; "$\\$5$" is.
    if (!inner.replaceAll('\\$', '').includes(close) && !inner.endsWith('\\')) return inner;
  }
  return text;
}

function closesAtEnd(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at === text.length - 1;
  }
  return false;
}
