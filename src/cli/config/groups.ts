/** Settings of everything before training: engine, pool, rollout, trace, verify, triage, label, report. */
import { z } from 'zod';
import { signalNames, defaultTraceSettings as traced } from '../../trace/types.ts';
import { defaultTriageSettings as usual } from '../../triage/settings.ts';
import { passRateOracle } from '../../uncertainty/oracle.ts';
import { estimatorNames } from '../../uncertainty/registry.ts';
import {
  count,
  flag,
  nameKey,
  number,
  optionalCount,
  optionalPathKey,
  pathsKey,
  share,
} from './keys.ts';

export const engine = z
  .strictObject({
    provider: z
      .enum(['cpu', 'webgpu', 'cuda'])
      .default('cpu')
      .describe('ONNX Runtime execution provider'),
    threads: count(0, 0, 'Threads per session; 0 = one per core. Results do not depend on it'),
  })
  .prefault({})
  .describe('Where the graphs run');

export const pool = z
  .strictObject({
    files: pathsKey('Prompt files (JSONL, CSV, Parquet) that `pool` reads when it is given none'),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
      .max(80)
      .nullable()
      .default(null)
      .describe('Name of the files with answers and rejects; null = as the first prompt file'),
    columns: z
      .strictObject({
        prompt: columnKey('prompt', 'the prompt: a string or a list of messages'),
        answer: columnKey('answer', 'the answer, which is sealed apart from the prompt'),
        id: columnKey('id', 'the stable id'),
        source: columnKey('source', 'where the prompt comes from'),
      })
      .prefault({})
      .describe('Names of the columns'),
    max_line_bytes: count(16 * 2 ** 20, 1, 'Longest line, record or row that is read, in bytes'),
  })
  .prefault({})
  .describe('Reading prompts');

function columnKey(name: string, what: string) {
  return z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(`Column of ${what}; null = \`${name}\` where there is one`);
}

export const rollout = z
  .strictObject({
    temperature: number(1, 0, 'Sampling temperature; 0 = greedy'),
    top_k: count(0, 0, 'Keep the k most likely tokens; 0 = all'),
    top_p: share(1, 'Keep the most likely tokens up to this probability'),
    min_p: share(0, 'Keep tokens at least this likely, relative to the most likely one'),
    max_tokens: count(128, 1, 'Longest response, in tokens'),
    stop: z
      .array(z.string().min(1))
      .default([])
      .describe('Strings that end a response, beside the end tokens of the model'),
    batch_size: count(64, 1, 'Responses decoded at a time'),
    chat: z
      .enum(['auto', 'never'])
      .default('auto')
      .describe(
        'auto = a plain-text prompt becomes a user message where the model has a chat template',
      ),
    long_prompts: z
      .enum(['refuse', 'cut'])
      .default('refuse')
      .describe('What happens to a prompt that leaves no room for a response'),
  })
  .prefault({})
  .describe('Sampling responses');

export const trace = z
  .strictObject({
    weights: flag(
      true,
      'Trace with the weights of `model`; false = none are at hand, and responses come with log-probabilities (trace --rollouts, --engine endpoint): no pivots',
    ),
    signal: z
      .enum(signalNames)
      .default(traced.signal)
      .describe('Attention signal whose changes make pivots'),
    extra_signals: z
      .array(z.enum(signalNames))
      .default([])
      .describe(
        'Further signals that are kept with every trace, for looking at and for their own scores',
      ),
    hidden_states: z
      .boolean()
      .default(false)
      .describe(
        'Pool the hidden states of every traced response, for coe_r, coe_c and cot_kinetics: one more forward pass',
      ),
    psi: z
      .number()
      .gt(0)
      .max(1)
      .default(traced.psi)
      .describe('Share of all heads that is kept: those that look back farthest'),
    min_heads: count(traced.minHeads, 1, 'Heads kept at least, however small psi is'),
    delta: count(traced.delta, 1, 'Tokens a change is measured over; keys further back are far'),
    zeta: z
      .number()
      .gt(0)
      .lt(100)
      .default(traced.zeta)
      .describe('Percentile of all changes in the pool that is the threshold of a pivot'),
    sinks: count(traced.sinks, 0, 'First positions that are left out of distance and far mass'),
    window: count(traced.window, 1, 'Longer distances count as this many tokens'),
    agreement_window: count(
      traced.agreementWindow,
      2,
      'Tokens over which the agreement of layers is correlated',
    ),
    traces_per_prompt: count(4, 1, 'Responses traced per prompt; short ones tie with only one'),
    profile_prompts: count(
      64,
      1,
      'Prompts on which the heads are chosen and the sensitivity is measured',
    ),
  })
  .prefault({})
  .describe('Attention signals and pivots');

