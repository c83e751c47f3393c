/** The desk of labels from people or from a teacher, as the configuration describes it. */
import { randomUUID } from 'node:crypto';
import { UserError } from '../../core/errors.ts';
import { paceOf } from '../../endpoint/pace.ts';
import { type History, noHistory } from '../../label/history.ts';
import { openLiveDesk, type Waiting } from '../../label/live.ts';
import { isClosed, people } from '../../label/people.ts';
import { openQueue } from '../../label/queue/queue.ts';
import type { Judge, Queue } from '../../label/queue/types.ts';
import { openTeacher } from '../../label/teacher.ts';
import { openTeacherBooks } from '../../label/teacher-books.ts';
import { checksText, spotCheck } from '../../label/teacher-checks.ts';
import { endpoint } from '../../label/teacher-client.ts';
import type { LiveDesk, LiveSource } from '../../label/types.ts';
import { judgeOf } from '../../server/answers.ts';
import { nameKey } from '../../server/names.ts';
import type { Store } from '../../store/types.ts';
import type { Verifier } from '../../verify/types.ts';
import { openVerifiers, type Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { verifierSpecs } from './workspace.ts';

export interface LiveNeeds {
  store: Store;
  config: Config;
  account: string;
  /** Opened when they are needed, where they are not given. */
  verifiers?: Pick<Verifiers, 'of'>;
  history?: History;
  /** Left out: nobody is waited for. */
  waiting?: Waiting;
  note?: (sentence: string) => void;
}

/** The desk. UserError where the teacher lacks a setting or its key, or has a person's name. */
export async function liveDesk(needs: LiveNeeds): Promise<LiveDesk> {
  const { store, config, account, history = noHistory, waiting = null } = needs;
  await reserveTeacher(store, config);
  const reader = readerOf(needs);
  const queue = peoplesQueue(store, config, account, reader.judge);
  const source = config.label.source === 'teacher' ? teacher(needs, reader, queue) : people(queue);
  return openLiveDesk({
    ...{ store, account, budget: config.label.budget, history, waiting },
    whenMissing: config.label.when_missing,
    source: {
      name: source.name,
      put: (wishes, buyer) => source.put(wishes, buyer),
      refused: (ids) => source.refused(ids),
      idle: () => source.idle(),
      async close() {
        await source.close();
        await reader.close();
      },
    },
  });
}

/** A teacher is a user that cannot sign in: no person takes the name that its labels carry. UserError where one has it. */
export async function reserveTeacher(store: Store, { label, teacher }: Config): Promise<void> {
  if (label.source !== 'teacher') return;
  const { name } = teacher;
  const isNew = await store.users.add({
    ...{ id: randomUUID(), name, nameKey: nameKey(name), role: 'annotator', kind: 'teacher' },
    ...{ disabled: false, createdAt: Date.now(), password: null },
  });
  if (isNew || (await store.users.byName(nameKey(name)))?.kind === 'teacher') return;
  throw new UserError({
    wanted: 'a name of its own for the teacher',
    found: `"${name}", which a person has`,
    where: 'teacher.name',
    fix: 'Choose another one: their labels could not be told apart.',
  });
}

/** The queue in which people label for `account`. */
export function peoplesQueue(store: Store, config: Config, account: string, judge: Judge): Queue {
  const { lease_seconds: seconds, overlap } = config.serve;
  const { gold_every: goldEvery, check_every: checkEvery } = config.serve;
  const { budget } = config.label;
  const settings = { account, budget, overlap, leaseMs: 1000 * seconds, goldEvery, checkEvery };
  // Training hands nothing out and takes no answers: names are never asked for.
  return openQueue(store, settings, { judge, nameOf: (annotator) => annotator });
}

interface Reader {
  verifierOf(promptId: string): Promise<Verifier>;
  judge: Judge;
  close(): Promise<void>;
}

/** Reads answers with the verifier of each prompt's source. */
function readerOf({ store, config, verifiers }: LiveNeeds): Reader {
  let opened: Promise<Verifiers> | undefined;
  const verifierOf = async (promptId: string): Promise<Verifier> => {
    const [prompt] = await store.prompts.list([promptId]);
    if (verifiers !== undefined) return verifiers.of(prompt?.source);
    opened ??= openVerifiers(verifierSpecs(config));
    return (await opened).of(prompt?.source);
  };
  return {
    verifierOf,
    judge: judgeOf(verifierOf),
    async close() {
      await (await opened)?.close();
    },
  };
}

function teacher(
  { store, config, account, note = () => {} }: LiveNeeds,
  { verifierOf }: Reader,
  queue: Pick<Queue, 'orderChecks' | 'tasks'>,
): LiveSource {
  const { label, teacher: t, seed } = config;
  const { url, model } = requireEndpoint(config);
  const ask = endpoint({
    ...{ url, model, key: keyOf(config), temperature: t.temperature },
    ...{ maxTokens: t.max_tokens, timeoutMs: 1000 * t.timeout_seconds },
  });
  const { name, price, samples, concurrency, retries, instruction, images } = t;
  const settings = { name, price, samples, concurrency, retries, instruction, images };
  return openTeacher(
    { ...settings, labelBudget: label.budget },
    {
      ...{ store, verifierOf, ask, note },
      pace: paceOf(t.requests_per_minute),
      books: openTeacherBooks(store, account, name, t.budget),
      checked: (given) => spotCheck(queue, given, { share: label.spot_check, seed }),
      // Its label was ruled out, or people have found the question to be without one.
      closed: async (id) => (await queue.tasks([id])).some(isClosed),
    },
  );
}

function requireEndpoint({ teacher: t }: Config): { url: string; model: string } {
  for (const [key, value] of Object.entries({ url: t.url, model: t.model })) {
    if (value !== null) continue;
    throw new UserError({
      wanted: `the setting teacher.${key}`,
      found: 'nothing',
      where: 'label.source = teacher',
    });
  }
  if (t.samples > 1 && t.temperature === 0) {
    throw new UserError({
      wanted: 'a temperature above 0 where a teacher answers more than once',
      found: '0: all answers would be alike',
      where: 'teacher.temperature',
    });
  }
  return { url: t.url ?? '', model: t.model ?? '' };
}

/** The key of the endpoint, from the environment alone: it is never stored, printed or sent anywhere else. */
function keyOf({ teacher: t }: Config): string | null {
  if (t.key_env === null) return null;
  const key = process.env[t.key_env];
  if (key !== undefined && key !== '') return key;
  throw new UserError({
    wanted: `the key of the endpoint in the environment variable ${t.key_env}`,
    found: 'nothing',
    where: 'teacher.key_env',
    fix: 'Set the variable, or set teacher.key_env=null where no key is needed.',
  });
}

/** What people found of the teacher's labels, in sentences; null where none was checked. */
export async function checksOfTeacher({
  store,
  config,
  account,
}: Pick<LiveNeeds, 'store' | 'config' | 'account'>): Promise<string | null> {
  if (config.label.source !== 'teacher') return null;
  const found = (await peoplesQueue(store, config, account, noJudge).checks()).find(
    ({ source }) => source === config.teacher.name,
  );
  return found === undefined ? null : checksText(found);
}

/** For work of the queue in which no answers are compared. */
export const noJudge: Judge = {
  equivalent: () => Promise.reject(new Error('nothing was to be judged here')),
};
