/** Worksheets of people and of their spreadsheets, lines of JSON, and Label Studio's flat lists. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guarded, unguarded } from './formula.ts';
import { anyText, entriesOf, fileWith } from './testing/files.ts';

const answer = (promptId: string, text: string, name: string | null = null) => ({
  ...{ kind: 'answer', promptId, answer: text, cost: null, at: null },
  by: name === null ? null : { text: name, isName: true },
});

async function read(content: string | Uint8Array) {
  return (await entriesOf(fileWith(content))).map(({ entry }) => entry);
}

describe('a worksheet', () => {
  test.each([
    ['plain', 'id,answer\np1,5\n'],
    ['with a byte order mark and line ends of Windows', '\ufeffid,answer\r\np1,5\r\n'],
    ['with semicolons', 'id;question;answer\np1;"a, b";5\n'],
    ['with tabs', 'id\tanswer\np1\t5\n'],
    ['with spaces around names and cells', ' id , answer \np1 , 5 \n'],
    ['with rows that were emptied', 'id,answer\n,\np1,5\n , \n'],
    ['with line ends of both kinds', 'id,answer\r\np1,5\n'],
  ])('is read %s', async (_, text) => {
    expect(await read(text)).toEqual([answer('p1', '5')]);
  });

  test('may name its annotators, and leave answers blank', async () => {
    const text = 'id,answer,annotator,source\np1,5,mara,sums\np2,,mara,sums\np3,7,,sums\n';
    expect(await read(text)).toEqual([
      answer('p1', '5', 'mara'),
      { kind: 'blank' },
      answer('p3', '7'),
    ]);
  });

  test('of another program may call the id pt_id and number its annotators', async () => {
    const text = "annotation_id,annotator,answer,id,pt_id\n9,3,'=5,77,p1\n";
    const [entry] = await read(text);
    expect(entry).toEqual({ ...answer('p1', "'=5"), by: { text: '3', isName: false } });
  });

  test('guards what a spreadsheet would run, and nothing else', () => {
    for (const cell of ['=1+2', '@x', '+a', '-2+3', '\t=1', "'=1", '|x', '\uff1dx']) {
      expect(guarded(cell)).toBe(`'${cell}`);
    }
    for (const cell of ['-5', '+5', '-0.5', '1e-5', "'quoted'", 'a=b', '', "x'"]) {
      expect(guarded(cell)).toBe(cell);
    }
  });

  test('takes the guard off exactly', () => {
    fc.assert(fc.property(anyText, (cell) => unguarded(guarded(cell)) === cell));
  });
});

test('an apostrophe that guards nothing stays', async () => {
  expect(await read("id,answer\np1,'tis\n")).toEqual([answer('p1', "'tis")]);
});

test('lines of JSON take numbers as they are written, and a line separator inside a text', async () => {
  const lines = ['{"id": 7, "answer": -0.5}', '{"id":"p\u20282","answer":"1"}', ''];
  expect(await read(lines.join('\n'))).toEqual([answer('7', '-0.5'), answer('p\u20282', '1')]);
});

test('a source is an annotator only in a list of labels with their costs', async () => {
  const [labels] = await read('{"id":"p1","answer":"5","source":"mara","cost":2,"run":null}\n');
  expect(labels).toEqual({ ...answer('p1', '5', 'mara'), cost: 2 });
  expect(await read('{"id":"p1","answer":"5","source":"sums"}\n')).toEqual([answer('p1', '5')]);
});

test('JSON_MIN gives one text bare, several as a list, and nothing where nobody answered', async () => {
  const rows = [
    { pt_id: 'p1', question: 'q', id: 31, answer: '5', annotator: 2, annotation_id: 8 },
    { pt_id: 'p2', question: 'q', id: 32, answer: { text: ['6', ' 6'] }, annotator: 'm@x.org' },
    { pt_id: 'p3', question: 'q', id: 33, annotator: '{}', annotation_id: null },
  ];
  expect(await read(JSON.stringify(rows))).toEqual([
    { ...answer('p1', '5'), by: { text: '2', isName: false } },
    answer('p2', '6', 'm@x.org'),
    { kind: 'blank' },
  ]);
});

describe('refused with its place:', () => {
  test.each([
    ['an empty id', 'id,answer\np1,5\n ,6\n', /:3: .*empty id/],
    ['a row with too few cells', 'id,answer\np1,5\np2\n', /:3: .*1 cells/],
    ['a quote that is never closed', 'id,answer\np1,5\np2,"6\np3,7\n', /:3: .*never closed/],
    ['a table without answers', 'id,reply\np1,5\n', /:1\b.*columns "id" and "answer".*id, reply/],
    ['two columns of a name', 'id,answer,answer\np1,5,6\n', /:1: .*two columns named 'answer'/],
    [
      'a file in another encoding',
      Buffer.from('id,answer\np1,\xe9\n', 'latin1'),
      /:2: .*not UTF-8/,
    ],
    ['half a line', '{"id":"a","answer":"1"}\n{"id":"b","ans', /:2: .*no JSON/],
    ['a line that is no object', '{"id":"a","answer":"1"}\n[1]\n', /:2: .*no JSON object/],
    ['an id that is no text', '{"id":["a"],"answer":"1"}\n', /:1: .*id is no text/],
    ['a line without an answer', '{"id":"a","reply":"1"}\n', /:1: .*no "answer"/],
    ['a number that is not exact', '{"id":12345678901234567890,"answer":"1"}\n', /:1: .*in quotes/],
    ['half a character', '{"id":"a","answer":"\\ud800"}\n', /:1: .*half a character/],
    ['U\\+0000', '{"id":"a","answer":"\\u0000"}\n', /:1: .*U\+0000/],
    ['a cost that is none', 'id,answer,cost\na,1,-2\n', /:2: .*cost is no number/],
    ['a name with a line end', 'id,answer,annotator\na,1,"b\nc"\n', /:2: .*control char/],
    ['something behind a list', '[{"pt_id":"a","answer":"1"}]\n]', /something behind the end/],
    ['a list with a gap', '[{"pt_id":"a","answer":"1"},]', /item 2 of the list is missing/],
    ['several texts', '[\n{"pt_id":"a","answer":["1","2"]}]', /:2 \(row 1\): .*2 different texts/],
  ])('%s', async (_, content, message) => {
    await expect(entriesOf(fileWith(content))).rejects.toThrow(message);
  });

  test('a file that is not there', async () => {
    await expect(entriesOf('/nowhere/labels.csv')).rejects.toThrow(/ENOENT/);
  });

  test('a table where a JSON format was named', async () => {
    const read = entriesOf(fileWith('id,answer\np1,5\n'), 'argilla');
    await expect(read).rejects.toThrow(/a JSON file, as argilla is/);
  });
});

test('empty files give nothing', async () => {
  for (const text of ['', '\n', '[]', '[ ]\n', 'id,answer\n', '{"items": [], "total": 0}']) {
    expect(await read(text)).toEqual([]);
  }
});
