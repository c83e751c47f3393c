/**
 * Checks src/label/formats against the packages of Label Studio and Argilla: they load our files with their own
 * readers, and we read what they write from them.
 *
 *   tsx test/label/foreign.ts        a line per file; fails where something is lost or taken that was no answer
 *
 * Needs Python with label-studio-sdk 2 and argilla 2; PIVOTTRACE_PYTHON names it, else python3.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { writeWhole } from '../../src/core/files.ts';
import { formatByName, readEntries } from '../../src/label/formats/registry.ts';
import type {
  Entry,
  FormatName,
  Item,
  OutgoingLabel,
  OutgoingTask,
} from '../../src/label/formats/types.ts';
import { written } from '../../src/label/formats/written.ts';
import { printedBy, runCheck } from '../python/driver.ts';

const texts = [
  ...[
    '5',
    '-5',
    '007',
    '1e5',
    '=1+2',
    "'=x",
    '1,000',
    'a "b"',
    'line\nend',
    'a;b',
    'a\u2028b',
    '∑ é 😀',
  ],
  ...[
    '\\frac{1}{2}',
    '$x^2$, $y$',
    '<b>&amp;</b>',
    '{"text": ["a"]}',
    'None',
    '{{x}}',
    'nan',
    'x'.repeat(1e6),
  ],
];

const tasks: OutgoingTask[] = texts.map((text, i) => ({
  ...{
    id: `t ${text.slice(0, 40)}`,
    prompt: text,
    source: 'check',
    utility: i / 2,
    reason: 'planned',
  },
  ...{ run: i % 2 === 0 ? null : 'main', step: i % 2 === 0 ? null : i },
  vote: { answer: text, votes: 3, samples: 4 },
}));

/** Two people for every other prompt. */
const labels: OutgoingLabel[] = texts.flatMap((answer, i) =>
  ['mara', 'john'].slice(0, 1 + (i % 2)).map((annotator) => ({
    ...{ id: `l ${answer.slice(0, 40)}`, prompt: [{ role: 'user' as const, content: answer }] },
    ...{ source: 'check', answer, annotator, cost: 0.25, run: null, step: null, at: null },
  })),
);

interface Expected {
  file: string;
  format: FormatName;
  answers: readonly OutgoingLabel[];
  ignored: Partial<Record<Entry['kind'], number>>;
}

const blank = { blank: tasks.length };

const expected: readonly Expected[] = [
  { file: 'ls-export.json', format: 'label-studio', answers: labels, ignored: blank },
  { file: 'ls-min/result.json', format: 'label-studio-min', answers: labels, ignored: blank },
  { file: 'ls-csv/result.csv', format: 'csv', answers: labels, ignored: blank },
  { file: 'argilla-tasks-sdk.json', format: 'argilla', answers: [], ignored: blank },
  { file: 'argilla-tasks-flat.json', format: 'argilla', answers: [], ignored: blank },
  { file: 'argilla-tasks-api.json', format: 'argilla', answers: [], ignored: blank },
  // Its JSON leaves out whether a response was submitted.
  {
    file: 'argilla-labels-sdk.json',
    format: 'argilla',
    answers: [],
    ignored: { unclear: labels.length },
  },
  { file: 'argilla-labels-flat.json', format: 'argilla', answers: labels, ignored: {} },
  { file: 'argilla-labels-api.json', format: 'argilla', answers: labels, ignored: {} },
];

function writeOurs(folder: string): void {
  const save = (name: string, format: FormatName, items: Iterable<Item>): void => {
    const { container, companion } = formatByName(format);
    writeWhole(join(folder, name), [...written(container, items)].join(''));
    if (companion !== null) writeWhole(join(folder, companion.name), companion.text);
  };
  const [studio, argilla] = [formatByName('label-studio'), formatByName('argilla')];
  save('ls-tasks.json', 'label-studio', studio.taskItems(tasks, true));
  save('ls-labels.json', 'label-studio', studio.labelItems(labels));
  save('argilla-tasks.json', 'argilla', argilla.taskItems(tasks, true));
  save('argilla-labels.json', 'argilla', argilla.labelItems(labels));
}

function askPackages(folder: string): string {
  const printed = printedBy(new URL('foreign_check.py', import.meta.url), [folder], {
    wanted: 'Python with label-studio-sdk and argilla',
    fix: 'Install them (python3 -m pip install label-studio-sdk argilla), or name a Python that has them in PIVOTTRACE_PYTHON.',
  });
  const last = printed.trimEnd().split('\n').at(-1) ?? '';
  return z.object({ made_with: z.string() }).parse(JSON.parse(last)).made_with;
}

/** What is wrong with a file; null where nothing is. */
async function fault(
  folder: string,
  { file, format, answers, ignored }: Expected,
): Promise<string | null> {
  const found: string[] = [];
  const counts: Expected['ignored'] = {};
  for await (const { entry, format: guessed } of readEntries(join(folder, file))) {
    if (guessed.name !== format) return `read as ${guessed.name}`;
    if (entry.kind !== 'answer') counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
    else found.push(JSON.stringify([entry.promptId, entry.by?.text, entry.answer]));
  }
  const wanted = answers.map(({ id, annotator, answer }) =>
    JSON.stringify([id, annotator, answer]),
  );
  const missing = wanted.filter((one) => !found.includes(one)).map((one) => one.slice(0, 200));
  if (missing.length > 0) return `without ${missing.join(', ')}`;
  if (found.length !== wanted.length) return `${found.length} answers of ${wanted.length}`;
  return isDeepStrictEqual(counts, ignored) ? null : `other entries: ${JSON.stringify(counts)}`;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-foreign-'));
  try {
    writeOurs(folder);
    const madeWith = askPackages(folder);
    let failed = 0;
    for (const one of expected) {
      const path = join(folder, one.file);
      const wrong = existsSync(path)
        ? await fault(folder, one).catch(String)
        : `not there, only ${readdirSync(folder).join(', ')}`;
      if (wrong !== null) failed++;
      console.log(`${one.file.padEnd(28)}${wrong === null ? 'ok' : `FAILED: ${wrong}`}`);
    }
    console.log(`${expected.length - failed} of ${expected.length} files agree (${madeWith})`);
    if (failed > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runCheck(main);