const quota = z
  .strictObject({
    discard: share(usual.quota.discard, 'Share of the pool that is left out'),
    self: share(usual.quota.self, 'Share that is trained on by majority'),
    annotate: share(usual.quota.annotate, 'Share that gets labels, the probes included'),
  })
  .refine((q) => Math.abs(q.discard + q.self + q.annotate - 1) < 1e-6, {
    error: 'three shares that add up to 1',
  })
  .prefault({})
  .describe('Rule quota');

const risk = z
  .strictObject({
    hi: share(usual.hi, 'Discard while the lower bound of the pass rate is at least this'),
    vote_floor: share(
      usual.voteFloor,
      'Self while the majority is expected to be right with at least this probability',
    ),
  })
  .prefault({})
  .describe('Rule risk');

const budget = z
  .strictObject({
    labels: optionalCount(0, 'Most labels, the probes included; caps every rule'),
    train_prompts: optionalCount(1, 'Most prompts to train on; null = no cap'),
  })
  .prefault({})
  .describe('Rule budget');

export const triage = z
  .strictObject({
    plan: nameKey('main', 'Name of the plan; several live side by side'),
    estimator: z
      .enum([...estimatorNames, passRateOracle.name])
      .default('pivot_excess')
      .describe('Uncertainty score that ranks the pool'),
    pass_rates: optionalPathKey(
      'JSONL file with id, right and samples per prompt, for the estimator pass_rate_oracle of benchmarks',
    ),
    rule: z
      .enum(['quota', 'risk', 'budget'])
      .default(usual.rule)
      .describe('How the thresholds are set'),
    quota,
    risk,
    budget,
    probe_share: share(0.05, 'Share of the pool that is annotated first, for calibration'),
    probe_samples: count(8, 1, 'Responses per probe that its pass rate is measured on'),
    mastered_at: share(usual.masteredAt, 'A prompt with this pass rate counts as mastered'),
    window: count(usual.window, 1, 'Probes in a sliding window'),
    level: z
      .number()
      .gt(0)
      .lt(1)
      .default(usual.level)
      .describe('Coverage of every interval, for example 0.95'),
    resamples: count(usual.resamples, 1, 'Bootstrap resamples behind the intervals'),
    min_probes: count(usual.minProbes, 0, 'Fewer probes than this cannot judge a score'),
    tie_limit: share(
      usual.tieLimit,
      'Share of the pool in one tie above which bands cannot be told apart',
    ),
  })
  .prefault({})
  .describe('Which prompt goes where');

export const label = z
  .strictObject({
    answers: optionalPathKey(
      'File of {"id", "answer"} that labels are bought from; null = what `pool` has sealed',
    ),
    source: z
      .enum(['file', 'people', 'teacher'])
      .default('file')
      .describe(
        'Who gives labels: a file of answers, people (`pivottrace serve`), or a model (teacher.url)',
      ),
    when_missing: z
      .enum(['wait', 'self', 'leave'])
      .default('wait')
      .describe(
        'What a group does whose label was asked of people or a teacher and is not there: wait for it, train on its vote, or be left out until it is there',
      ),
    wait_minutes: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe(
        'How long a label is waited for before its group trains on its vote; null = for ever',
      ),
    spot_check: share(0, "Share of a teacher's labels that people check without knowing it"),
    images: flag(
      false,
      'Whether people label prompts with images too, which models here cannot see: for training elsewhere',
    ),
    account: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Whose labels they are; one account sees no other. null = triage.plan'),
    budget: optionalCount(0, 'Labels the account may hold; null = no limit'),
    error_rate: share(0, 'Share of labels that is made wrong, to see what errors cost'),
    delay_steps: count(0, 0, 'Training steps until a label that was asked for arrives'),
  })
  .prefault({})
  .describe('Where labels come from');

export const report = z
  .strictObject({
    out: optionalPathKey('HTML file to write; null = report.html in the workspace'),
  })
  .prefault({})
  .describe('The report');
