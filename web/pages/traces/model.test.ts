import { expect, test } from 'vitest';
import { toBase64, type WireTrace } from '../../../src/server/wire-traces.ts';
import { addressOf, noFilters, searchOf } from './address.ts';
import { classOf, drawnAs, isPivot, levelsOf, placesOf, sharedStart, traceOf } from './model.ts';

function wireOf(pieces: string[], change: Partial<WireTrace> = {}): WireTrace {
  let end = 0;
  const ends = Int32Array.from(pieces, (piece) => {
    end += piece.length;
    return end;
  });
  const mean = Float32Array.from(pieces, (_, t) => (t % 7 === 3 ? 9 : 1));
  return {
    ...{ round: 0, promptId: 'p', sample: 0, samples: [0], prompt: [], source: '', decoded: true },
    ...{ text: pieces.join(''), ends: toBase64(ends), ids: toBase64(ends), response: '' },
    ...{ finish: 'stop', answer: null, verdict: null, label: null, route: null, promptTokens: 1 },
    figures: { meanLogprob: 0, meanEntropy: 0, maxEntropy: 0, meanSelfCertainty: 0 },
    ...{ scores: [], settings: { signal: 'distance', delta: 3, zeta: 95, window: 9 } },
    changes: null,
    signals: [
      {
        ...{ name: 'distance', unit: 'tokens', mean: toBase64(mean), tau: 5 },
        columns: [{ layer: 1, head: 2 }],
      },
    ],
    ...change,
  };
}

test('pieces, columns, changes and pivots come out of what travelled', () => {
  const trace = traceOf(wireOf(['so', ' ü', '\n', ' x', 'y', '', 'z']));
  expect([trace.piece(0), trace.piece(1), trace.piece(5)]).toEqual(['so', ' ü', '']);
  const [signal] = trace.signals;
  expect(signal.columns).toEqual([{ key: 'L1H2', label: 'layer 1, head 2' }]);
  expect(Array.from(signal.changes ?? []).slice(0, 4)).toEqual([0, 0, 0, 8]);
  expect(signal.pivots).toEqual([3]);
});

test('stored changes are taken as they are; a round without settings has no pivots', () => {
  const changes = toBase64(Float32Array.of(0, 6, 0));
  const stored = traceOf(wireOf(['a', 'b', 'c'], { changes }));
  expect(stored.signals[0].pivots).toEqual([1]);
  const bare = traceOf(wireOf(['a', 'b', 'c'], { settings: null }));
  expect([bare.signals[0].changes, bare.signals[0].pivots]).toEqual([null, []]);
});

test('chunks hold every token once and end at a line break where one is near', () => {
  const pieces = Array.from({ length: 2000 }, (_, t) => (t < 1000 && t % 90 === 0 ? '\n' : 'x'));
  const { chunks } = traceOf(wireOf(pieces));
  expect(chunks[0].from).toBe(0);
  expect(chunks.at(-1)?.to).toBe(2000);
  for (const [i, { from, to }] of chunks.entries()) {
    if (i > 0) expect(from).toBe(chunks[i - 1].to);
    expect(to - from).toBeLessThanOrEqual(512);
    if (to < 990) expect(pieces[to - 1]).toBe('\n');
  }
});

test('colours leave out what is undefined, and one outlier does not pale the rest', () => {
  const values = Array.from({ length: 200 }, (_, i) => i);
  values[5] = Number.NaN;
  values[7] = 1e9;
  const levels = levelsOf(values);
  expect([levels[0], levels[5], levels[7], levels[190]]).toEqual([0, 0, 6, 6]);
  expect(levels[100]).toBe(3);
  expect([...levelsOf([2, 2, 2])]).toEqual([0, 0, 0]);
});

test('a drawn token keeps its level beside being a pivot and being found', () => {
  const drawn = drawnAs(Uint8Array.of(4, 0, 2), [0], [{ from: 0, to: 2 }]);
  expect([...drawn].map(isPivot)).toEqual([true, false, false]);
  expect([...drawn].map(classOf)).toEqual(['t t4 hit', 't hit', 't t2']);
});

test('a search finds places across tokens, whatever their case, and takes text literally', () => {
  const trace = traceOf(wireOf(['An', 'sw', 'er', ': a.b', ' ANSWER', ' (']));
  expect(placesOf(trace, 'answer')).toEqual([
    { from: 0, to: 3 },
    { from: 4, to: 5 },
  ]);
  expect(placesOf(trace, 'a.b')).toEqual([{ from: 3, to: 4 }]);
  expect(placesOf(trace, 'a?b')).toEqual([]);
  expect(placesOf(trace, '(')).toEqual([{ from: 5, to: 6 }]);
  expect(placesOf(trace, '')).toEqual([]);
  // Lower case of this letter is longer than the letter: places must not shift.
  const turkish = traceOf(wireOf(['İ', 'İ', 'x']));
  expect(placesOf(turkish, 'x')).toEqual([{ from: 2, to: 3 }]);
});

test('two responses share their start up to the first other token', () => {
  const a = traceOf(wireOf(['a', 'b', 'c']));
  const b = traceOf(wireOf(['a', 'b', 'cc']));
  expect([sharedStart(a, b), sharedStart(a, a)]).toEqual([2, 3]);
});

test('an address says which trace, and reads back whatever is in a name', () => {
  const trace = { round: 2, prompt: 'a/b&c=d#é "x"', sample: 3 };
  const beside = { round: null, prompt: '?', sample: 0 };
  const address = {
    ...{ trace, beside, token: 41, find: 'x + y' },
    look: { signal: 'far_mass', column: 'L2H3', by: 'change' as const },
    filters: { ...noFilters, round: 2 },
  };
  const [path, search] = searchOf(address).split('?', 2);
  expect(path).toBe('/traces');
  expect(addressOf(`?${search}`)).toEqual(address);
  const nonsense = addressOf('?prompt=p&sample=-1&token=1e9&by=%00&verdict=maybe&round=x');
  expect(nonsense).toMatchObject({ trace: { sample: 0, round: null }, token: null });
  expect(nonsense.filters.verdict).toBe('');
});
