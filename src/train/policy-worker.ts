/**
 * The thread in which a policy lives: its weights, the sampler that decodes with them and the learner that
 * changes them. Knows prompts as text or messages; nothing of labels, rewards or routes.
 */
import { workerData } from 'node:worker_threads';
import type { OptimizerSettings } from '../engine/adamw.ts';
import type { EngineSettings } from '../engine/program.ts';
import { type Report, serve } from '../engine/rpc.ts';
import type { TraceRequest } from '../model/attention-trace.ts';
import { encodePrompt, loadChatTemplate } from '../model/chat-template.ts';
import { trainableShapes } from '../model/lora.ts';
import { type Layers, type Representation, Representer, type Text } from '../model/represent.ts';
import { openSafetensors, writeSafetensors } from '../model/safetensors.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { Sampler } from '../rollout/sampler.ts';
import type { Response, Rollout, Sampling } from '../rollout/types.ts';
import {
  type GivenResponse,
  type GivenText,
  GivenTexts,
  type ReadResponse,
  type Room,
} from './given.ts';
import { Learner } from './learner.ts';
import type { SurrogateSettings } from './loss.ts';
import { type AdapterTraining, openWeights } from './policy-weights.ts';
import { Scorer, type Sequence } from './scorer.ts';
import { savedTeacher, Teacher } from './teacher.ts';

export interface PolicySettings {
  /** The Hugging Face directory to start from. */
  model: string;
  engine: EngineSettings;
  batchSize: number;
  /** Wrap a plain-text prompt as a user message where the model has a chat template. */
  chat: 'auto' | 'never';
  optimizer: OptimizerSettings | null;
  tokensPerMicroBatch: number;
  /** Train a low-rank adapter in place of the weights. */
  adapter?: AdapterTraining | null;
}

/** A response that is wanted; the prompt as the pool has it. */
export interface PolicyRequest {
  promptId: string;
  sample: number;
  prompt: string | readonly { role: string; content: string }[];
}

export interface PolicyDescription {
  layers: number;
  heads: number;
  maxPositions: number;
  parameters: number;
  /** Display text of every token id. */
  vocabulary: string[];
}

const settings = workerData as PolicySettings;
const model = openWeights(settings.model, settings.adapter ?? null);
const { config, weights } = model;
const tokenizer = loadTokenizer(settings.model);
tokenizer.checkFits(config);
const template = loadChatTemplate(settings.model);
const sampler = new Sampler(config, weights, tokenizer, settings);
const representer = new Representer(config, weights, settings.engine, settings.tokensPerMicroBatch);
const given = new GivenTexts({
  ...{ config, weights, tokenizer, template, engine: settings.engine },
  wrap: wrapped,
});
let learner: Learner | undefined;
let reference: Scorer | undefined;
let teacher: Teacher | undefined;

function theLearner(): Learner {
  if (settings.optimizer === null) throw new Error('this policy was started without an optimizer');
  learner ??= new Learner(
    config,
    weights,
    settings.engine,
    settings.optimizer,
    settings.tokensPerMicroBatch,
  );
  return learner;
}

/** The model that the run started from. */
function theReference(): Scorer {
  if (reference !== undefined) return reference;
  const start = model.start();
  const { engine, tokensPerMicroBatch } = settings;
  reference = new Scorer(start.config, start.weights, engine, tokensPerMicroBatch);
  return reference;
}

/** The moving average of what is trained; until it is first used, what the run started from. */
function theTeacher(): Teacher {
  teacher ??= new Teacher(config, model.copyOfStart(), tokenizer, settings);
  return teacher;
}

function wrapped(prompt: PolicyRequest['prompt']): PolicyRequest['prompt'] {
  return typeof prompt === 'string' && settings.chat === 'auto' && template.present
    ? [{ role: 'user', content: prompt }]
    : prompt;
}

function tokensOf(prompt: PolicyRequest['prompt']): number[] {
  return encodePrompt(tokenizer, template, wrapped(prompt));
}

function weightsOf(by: 'policy' | 'teacher'): ReadonlyMap<string, Float32Array> {
  return by === 'teacher' ? theTeacher().weights : weights;
}

