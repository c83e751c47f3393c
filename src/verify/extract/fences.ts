// Fenced blocks (``` or ~~~) of a response: where programs and data stand, and where marks do not count because they are
// part of a program.
import type { Span } from './span.ts';

export interface Fence extends Span {
  /** The inside: whole lines without the fence lines. */
  inner: Span;
  /** First word after the opening fence, in lower case; empty where there is none. */
  tag: string;
}

const fenceLine = /^[ \t]{0,12}(`{3,}|~{3,})[ \t]{0,4}([\w+#.-]{0,24})[^\n`]*$/gmu;

/** Tags of blocks that hold no program: marks in them count. */
const prose = new Set(
  [
    '',
    'text',
    'txt',
    'plain',
    'plaintext',
    'markdown',
    'md',
    'latex',
    'tex',
    'math',
    'answer',
  ].concat(['output', 'json', 'none']),
);

/** Tags of blocks that show how something is run or what came out, not the program asked for. */
const shown = new Set(
  ['text', 'txt', 'plain', 'plaintext', 'markdown', 'md', 'latex', 'tex', 'math', 'output'].concat([
    'json',
    'yaml',
    'toml',
    'console',
    'bash',
    'sh',
    'shell',
    'zsh',
    'powershell',
    'diff',
    'none',
  ]),
);

/** The fenced blocks of `span` in order. One that is never closed ends with the span. */
export function fencesIn(text: string, span: Span): Fence[] {
  const part = text.slice(span.start, span.end);
  if (!part.includes('```') && !part.includes('~~~')) return [];
  const fences: Fence[] = [];
  let open: { fence: string; at: number; inner: number; tag: string } | undefined;
  for (const line of part.matchAll(fenceLine)) {
    const fence = line[1] ?? '';
    const tag = (line[2] ?? '').toLowerCase();
    const at = span.start + line.index;
    const after = Math.min(at + line[0].length + 1, span.end);
    if (open === undefined) {
      open = { fence, at, inner: after, tag };
    } else if (tag === '' && fence.startsWith(open.fence)) {
      const end = Math.max(open.inner, at - 1);
      fences.push({ start: open.at, end: after, inner: { start: open.inner, end }, tag: open.tag });
      open = undefined;
    }
  }
  if (open !== undefined) {
    const inner = { start: open.inner, end: span.end };
    fences.push({ start: open.at, end: span.end, inner, tag: open.tag });
  }
  return fences;
}

/** Whether marks inside the block are part of a program. */
export function isProgram(fence: Fence): boolean {
  return !prose.has(fence.tag);
}

/** How well the block fits a search for a program: 2 by its tag, 1 without a tag, 0 for data, output and shell lines. */
export function fitForCode(fence: Fence): number {
  if (fence.tag === '') return 1;
  return shown.has(fence.tag) ? 0 : 2;
}

/** Tells whether a position lies in one of `fences`, by binary search. */
export function insideFence(fences: readonly Fence[], at: number): boolean {
  let low = 0;
  let high = fences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const fence = fences[middle];
    if (fence === undefined || fence.start > at) high = middle;
    else if (fence.end <= at) low = middle + 1;
    else return true;
  }
  return false;
}
