/**
 * What becomes of responses from elsewhere: with weights they are traced by prefill, without them what came along is
 * kept. Knows nothing of files.
 */
import { UserError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import type { Response } from '../../rollout/types.ts';
import type { StoredRollout } from '../../store/types.ts';
import type { SensitivityRow, TraceManifest } from '../../trace/index.ts';
import { traceRequest } from '../../trace/request.ts';
import type { ReadResponse, Room } from '../../train/given.ts';
import type { Policy } from '../../train/policy.ts';
import type { Config } from '../config.ts';
import type { GivenRow } from './given-rows.ts';
import { layerPaths } from './layer-paths.ts';
import {
  chooseHeads,
  type ProfileBatch,
  profileRequest,
  roundProfile,
  spread,
  writeManifest,
} from './trace-profile.ts';
import {
  keptSignals,
  type RecordStage,
  recordResponses,
  recordRollouts,
  traceSettings,
} from './trace-record.ts';

/** A response with its number and its tokens; these are empty where only the text is known. */
export interface NumberedResponse {
  row: GivenRow;
  sample: number;
  text: string;
  tokens: Int32Array;
}

export interface Backend {
  /** What can be done with each row, in order. */
  read(rows: readonly GivenRow[]): Promise<ReadResponse[]>;
  /** Writes new responses, with their traces where `traced`. `onProgress` hears responses done and their tokens. */
  record(
    fresh: readonly NumberedResponse[],
    traced: boolean,
    onProgress: (done: number, tokens: number) => void,
  ): Promise<void>;
  /** Sets the threshold over the whole round; null where there are no traces. */
  finish(): Promise<TraceManifest | null>;
  sensitivity: SensitivityRow[];
  /**
   * Mean difference between the log-probabilities that came along and those of the weights here, nats per token, over
   * what this call has traced; null where none came along with tokens.
   */
  drift(): number | null;
}

export type BackendStage = RecordStage & { progress: Progress };

/** Numbers that the traces of a profiling batch may hold together: half a gigabyte. */
const MOST_PROFILED = 2 ** 27;

export function roomOf({ rollout }: Config): Room {
  return { maxTokens: rollout.max_tokens, longPrompts: rollout.long_prompts };
}

/** Traces with the weights of `policy`. `batch` gives one row each of prompts that are spread over the pool. */
export async function withWeights(
  stage: BackendStage,
  policy: Policy,
  batch: () => Promise<GivenRow[]>,
): Promise<Backend> {
  const { config } = stage;
  const profile = await roundProfile(stage, async () => givenProfile(stage, policy, await batch()));
  const layers = config.trace.hidden_states ? (await policy.describe()).layers : null;
  const request = traceRequest(profile.heads, keptSignals(config), traceSettings(config));
  const drift = new Drift();
  return {
    sensitivity: profile.sensitivity,
    drift: () => drift.mean(),
    read: (rows) => policy.readGiven(rows.map(givenOf), roomOf(config)),
    async record(fresh, traced, onProgress) {
      const { temperature } = config.rollout;
      const texts = fresh.map(textOf);
      const room = roomOf(config);
      const responses = await policy.traceGiven(texts, temperature, request, room, onProgress);
      for (const [i, { row }] of fresh.entries()) drift.add(row.response.logprobs, responses[i]);
      const paths =
        layers === null ? null : await layerPaths({ config, policy }, responses, layers);
      const kept = traced ? responses : responses.map(({ trace: _, ...rest }): Response => rest);
      await recordResponses(stage, promptsOf(fresh), kept, paths);
    },
    finish: () => writeManifest(stage, profile),
  };
}

/** The heads with the longest reach in responses that were made elsewhere. */
async function givenProfile(
  { config, progress }: BackendStage,
  policy: Policy,
  rows: readonly GivenRow[],
): Promise<ProfileBatch> {
  const { layers, heads } = await policy.describe();
  const read = await policy.readGiven(rows.map(givenOf), roomOf(config));
  const good = read.flatMap((one, i): NumberedResponse[] =>
    'reason' in one ? [] : [{ row: rows[i], sample: 0, ...one }],
  );
  if (good.length === 0) {
    throw new UserError({
      wanted: 'responses that the heads can be chosen on',
      found: read.map((one) => ('reason' in one ? one.reason : '')).at(0) ?? 'none',
      where: rows.at(0)?.at.file ?? 'the file',
    });
  }
  const tokens = good.reduce((sum, one) => sum + one.tokens.length, 0);
  const request = profileRequest(config, layers, heads);
  const numbers = tokens * layers * heads * request.signals.length;
  const few = Math.max(1, Math.floor((good.length * MOST_PROFILED) / Math.max(numbers, 1)));
  const batch = spread(good, Math.min(good.length, few));
  progress.start('choose heads', batch.length, 'responses');
  const { temperature } = config.rollout;
  const responses = await policy.traceGiven(
    batch.map(textOf),
    temperature,
    request,
    roomOf(config),
    (count) => progress.update(count),
  );
  return chooseHeads(config, { layers, heads }, responses);
}

function givenOf({ prompt: { prompt }, response: { text, tokens, finish } }: GivenRow) {
  return { prompt, text, tokens, finish };
}

function textOf({ row, sample, text, tokens }: NumberedResponse) {
  const { prompt, response } = row;
  return {
    ...{ promptId: prompt.id, sample, text, tokens },
    ...{ prompt: prompt.prompt, finish: response.finish },
  };
}

function promptsOf(fresh: readonly NumberedResponse[]) {
  return [...new Map(fresh.map(({ row }) => [row.prompt.id, row.prompt])).values()];
}

/** How far two models' log-probabilities of the same tokens are apart. */
class Drift {
  private sum = 0;
  private tokens = 0;

  add(logprobs: Float32Array | null, { logprobs: own }: Response): void {
    // A text that was tokenised again need not have the tokens that the numbers belong to.
    if (logprobs === null || logprobs.length !== own.length) return;
    for (const [i, logprob] of logprobs.entries()) this.sum += Math.abs(logprob - own[i]);
    this.tokens += own.length;
  }

  mean(): number | null {
    return this.tokens === 0 ? null : this.sum / this.tokens;
  }
}

/** Keeps what came along with the responses. What only weights can tell is recorded as NaN: not known. */
export function withoutWeights(stage: BackendStage): Backend {
  if (stage.config.trace.hidden_states) {
    throw new UserError({
      wanted: 'trace.hidden_states=false where there are no weights',
      found: 'true',
      where: 'trace.weights = false',
      fix: 'Hidden states, like pivots, need the weights of the model.',
    });
  }
  return {
    sensitivity: [],
    drift: () => null,
    read: async (rows) => rows.map(({ response }) => readWithout(response)),
    async record(fresh, _traced, onProgress) {
      await recordRollouts(stage, promptsOf(fresh), fresh.map(withoutTrace));
      onProgress(
        fresh.length,
        fresh.reduce((sum, one) => sum + lengthOf(one), 0),
      );
    },
    finish: async () => null,
  };
}

function readWithout({ text, tokens, logprobs }: GivenRow['response']): ReadResponse {
  if (text === null) return { reason: 'no text: without weights there is no tokenizer for tokens' };
  if (logprobs === null && tokens === null)
    return { reason: 'neither logprobs nor tokens: without weights nothing is known of it' };
  return { text, tokens: tokens ?? new Int32Array() };
}

function lengthOf({ row, tokens }: NumberedResponse): number {
  return row.response.logprobs?.length ?? tokens.length;
}

function withoutTrace(one: NumberedResponse): StoredRollout {
  const { row, sample, text, tokens } = one;
  const { logprobs, entropies, finish } = row.response;
  return {
    ...{ promptId: row.prompt.id, sample, text, tokens, finish },
    // How long the prompt is, only a tokenizer knows.
    promptLength: 0,
    length: lengthOf(one),
    meanLogprob: meanOf(logprobs),
    meanEntropy: meanOf(entropies),
    maxEntropy: entropies === null ? Number.NaN : entropies.reduce((a, b) => Math.max(a, b), 0),
    meanSelfCertainty: Number.NaN,
    answer: null,
    answerClass: -1,
  };
}

function meanOf(values: Float32Array | null): number {
  return values === null ? Number.NaN : values.reduce((sum, x) => sum + x, 0) / values.length;
}
