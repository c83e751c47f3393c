/** A training loop without a model and a database: a policy that says what a test tells it, and books for labels. */
import { createHash } from 'node:crypto';
import { silent } from '../../core/progress.ts';
import { stream } from '../../core/random.ts';
import { Methods } from '../../method/methods.ts';
import type { Method, MethodContext } from '../../method/types.ts';
import type { TraceRequest } from '../../model/attention-trace.ts';
import type { Prompt } from '../../pool/types.ts';
import type { Response, Sampling } from '../../rollout/types.ts';
import type { Transition } from '../../triage/types.ts';
import { inline } from '../../verify/testing/inline.ts';
import type { Judge } from '../../verify/types.ts';
import type { Sequence } from '../learner.ts';
import type { SurrogateSettings } from '../loss.ts';
import type { PolicyRequest, StepSums } from '../policy.ts';
import { shuffledSchedule } from '../schedule.ts';
import { type TrainJob, train } from '../trainer.ts';
import type {
  Evaluation,
  Question,
  StepMetrics,
  TrainPorts,
  TrainSettings,
  TrainState,
} from '../types.ts';
import { named } from './own-methods.ts';

/** Reads "answer: X"; with the label "?" nobody knows. */
const judge: Judge = {
  name: 'says',
  candidates: (text) => {
    const found = /answer: (\S+)/.exec(text);
    return found === null ? [] : [{ text: found[1], start: 8, end: text.length, mark: 'phrase' }];
  },
  read: (answer) => ({ key: answer, bucket: answer, kind: 'text', shown: answer }),
  compare: (gold, answer) => {
    if (gold === '?') return { verdict: 'undecided', reason: 'nobody knows', rung: 'only' };
    const verdict = gold === answer ? 'right' : 'wrong';
    return { verdict, reason: 'it is or not', rung: 'only' };
  },
  verify: (gold, text) => judge.compare(gold, judge.candidates(text)[0]?.text ?? ''),
};
export const verifier = inline(judge);

export const SETTINGS: TrainSettings = {
  ...{ steps: 4, maxRollouts: null, promptsPerStep: 4, groupSize: 8, epochs: 1 },
  ...{ updatesPerEpoch: 1, clipLow: 0.2, clipHigh: 0.28, kl: 0, loss: 'token' },
  ...{ advantage: 'std', average: 0, minVoteShare: 0, undecided: 'zero', selfWeight: 0.5 },
  ...{ evalEvery: 2, evalAtStart: true, evalSamples: 2, greedyEvery: 0, checkpointEvery: 2 },
  seed: 1,
};

export const FRESH: Readonly<TrainState> = {
  ...{ step: 0, cursor: 0, rollouts: 0, tokens: 0, seconds: 0, labels: 0 },
  ...{ schedule: null, methods: {} },
};

