/**
 * Log-probability, entropy and self-certainty of given tokens, from the hidden states before them: the numbers
 * that the sampler reports for tokens it draws, under the same temperature.
 *
 * Runs on the thread that it is called on.
 */
import { type EngineSettings, Program } from '../engine/program.ts';
import type { DecoderConfig } from '../model/config.ts';
import { headWeight } from '../model/decoder.ts';
import {
  STATISTICS_HIDDEN,
  STATISTICS_SCALE,
  STATISTICS_TARGETS,
  statisticsGraph,
} from '../model/token-statistics.ts';
import type { TokenStatistics } from './types.ts';

/** Logits that exist at a time, floats: 20 MiB of them. */
const LOGITS = 5 * 2 ** 20;
const MAX_ROWS = 128;

export class TokenScorer {
  private readonly hiddenSize: number;
  private readonly rows: number;
  private readonly hidden: Float32Array;
  private readonly targets: BigInt64Array;
  private readonly program: Program;
  private readonly call: ReturnType<Program['bind']>;

  private constructor(
    config: DecoderConfig,
    weight: Float32Array,
    rows: number,
    temperature: number,
    program: Program,
  ) {
    this.hiddenSize = config.hiddenSize;
    this.rows = rows;
    this.program = program;
    this.hidden = new Float32Array(rows * config.hiddenSize);
    this.targets = new BigInt64Array(rows);
    this.call = program.bind({
      [headWeight(config)]: weight,
      [STATISTICS_HIDDEN]: this.hidden,
      [STATISTICS_TARGETS]: this.targets,
      [STATISTICS_SCALE]: Float32Array.of(temperature > 0 ? 1 / temperature : 1),
    });
  }

  /** `temperature` as in `Sampling`: at 0 the distribution is not scaled. */
  static async create(
    config: DecoderConfig,
    weights: ReadonlyMap<string, Float32Array>,
    temperature: number,
    engine: EngineSettings,
  ): Promise<TokenScorer> {
    const weight = weights.get(headWeight(config));
    if (weight === undefined) throw new Error(`no weight ${headWeight(config)}`);
    const rows = Math.max(8, Math.min(MAX_ROWS, Math.floor(LOGITS / config.vocabSize)));
    const program = await Program.compile(statisticsGraph(config, rows, engine.threads), engine);
    return new TokenScorer(config, weight, rows, temperature, program);
  }

  /**
   * `hidden` [tokens, hiddenSize]: the state after the final norm at the position before each token. Throws
   * when the model gives logits that are not finite.
   */
  async score(hidden: Float32Array, tokens: ArrayLike<number>): Promise<TokenStatistics> {
    const count = tokens.length;
    const statistics: TokenStatistics = {
      logprobs: new Float32Array(count),
      entropies: new Float32Array(count),
      selfCertainty: new Float32Array(count),
    };
    for (let at = 0; at < count; at += this.rows) {
      const end = Math.min(at + this.rows, count);
      this.hidden.fill(0);
      this.hidden.set(hidden.subarray(at * this.hiddenSize, end * this.hiddenSize));
      for (let i = 0; i < this.rows; i++)
        this.targets[i] = BigInt(at + i < end ? tokens[at + i] : 0);
      await this.call.run();
      for (const [name, values] of [
        ['logprobs', statistics.logprobs],
        ['entropies', statistics.entropies],
        ['self_certainty', statistics.selfCertainty],
      ] as const) {
        values.set(this.call.floats(name).subarray(0, end - at), at);
      }
    }
    if (!statistics.entropies.every(Number.isFinite)) {
      throw new Error('the logits are not finite: the model has diverged');
    }
    return statistics;
  }

  /** Frees the compiled graph. */
  async release(): Promise<void> {
    await this.program.release();
  }
}
