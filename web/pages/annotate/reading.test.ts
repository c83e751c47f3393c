import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WirePreview } from '../../../src/server/wire.ts';
import { createReading } from './reading.ts';

const reads = (value: string): WirePreview => ({
  readable: true,
  kind: 'number',
  value,
  reason: '',
});

/** A verifier that answers when it is told to. */
function slow() {
  const asked: { answer: string; done: (preview: WirePreview) => void; aborted: () => boolean }[] =
    [];
  const ask = (_prompt: string, answer: string, signal?: AbortSignal) =>
    new Promise<WirePreview>((done, fail) => {
      asked.push({ answer, done, aborted: () => signal?.aborted === true });
      signal?.addEventListener('abort', () => fail(new Error('aborted')));
    });
  return { asked, ask };
}

describe('how the verifier reads what is typed', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for once the typing pauses, for the last text only', async () => {
    const { asked, ask } = slow();
    const reading = createReading(ask);
    for (const text of ['4', '42', '42 ']) reading.follow('p', text);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.map((one) => one.answer)).toEqual(['42']);
    asked[0]?.done(reads('42'));
    await vi.advanceTimersByTimeAsync(0);
    expect(reading.state.value).toEqual({ state: 'known', preview: reads('42'), of: '42' });
  });

  it('is not shown when something else was typed meanwhile', async () => {
    const { asked, ask } = slow();
    const reading = createReading(ask);
    reading.follow('p', '4');
    await vi.advanceTimersByTimeAsync(1_000);
    reading.follow('p', '5');
    expect(asked[0]?.aborted()).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    asked[1]?.done(reads('5'));
    asked[0]?.done(reads('4'));
    await vi.advanceTimersByTimeAsync(0);
    expect(reading.state.value).toMatchObject({ of: '5' });
  });

  it('is blank for an empty field at once', async () => {
    const { asked, ask } = slow();
    const reading = createReading(ask);
    reading.follow('p', '4');
    reading.follow('p', '');
    await vi.advanceTimersByTimeAsync(1_000);
    expect([asked.length, reading.state.value]).toEqual([0, { state: 'blank' }]);
  });

  it('does not hold a submission up for longer than its patience', async () => {
    const { ask } = slow();
    const read = createReading(ask).of('p', '4', 500);
    await vi.advanceTimersByTimeAsync(500);
    expect(await read).toBeNull();
  });

  it('is asked for at once by a submission, and only once', async () => {
    const { asked, ask } = slow();
    const reading = createReading(ask);
    reading.follow('p', '4');
    const read = reading.of('p', '4', 500);
    asked[0]?.done(reads('4'));
    expect(await read).toEqual(reads('4'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.length).toBe(1);
  });

  it('of another question is asked for anew', async () => {
    const { asked, ask } = slow();
    const reading = createReading(ask);
    reading.follow('p', '4');
    await vi.advanceTimersByTimeAsync(1_000);
    asked[0]?.done(reads('4'));
    await vi.advanceTimersByTimeAsync(0);
    reading.follow('q', '4');
    expect(reading.state.value).toEqual({ state: 'asking' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.length).toBe(2);
  });
});