export function promptsOf(ids: readonly string[]): Map<string, Prompt> {
  return new Map(
    ids.map((id) => [id, { id, prompt: `what is ${id} ?`, source: 'test', metadata: {} }]),
  );
}
export const range = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`);

export interface Made {
  requests: readonly PolicyRequest[];
  sampling: Sampling;
  trace: TraceRequest | undefined;
  by: 'policy' | 'teacher';
}
export interface Update {
  sequences: readonly Sequence[];
  surrogate: SurrogateSettings;
}

/**
 * Says "o" with a chance that the test sets by prompt, else one of two wrong answers; greedily "o" from a
 * chance of 0.5 on. What it says hangs on all updates before, so that two runs that differ once go on differing.
 */
export class ScriptedPolicy {
  /** Chance of "o" by prompt id. */
  skill: (promptId: string) => number;
  readonly made: Made[] = [];
  readonly updates: Update[] = [];
  readonly taught: number[] = [];
  /** Stands for the weights. */
  weights = '';
  teacher: string | null = null;

  constructor(skill: ScriptedPolicy['skill'] = () => 0.5) {
    this.skill = skill;
  }

  /** Requests of training and of labs: not those of evaluations. */
  get trained(): Made[] {
    return this.made.filter(({ requests }) => !requests[0].promptId.startsWith('eval'));
  }

  async generate(
    requests: readonly PolicyRequest[],
    sampling: Sampling,
    trace?: TraceRequest,
    _onProgress?: unknown,
    by: 'policy' | 'teacher' = 'policy',
  ): Promise<Response[]> {
    this.made.push({ requests, sampling, trace, by });
    const weights = by === 'policy' ? this.weights : (this.teacher ?? '');
    return requests.map(({ promptId, sample }) => {
      const random = stream(sampling.seed, 'says', promptId, sample, weights);
      const skill = this.skill(promptId);
      const isRight = sampling.temperature === 0 ? skill >= 0.5 : random.uniform() < skill;
      const text = `answer: ${isRight ? 'o' : `x${random.below(2)}`}`;
      return { ...responseTo(promptId, sample, text, random.uniform()), ...tracesOf(trace) };
    });
  }

  async referenceLogprobs(sequences: readonly Sequence[]): Promise<Float32Array[]> {
    return sequences.map(({ tokens, from }) => new Float32Array(tokens.length - from));
  }

  async step(sequences: readonly Sequence[], surrogate: SurrogateSettings): Promise<StepSums> {
    this.updates.push({ sequences, surrogate });
    const seen = sequences.map(({ tokens, advantage, weight, old }) => [
      ...[...tokens, advantage, weight, ...(old ?? [])],
    ]);
    this.weights = hashOf([this.weights, seen, surrogate]);
    return { loss: 0.5, clipped: 0.25, kl: 0, gradNorm: 1, lr: 0.01 };
  }

  async teach(decay: number): Promise<void> {
    this.taught.push(decay);
    this.teacher = hashOf([this.teacher, decay, this.weights]);
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Two tokens, three where the answer is wrong. */
function responseTo(promptId: string, sample: number, text: string, noise: number): Response {
  const length = text.endsWith('o') ? 2 : 3;
  const column = (value: number) => new Float32Array(length).fill(value);
  return {
    ...{ promptId, sample, promptLength: 2, promptTokens: [7, 8], finish: 'stop', text },
    tokens: Int32Array.from({ length }, (_, i) => 10 + i),
    logprobs: column(-noise),
    entropies: column(0.5),
    selfCertainty: column(noise),
  };
}

function tracesOf(trace: TraceRequest | undefined): Pick<Response, 'trace'> {
  return trace === undefined ? {} : { trace: { heads: [...trace.heads], tokens: 2, signals: {} } };
}

/** What the database would hold: labels with the step of their purchase, and transitions in their order. */
export class Books {
  readonly bought = new Map<string, number>();
  /** What was asked for, with the step. */
  readonly asked: { step: number; ids: string[] }[] = [];
  readonly transitions: Transition[] = [];
  private readonly answerOf: (promptId: string) => string | undefined;
  private readonly delay: number;

  /** `delay`: steps from purchase to arrival. A prompt without an answer is never sold. */
  constructor(answerOf: Books['answerOf'] = () => 'o', delay = 0) {
    this.answerOf = answerOf;
    this.delay = delay;
  }

  /** Owns these labels from the start. */
  own(ids: Iterable<string>): this {
    for (const id of ids) this.bought.set(id, Number.NEGATIVE_INFINITY);
    return this;
  }

  ports(): TrainPorts {
    const there = (ids: Iterable<string>, step: number) =>
      new Map(
        [...ids].flatMap((id): [string, string][] => {
          const answer = this.answerOf(id);
          const since = this.bought.get(id);
          if (answer === undefined || since === undefined) return [];
          return since + this.delay <= step ? [[id, answer]] : [];
        }),
      );
    return {
      arrived: async (step) => there(this.bought.keys(), step),
      request: async (wishes, step) => {
        const ids = wishes.map(({ promptId }) => promptId);
        this.asked.push({ step, ids });
        for (const id of ids) {
          const known = this.bought.get(id);
          if (this.answerOf(id) !== undefined && (known === undefined || known > step))
            this.bought.set(id, step);
        }
        return there(ids, step);
      },
      refused: async (step) =>
        this.asked.flatMap((one) =>
          one.step <= step ? one.ids.filter((id) => this.answerOf(id) === undefined) : [],
        ),
      left: () => new Set(),
      change: async (step) => there(this.bought.keys(), step),
      waits: false,
      spent: async (step) => [...this.bought.values()].filter((at) => at <= step).length,
      moved: async (moves) => {
        this.transitions.push(...moves);
      },
    };
  }
}

/** What a run told. */
export class Heard {
  readonly metrics: StepMetrics[] = [];
  readonly evaluations: Evaluation[] = [];
  readonly questions: Question[] = [];
  /** States at checkpoints, as they are stored. */
  readonly checkpoints: TrainState[] = [];
}

export interface LoopParts extends Partial<Omit<TrainJob, 'policy' | 'settings' | 'methods'>> {
  policy?: ScriptedPolicy;
  settings?: Partial<TrainSettings>;
  books?: Books;
  /** Ids of the prompts; p0 ... p9 unless told. */
  ids?: readonly string[];
  methods?: Methods;
}

export function contextOf(
  ids: readonly string[],
  over: Partial<TrainSettings> = {},
): MethodContext {
  const { seed, groupSize, minVoteShare } = { ...SETTINGS, ...over };
  return {
    ...{ seed, groupSize, minVoteShare, prompts: promptsOf(ids), verifierOf: () => verifier },
    represent: async (responses) =>
      responses.map(({ text, logprobs }) => Float32Array.of(text.length, logprobs[0])),
  };
}

/** The methods of a run that has one method with these hooks; see own-methods.ts. */
export function hooked(hooks: Method, ids = range(10)): Methods {
  return Methods.open([named('hooked', hooks)], {}, contextOf(ids));
}

/** A job whose parts are those given; what it told is in `heard`. */
export function loopOf(parts: LoopParts = {}): {
  job: TrainJob;
  policy: ScriptedPolicy;
  heard: Heard;
} {
  const { ids = range(10), policy = new ScriptedPolicy(), books = new Books(), ...rest } = parts;
  const settings = { ...SETTINGS, ...parts.settings };
  const heard = new Heard();
  const job: TrainJob = {
    schedule: shuffledSchedule(new Map(ids.map((id) => [id, 'vote'])), 1),
    prompts: promptsOf(ids),
    evalItems: ['a', 'b'].map((id) => ({
      id,
      prompt: `what is ${id} ?`,
      answer: 'o',
      source: 't',
    })),
    sampling: {
      ...{ temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 4, stop: [], seed: 1 },
      longPrompts: 'refuse',
    },
    verifiers: { of: () => verifier },
    verifierOf: () => verifier,
    ports: books.ports(),
    events: {
      asked: (questions) => heard.questions.push(...questions),
      stepDone: (metrics) => heard.metrics.push(metrics),
      evaluated: (evaluation) => heard.evaluations.push(evaluation),
    },
    progress: silent,
    stop: new AbortController().signal,
    checkpoint: async (state) => {
      heard.checkpoints.push(JSON.parse(JSON.stringify(state)));
    },
    clock: () => 0,
    ...rest,
    policy,
    settings,
    methods: parts.methods ?? Methods.open([], {}, contextOf(ids, settings)),
  };
  return { job, policy, heard };
}

/** Trains with these parts to the end, from the start or from `state`. */
export async function runLoop(parts: LoopParts = {}, state = structuredClone<TrainState>(FRESH)) {
  const { job, policy, heard } = loopOf(parts);
  await train(job, state);
  return { state, policy, ...heard };
}

/** Advantages of the sequences of each update. */
export function advantagesOf(policy: ScriptedPolicy): number[][] {
  return policy.updates.map(({ sequences }) =>
    sequences.map(({ advantage }) => advantage ?? Number.NaN),
  );
}
