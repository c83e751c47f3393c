import { expect, test } from 'vitest';
import { Interrupted } from './errors.ts';
import { createProgress, type ProgressMode, stopHere, stopSignal } from './progress.ts';
import { formatBytes, formatDuration, formatNumber, MovingRate } from './rates.ts';

/** A progress on a clock of our own, with all that it wrote. */
function reporter(mode: ProgressMode, columns = 200) {
  const state = { now: 0, written: '' };
  const progress = createProgress({
    mode,
    write: (text) => {
      state.written += text;
    },
    columns: () => columns,
    clock: () => state.now,
    usage: () => ({ memory: 5e8, cpuSeconds: state.now * 1.5 }),
  });
  return { state, progress };
}

test('a pipe gets plain lines at intervals, and an estimate only when there is something to go by', () => {
  const { state, progress } = reporter('lines');
  progress.start('trace', 1000, 'prompts');
  for (let i = 1; i <= 40; i++) {
    state.now = i;
    progress.update(i * 10);
  }
  progress.finish('1,000 prompts traced');
  expect(state.written.split('\n')).toEqual([
    'trace: 1,000 prompts',
    'trace 100/1,000 prompts, 10/s, 1 min 30 s left, 1.5 cores, 500 MB',
    'trace 200/1,000 prompts, 10/s, 1 min 20 s left, 1.5 cores, 500 MB',
    'trace 300/1,000 prompts, 10/s, 1 min 10 s left, 1.5 cores, 500 MB',
    'trace 400/1,000 prompts, 10/s, 1 min 0 s left, 1.5 cores, 500 MB',
    'trace: 1,000 prompts traced (40 s)',
    '',
  ]);
});

test('a terminal line says "estimating" first, is redrawn in place and never wraps', () => {
  const { state, progress } = reporter('terminal', 40);
  progress.start('train', 100, 'steps');
  state.now = 0.5;
  progress.update(1, { reward: 0.51234 });
  expect(state.written).toContain('\rtrain 1/100 steps, estimating, reward');
  expect(state.written).not.toContain('\n');
  for (const line of state.written.split('\r')) {
    expect(line.replace('\u001b[K', '').length).toBeLessThan(40);
  }
  progress.finish('done');
  expect(state.written.endsWith('\rtrain: done (0.5 s)\u001b[K\n')).toBe(true);
});

test('JSON has one object per line with the same facts', () => {
  const { state, progress } = reporter('json');
  progress.start('train', 4, 'steps');
  for (let i = 1; i <= 3; i++) {
    state.now = i * 8;
    progress.update(i, { reward: i / 10 });
  }
  progress.finish('stopped');
  const lines = state.written.trimEnd().split('\n');
  const events: unknown[] = lines.map((line) => JSON.parse(line));
  expect(events).toMatchObject([
    { event: 'start', done: 0, total: 4, rate: null, seconds_left: null },
    { event: 'progress', done: 1 },
    { event: 'progress', done: 2 },
    { event: 'progress', done: 3, rate: 1 / 8, seconds_left: 8, reward: 0.3, cores: 1.5 },
    { event: 'finish', done: 3, summary: 'stopped' },
  ]);
});

test('a resumed job is not credited with what was done before', () => {
  const rate = new MovingRate();
  for (let i = 0; i < 5; i++) rate.add(i, 900 + i);
  expect(rate.value()).toBe(1);
});

test('the rate follows a job that gets slower', () => {
  const rate = new MovingRate();
  let done = 0;
  for (let time = 0; time <= 300; time++) {
    done += time < 200 ? 10 : 1;
    rate.add(time, done);
  }
  expect(rate.value()).toBeCloseTo(1, 6);
});

test('numbers are written for people', () => {
  expect([0.04, 9.96, 59.6, 61, 3599.7, 7300].map(formatDuration)).toEqual([
    '0.0 s',
    '10 s',
    '1 min 0 s',
    '1 min 1 s',
    '1 h 0 min',
    '2 h 2 min',
  ]);
  expect([12, 999_600, 1.44e9].map(formatBytes)).toEqual(['12 B', '1.0 MB', '1.4 GB']);
  expect([1234567, 0.123456, 1234.5, 1e-7].map(formatNumber)).toEqual([
    '1,234,567',
    '0.123',
    '1,235',
    '1.00e-7',
  ]);
});

test('the first signal asks for a stop, and safe points obey', () => {
  const sentences: string[] = [];
  const stop = stopSignal((sentence) => sentences.push(sentence));
  stopHere(stop.signal, 'The job');
  process.emit('SIGTERM', 'SIGTERM');
  expect(stop.signal.aborted).toBe(true);
  expect(sentences).toHaveLength(1);
  expect(() => stopHere(stop.signal, 'The job')).toThrow(Interrupted);
  const listening = process.listenerCount('SIGTERM');
  stop.dispose();
  expect(process.listenerCount('SIGTERM')).toBe(listening - 1);
});
