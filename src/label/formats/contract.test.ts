/** What every format must do; a new one is tested as soon as it is in the list. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { itemsOf } from './container.ts';
import { formats } from './registry.ts';
import { entriesOf, fileOf, fileWith, someLabels, someTasks } from './testing/files.ts';
import { formatNames, type OutgoingLabel, type OutgoingTask } from './types.ts';
import { byPrompt, questionText } from './values.ts';

const runs = { numRuns: 60 };

const task = (more: Partial<OutgoingTask> = {}): OutgoingTask => ({
  ...{ id: 'p1', prompt: 'What is 2 + 3?', source: 'sums', utility: 0.5, reason: 'planned' },
  ...{ run: null, step: null, vote: null, ...more },
});
const label = (more: Partial<OutgoingLabel> = {}): OutgoingLabel => ({
  ...{ id: 'p1', prompt: 'What is 2 + 3?', source: 'sums', answer: '5', annotator: 'mara' },
  ...{ cost: 1, run: null, step: null, at: null, ...more },
});

test('every name has its format', () => {
  expect(formats.map(({ name }) => name).sort()).toEqual([...formatNames].sort());
});

describe.each(formats)('$name', (format) => {
  test('labels come back as they were: ids, answers, annotators, costs and times, the first of a prompt first', async () => {
    await fc.assert(
      fc.asyncProperty(someLabels, async (labels) => {
        const path = fileOf(format, format.labelItems(labels));
        const read = await entriesOf(path);
        expect(new Set(read.map((one) => one.format.name))).toEqual(new Set([format.name]));
        const ordered = ['csv', 'jsonl', 'label-studio-min'].includes(format.name)
          ? labels
          : byPrompt(labels).flat();
        expect(read.map(({ entry }) => entry)).toEqual(
          ordered.map(({ id, answer, annotator, cost, at }) => ({
            ...{ kind: 'answer', promptId: id, answer, cost, at },
            by: { text: annotator, isName: true },
          })),
        );
        expect(await entriesOf(path, format.name)).toEqual(read);
      }),
      runs,
    );
  });

  test('a question that nobody has answered is blank, whatever the policy says', async () => {
    await fc.assert(
      fc.asyncProperty(someTasks, fc.boolean(), async (tasks, wanted) => {
        const path = fileOf(format, format.taskItems(tasks, wanted && format.takesVotes));
        const read = await entriesOf(path);
        expect(read.map(({ entry }) => entry)).toEqual(tasks.map(() => ({ kind: 'blank' })));
        expect(read[0].format.name).toBe(format.name);
      }),
      runs,
    );
  });

  test('questions are in the file as they are', async () => {
    await fc.assert(
      fc.asyncProperty(someTasks, async (tasks) => {
        const path = fileOf(format, format.taskItems(tasks, false));
        const texts: string[] = [];
        for await (const { item } of itemsOf(path, format.container)) {
          texts.push(String(Object(item.data ?? item.fields ?? item).question));
        }
        // A file of CSV is UTF-8, which has no half characters.
        const asWritten = (text: string) =>
          format.container === 'csv' ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text;
        expect(texts).toEqual(tasks.map(({ prompt }) => asWritten(questionText(prompt))));
      }),
      runs,
    );
  });

  test('what the policy says is in the file only where it is asked for', () => {
    const vote = { answer: 'policy-says-this', votes: 5, samples: 8 };
    const textOf = (withVotes: boolean) =>
      readFileSync(fileOf(format, format.taskItems([task({ vote })], withVotes)), 'utf8');
    expect(textOf(false)).not.toContain('policy');
    expect(textOf(true).includes('policy-says-this')).toBe(format.takesVotes);
  });

  test('texts of a megabyte go through', async () => {
    const long = `${'"x,\n'.repeat(256 * 1024)}.`;
    const path = fileOf(format, format.labelItems([label({ prompt: long, answer: long })]));
    const [{ entry }] = await entriesOf(path);
    expect(entry.kind === 'answer' && entry.answer === long).toBe(true);
  });

  test('a file that was cut short is refused, wherever it ends', async () => {
    const labels = ['1', '2', '3'].map((answer) => label({ id: `p${answer}`, answer }));
    const text = readFileSync(fileOf(format, format.labelItems(labels)), 'utf8').trimEnd();
    const bound = format.container === 'array' ? text.length : text.lastIndexOf('\n');
    for (let end = 2; end < bound; end += 9) {
      const path = fileWith(text.slice(0, end));
      const found = await entriesOf(path).catch((error: unknown) => error);
      // A table that ends behind a line, or within the last cell, looks whole.
      if (format.container === 'array') expect(found).toBeInstanceOf(UserError);
      else if (!(found instanceof UserError)) expect(found).not.toHaveLength(3);
    }
  });

  test('what goes with it is the same every time', () => {
    const { companion } = format;
    if (companion === null) return;
    expect(companion.name).toMatch(/^[a-z]+\.(xml|json)$/);
    expect(companion.text).toContain('question');
    expect(companion.text).toContain('answer');
  });
});