export const methods = {
  async describe(): Promise<PolicyDescription> {
    return {
      layers: config.layers,
      heads: config.heads,
      maxPositions: config.maxPositions,
      parameters: [...weights.values()].reduce((sum, data) => sum + data.length, 0),
      vocabulary: Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenText(id)),
    };
  },

  /** UserError for the first prompt that is empty or leaves no room for a response. */
  async check(argument: {
    prompts: readonly Omit<PolicyRequest, 'sample'>[];
    sampling: Sampling;
  }): Promise<void> {
    for (const { promptId, prompt } of argument.prompts) {
      const promptTokens = tokensOf(prompt);
      sampler.check({ promptId, sample: 0, promptTokens }, argument.sampling);
    }
  },

  /** Responses of the policy or its teacher with the prompts' token ids, in the order of the requests. */
  async generate(
    argument: {
      requests: readonly PolicyRequest[];
      sampling: Sampling;
      trace?: TraceRequest;
      by?: 'policy' | 'teacher';
    },
    report: Report,
  ): Promise<{ rollouts: Rollout[]; prompts: number[][] }> {
    const { requests, sampling, trace } = argument;
    const prompts = requests.map(({ prompt }) => tokensOf(prompt));
    const by = argument.by === 'teacher' ? theTeacher().sampler : sampler;
    const rollouts = await by.generate(
      requests.map(({ promptId, sample }, i) => ({ promptId, sample, promptTokens: prompts[i] })),
      sampling,
      trace,
      report,
    );
    return {
      rollouts,
      prompts: prompts.map((p, i) => p.slice(p.length - rollouts[i].promptLength)),
    };
  },

  /** Responses from elsewhere as token ids, in order; those that cannot be traced with the reason. */
  async readGiven(argument: {
    responses: readonly GivenResponse[];
    room: Room;
  }): Promise<ReadResponse[]> {
    return argument.responses.map((one) => given.read(one, argument.room));
  },

  /** Traces responses from elsewhere by prefill, in order. */
  async traceGiven(
    argument: {
      texts: readonly GivenText[];
      temperature: number;
      trace: TraceRequest;
      room: Room;
    },
    report: Report,
  ): Promise<Response[]> {
    const { texts, temperature, trace, room } = argument;
    return await given.trace(texts, temperature, trace, room, report);
  },

  /** Pooled hidden states of texts, in order. */
  async represent(argument: { texts: readonly Text[]; layers: Layers }): Promise<Representation[]> {
    return await representer.represent(argument.texts, argument.layers);
  },

  /** Pooled hidden states of whole prompts; of one beyond the context, its last tokens. */
  async promptFeatures(argument: {
    prompts: readonly PolicyRequest['prompt'][];
  }): Promise<Representation[]> {
    const texts = argument.prompts.map((prompt) => ({
      tokens: Int32Array.from(tokensOf(prompt).slice(-config.maxPositions)),
      from: 0,
    }));
    return await representer.represent(texts, 'last');
  },

  /** Log-probabilities of the sequences' targets under the weights that the run started from. */
  async referenceLogprobs(argument: { sequences: readonly Sequence[]; temperature: number }) {
    return await theReference().logprobs(argument.sequences, argument.temperature);
  },

  /** One optimizer step on the clipped surrogate of `sequences`. */
  async step(argument: { sequences: readonly Sequence[]; surrogate: SurrogateSettings }) {
    const sums = await theLearner().addSurrogate(argument.sequences, argument.surrogate);
    return { ...sums, ...(await theLearner().update()) };
  },

  /**
   * Writes the weights as a model directory: in float32 for a checkpoint, else in the dtypes they came in; of an
   * adapter, its own directory.
   */
  async save(argument: {
    directory: string;
    exact: boolean;
    by: 'policy' | 'teacher';
  }): Promise<void> {
    model.save(argument.directory, weightsOf(argument.by), argument.exact);
  },

  /** Writes a whole model directory, an adapter merged in, in the dtypes that the weights came in. */
  async saveMerged(argument: { directory: string; by: 'policy' | 'teacher' }): Promise<void> {
    model.saveMerged(argument.directory, weightsOf(argument.by));
  },

  /** Takes over what `save` wrote for a checkpoint. */
  async load(argument: { directory: string }): Promise<void> {
    model.load(argument.directory);
  },

  /** What the teacher averages becomes decay * teacher + (1 - decay) * policy. */
  async teach(argument: { decay: number }): Promise<void> {
    theTeacher().follow(weights, argument.decay);
  },

  async hasTeacher(): Promise<boolean> {
    return teacher !== undefined;
  },

  /** Nothing is written where there is no teacher. */
  async saveTeacher(argument: { path: string }): Promise<void> {
    teacher?.save(argument.path);
  },

  /** Takes over a stored teacher; without the file there is none, as at the start of a run. */
  async loadTeacher(argument: { path: string }): Promise<void> {
    const saved = savedTeacher(config, argument.path);
    teacher = saved && new Teacher(config, new Map([...weights, ...saved]), tokenizer, settings);
  },

  async saveOptimizer(argument: { path: string }): Promise<void> {
    const { step, moments } = theLearner().optimizerState();
    const shapes = trainableShapes(config);
    const tensors = [...moments].map(([name, values]) => ({
      name,
      dtype: 'float32' as const,
      shape: shapes.get(name.slice(2)) ?? [values.length],
      values,
    }));
    writeSafetensors(argument.path, tensors, { step: String(step) });
  },

  async loadOptimizer(argument: { path: string }): Promise<void> {
    const file = openSafetensors(argument.path);
    try {
      const moments = new Map([...file.tensors.keys()].map((name) => [name, file.read(name)]));
      theLearner().restoreOptimizer({ step: Number(file.metadata.step), moments });
    } finally {
      file.close();
    }
  },
};

serve(methods);
