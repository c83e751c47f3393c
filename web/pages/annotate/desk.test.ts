import { describe, expect, it } from 'vitest';
import { ApiProblem } from '../../api.ts';
import type { Calls, Submission } from '../../calls.ts';
import { nextOf, previewOf, questionOf } from '../../testing/canned.ts';
import { createDesk } from './desk.ts';
import { openDrafts, type Shelf } from './drafts.ts';

class Memory implements Shelf {
  readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

/** A desk over a queue of questions p0, p1, ... */
function setUp(change: Partial<Calls> = {}, shelf: Shelf = new Memory()) {
  const given: Submission[] = [];
  const calls: Calls = {
    next: async () => nextOf(questionOf(given.length)),
    submit: async (said) => {
      given.push(said);
      return {
        verdict: said.kind === 'skip' ? 'skipped' : 'decided',
        next: nextOf(questionOf(given.length)),
      };
    },
    undo: async () => {
      const undone = given.pop() ?? null;
      return { undone, next: nextOf(questionOf(given.length)) };
    },
    reveal: async () => ({ classes: [{ answer: '4', count: 3 }], unread: 1 }),
    preview: async (_promptId, answer) => previewOf(answer),
    progress: async () => nextOf(null).progress,
    ...change,
  };
  return {
    desk: createDesk(
      calls,
      openDrafts('me', () => shelf),
    ),
    given,
  };
}

const offline = () => new ApiProblem('The server cannot be reached.', 'offline', 0);

describe('the annotation desk', () => {
  it('sends the trimmed answer with its note, and shows the next question with an empty field', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    desk.write(' 42 ');
    desk.remark(' sure ');
    await desk.submit('answer');
    expect(given).toEqual([
      { promptId: 'p0', kind: 'answer', answer: '42', note: 'sure', revealed: false },
    ]);
    expect(desk.question.value?.promptId).toBe('p1');
    expect([desk.answer.value, desk.note.value]).toEqual(['', '']);
    expect(desk.last.value).toEqual({ verdict: 'decided', kind: 'answer', answer: '42' });
  });

  it('sends no empty answer', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    desk.write('  ');
    await desk.submit('answer');
    expect(given).toEqual([]);
    expect(desk.word.value?.text).toContain('Type an answer first');
  });

