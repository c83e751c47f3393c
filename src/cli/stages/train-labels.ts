/** The labels of one training run: its desk, what training asks of it, and what a person is told while it waits. */
import { join } from 'node:path';
import type { Progress } from '../../core/progress.ts';
import { openHistory } from '../../label/history.ts';
import type { Label, LabelDesk, LiveDesk } from '../../label/types.ts';
import type { Store } from '../../store/types.ts';
import type { TrainPorts } from '../../train/types.ts';
import type { Transition } from '../../triage/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { labelDesk } from './labels.ts';
import { checksOfTeacher, liveDesk } from './live-labels.ts';
import { waitsOf } from './waiting.ts';

export interface RunLabels {
  desk: LabelDesk;
  /** The same where its labels come in their own time; else null. */
  live: LiveDesk | null;
  ports: TrainPorts;
  /** The progress to use; it shows what is waited for. */
  progress: Progress;
  /** Seconds in which the run worked and did not wait for people. */
  clock(): number;
  /** To be called when training is over, however it ended. */
  close(): Promise<void>;
}

export interface RunLabelNeeds {
  store: Store;
  config: Config;
  account: string;
  run: string;
  /** The run's folder: what it saw of live labels is kept there. */
  folder: string;
  verifiers: Pick<Verifiers, 'of'>;
  progress: Progress;
  stop: AbortSignal;
  note(sentence: string): void;
}

export async function openRunLabels(needs: RunLabelNeeds): Promise<RunLabels> {
  const { store, config, account, run, folder, verifiers, progress, stop, note } = needs;
  if (config.label.source === 'file') {
    const desk = await labelDesk(store, config, account);
    return {
      ...{ desk, live: null, ports: portsOf(store, desk, run), progress },
      clock: () => performance.now() / 1000,
      close: async () => {},
    };
  }
  const waits = waitsOf(config, progress, stop, note);
  const live = await liveDesk({
    ...{ store, config, account, verifiers, note, waiting: waits.waiting },
    history: openHistory(join(folder, 'labels.jsonl')),
  });
  return {
    ...{ desk: live, live, progress: waits.progress, clock: waits.clock },
    ports: livePorts(store, live, run),
    async close() {
      await live.close();
      const found = await checksOfTeacher({ store, config, account });
      if (found !== null) note(found);
    },
  };
}

function portsOf(store: Store, desk: LabelDesk, run: string): TrainPorts {
  return {
    arrived: async (step) => answersOf(await desk.arrived({ run, step })),
    request: async (wishes, step) => {
      const ids = wishes.map(({ promptId }) => promptId);
      return answersOf(await desk.request(ids, { run, step }));
    },
    refused: async () => desk.refused(),
    left: () => none,
    change: async (step) => answersOf(await desk.arrived({ run, step })),
    waits: false,
    spent: (step) => desk.spent({ run, step }),
    moved: async (transitions) => {
      if (transitions.length > 0) await store.transitions.append(transitions);
    },
  };
}

function livePorts(store: Store, desk: LiveDesk, run: string): TrainPorts {
  return {
    ...portsOf(store, desk, run),
    moved: async (transitions) => {
      const fresh = await notRecorded(store, transitions);
      if (fresh.length > 0) await store.transitions.append(fresh);
    },
    request: async (wishes, step) => {
      const reasoned = wishes.map((wish) => ({ ...wish, reason: 'group_disagrees' }));
      return answersOf(await desk.ask(reasoned, { run, step }));
    },
    left: () => desk.left(),
    change: async (step) => answersOf(await desk.change({ run, step })),
    waits: desk.waits,
  };
}

/**
 * A desk that was open while the run stood still has recorded labels that came meanwhile, of which nothing is left to
 * record, and labels that were taken back, so that the prompt stands elsewhere than the run remembers.
 */
async function notRecorded(
  store: Pick<Store, 'transitions'>,
  transitions: readonly Transition[],
): Promise<readonly Transition[]> {
  const doubtful = transitions.find(({ from, to }) => [from, to].includes('annotated'));
  if (doubtful === undefined) return transitions;
  const states = await store.transitions.routes(doubtful.plan);
  return transitions.flatMap((one) => {
    const { promptId, from, to } = one;
    const now = states.get(promptId);
    states.set(promptId, to);
    if (to === 'annotated' && now === to) return [];
    return now === 'annotate' && from === 'annotated' ? [{ ...one, from: now }] : [one];
  });
}

const none: ReadonlySet<string> = new Set();

const answersOf = (labels: readonly Label[]) =>
  new Map(labels.map(({ promptId, answer }) => [promptId, answer]));
