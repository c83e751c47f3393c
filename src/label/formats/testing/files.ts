/** For tests of the formats: files in a folder of their own, and made-up texts that formats tend to break. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type PlacedEntry, readEntries } from '../registry.ts';
import type { Format, FormatName, Item, OutgoingLabel, OutgoingTask } from '../types.ts';
import { written } from '../written.ts';

const folder = mkdtempSync(join(tmpdir(), 'pivottrace-formats-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** The path of a new file with this content; its name tells no format. */
export function fileWith(content: string | Uint8Array): string {
  const path = join(folder, `file-${count++}`);
  writeFileSync(path, content);
  return path;
}

export function fileOf(format: Format, items: Iterable<Item>): string {
  return fileWith([...written(format.container, items)].join(''));
}

export async function entriesOf(path: string, name?: FormatName): Promise<PlacedEntry[]> {
  const entries: PlacedEntry[] = [];
  for await (const one of readEntries(path, name)) entries.push(one);
  return entries;
}

const nasty = [
  ...[
    '"',
    '""',
    ',',
    ';',
    '\t',
    '\n',
    '\r\n',
    '\r',
    "'",
    "''",
    '\\',
    '|',
    '\ufeff',
    '\u2028',
    '\u00a0',
  ],
  ...['=1+2', '+5', '-5', "-2+3+cmd|' /C calc'!A0", '@SUM(A1)', "'=x", "'-5", '\uff1dx', ' =1'],
  ...[
    '007',
    '1e5',
    '12345678901234567890',
    '0x1f',
    '1.0',
    '1,000',
    'true',
    'null',
    'NaN',
    '2026-01-02',
  ],
  ...['\\frac{1}{2}', '$x^2$', '\\text{a "b", c}', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}'],
  ...[
    '<script>alert(1)</script>',
    '{"text": ["a"]}',
    '[1]',
    '{}',
    'None',
    '__proto__',
    '\u202eabc',
  ],
  ...['∑', 'é', 'e\u0301', '日本', '😀', '[', ']', '{', '}', 'a\u0000b', '\ud800', 'x\udfff'],
];

/** Any text, the worst pieces often. */
export const anyText = fc
  .array(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...nasty) }, fc.string({ unit: 'binary' })),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

/** As the store keeps ids and answers: trimmed, not empty, whole characters. */
const storedText = anyText
  .map((text) => text.replace(/[\0\p{Surrogate}]/gu, '').trim())
  .filter((text) => text !== '');

const nameText = storedText
  .map((text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim())
  .filter((text) => text !== '');

const promptContent = fc.oneof(
  anyText,
  fc.array(fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: anyText }), {
    minLength: 1,
    maxLength: 3,
  }),
);

const runAndStep = {
  run: fc.option(nameText),
  step: fc.option(fc.nat(1000)),
};

export const someTasks: fc.Arbitrary<OutgoingTask[]> = fc.uniqueArray(
  fc.record({
    ...{ id: storedText, prompt: promptContent, source: storedText, reason: nameText },
    ...runAndStep,
    utility: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    vote: fc.option(fc.record({ answer: storedText, votes: fc.nat(8), samples: fc.constant(8) })),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 6 },
);

export const someLabels: fc.Arbitrary<OutgoingLabel[]> = fc.uniqueArray(
  fc.record({
    ...{ id: storedText, prompt: promptContent, source: storedText },
    ...{ answer: storedText, annotator: nameText, ...runAndStep },
    cost: fc.double({ min: 0, max: 1e6, noNaN: true }).map(Math.abs),
    at: fc.option(fc.nat(2 ** 31).map((seconds) => seconds * 1000)),
  }),
  { selector: ({ id, annotator }) => JSON.stringify([id, annotator]), minLength: 1, maxLength: 6 },
);