  it('asks twice before it sends what cannot be read, and again after a change', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    desk.write('dunno');
    await desk.submit('answer');
    expect(given).toEqual([]);
    desk.write('dunno!');
    await desk.submit('answer');
    expect(given).toEqual([]);
    await desk.submit('answer');
    expect(given.map((one) => one.answer)).toEqual(['dunno!']);
  });

  it('sends what may or may not be readable when no reading comes', async () => {
    const { desk, given } = setUp({ preview: () => Promise.reject(offline()) });
    await desk.ask();
    desk.write('dunno');
    await desk.submit('answer');
    expect(given.map((one) => one.answer)).toEqual(['dunno']);
  });

  it('sends a verdict without an answer even if something was typed', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    desk.write('42');
    await desk.submit('bad_question');
    expect(given[0]).toMatchObject({ kind: 'bad_question', answer: null });
  });

  it('gives the last answer back to be changed', async () => {
    const { desk } = setUp();
    await desk.ask();
    desk.write('42');
    desk.remark('sure');
    await desk.submit('answer');
    await desk.undo();
    expect(desk.question.value?.promptId).toBe('p0');
    expect([desk.answer.value, desk.note.value]).toEqual(['42', 'sure']);
    expect(desk.last.value).toBeNull();
  });

  it('says so when there is nothing to take back', async () => {
    const { desk } = setUp();
    await desk.ask();
    await desk.undo();
    expect(desk.word.value?.text).toContain('nothing of yours');
  });

  it('tells with the answer that the policy was looked at, and forgets it for the next question', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    await desk.reveal();
    expect(desk.policy.value.shown).toBe(true);
    await desk.reveal();
    expect(desk.policy.value).toMatchObject({ shown: false, looked: true });
    desk.write('4');
    await desk.submit('answer');
    desk.write('5');
    await desk.submit('answer');
    expect(given.map((one) => one.revealed)).toEqual([true, false]);
  });

  it('keeps what was typed and seen over a reload', async () => {
    const shelf = new Memory();
    const before = setUp({}, shelf).desk;
    await before.ask();
    before.write('4');
    before.remark('half');
    await before.reveal();
    const after = setUp({}, shelf).desk;
    await after.ask();
    expect([after.answer.value, after.note.value]).toEqual(['4', 'half']);
    expect(after.policy.value).toMatchObject({ looked: true, shown: false });
  });

  it('keeps an answer that could not be sent, and says why', async () => {
    let down = true;
    const { desk } = setUp({
      submit: async () => {
        if (down) throw offline();
        return { verdict: 'decided', next: nextOf(questionOf(1)) };
      },
    });
    await desk.ask();
    desk.write('42');
    await desk.submit('answer');
    expect(desk.answer.value).toBe('42');
    expect(desk.word.value?.text).toContain('kept');
    down = false;
    await desk.submit('answer');
    expect(desk.question.value?.promptId).toBe('p1');
  });

  it('goes on with the next question when the one in hand was lost, and keeps its draft', async () => {
    const shelf = new Memory();
    let at = 0;
    const { desk } = setUp(
      {
        next: async () => nextOf(questionOf(at)),
        submit: () => Promise.reject(new ApiProblem('You do not hold it.', 'conflict', 409)),
      },
      shelf,
    );
    await desk.ask();
    desk.write('42');
    at = 1;
    await desk.submit('answer');
    expect(desk.question.value?.promptId).toBe('p1');
    expect(desk.answer.value).toBe('');
    expect(desk.word.value?.text).toContain('You do not hold it.');
    at = 0;
    await desk.ask();
    expect(desk.answer.value).toBe('42');
  });

  it('renews a lease without touching what is typed', async () => {
    let expiresAt = 1;
    const { desk } = setUp({ next: async () => nextOf({ ...questionOf(0), expiresAt }) });
    await desk.ask();
    desk.write('42');
    expiresAt = 2;
    await desk.renew();
    expect(desk.question.value?.expiresAt).toBe(2);
    expect(desk.answer.value).toBe('42');
    expect(desk.word.value).toBeNull();
  });

  it('ignores a renewal that is overtaken by an answer', async () => {
    const held: (() => void)[] = [];
    let first = true;
    const { desk } = setUp({
      next: async () => {
        if (first) {
          first = false;
          return nextOf(questionOf(0));
        }
        await new Promise<void>((done) => held.push(done));
        return nextOf(questionOf(0));
      },
    });
    await desk.ask();
    const renewal = desk.renew();
    desk.write('42');
    await desk.submit('answer');
    held[0]?.();
    await renewal;
    expect(desk.question.value?.promptId).toBe('p1');
  });

  it('sends once when a key is pressed twice', async () => {
    const { desk, given } = setUp();
    await desk.ask();
    desk.write('42');
    await Promise.all([desk.submit('answer'), desk.submit('answer')]);
    expect(given.length).toBe(1);
  });
});

describe('drafts', () => {
  it('of one person are not those of another', () => {
    const shelf = new Memory();
    openDrafts('a', () => shelf).keep('p', { answer: '1', note: '', revealed: false });
    expect(openDrafts('b', () => shelf).of('p').answer).toBe('');
    expect(openDrafts('a', () => shelf).of('p').answer).toBe('1');
  });

  it('last as long as the page where the browser keeps nothing', () => {
    const drafts = openDrafts('a', () => {
      throw new Error('forbidden');
    });
    drafts.keep('p', { answer: '1', note: '', revealed: false });
    expect(drafts.of('p').answer).toBe('1');
    drafts.drop('p');
    expect(drafts.of('p').answer).toBe('');
  });

  it('that something else wrote are ignored', () => {
    const shelf = new Memory();
    for (const text of ['{', '[["p", 1]]', '7']) {
      shelf.setItem('pivottrace.drafts.a', text);
      expect(openDrafts('a', () => shelf).of('p').answer).toBe('');
    }
  });

  it('are the newest thirty', () => {
    const drafts = openDrafts('a', () => new Memory());
    for (let at = 0; at < 40; at += 1)
      drafts.keep(`p${at}`, { answer: 'x', note: '', revealed: false });
    expect(drafts.of('p0').answer).toBe('');
    expect(drafts.of('p39').answer).toBe('x');
  });
});
