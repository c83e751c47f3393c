/**
 * The rotary settings of a config.json: `rope_theta` with `rope_scaling` (transformers 4) or
 * `rope_parameters` (transformers 5), as the one form that `rope.ts` computes.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { RawConfig } from './config-keys.ts';
import type { Llama3Scaling, LongScaling, RopeSettings, YarnScaling } from './rope.ts';

const positive = z.number().positive();
const common = {
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
};
const positions = z.int().positive().nullish();

const SCHEMAS = {
  default: z.strictObject({ ...common, original_max_position_embeddings: positions }),
  linear: z.strictObject({ ...common, factor: positive }),
  llama3: z.strictObject({
    ...common,
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positions,
  }),
  yarn: z.strictObject({
    ...common,
    factor: positive.nullish(),
    original_max_position_embeddings: positions,
    beta_fast: z.number().nonnegative().nullish(),
    beta_slow: z.number().nonnegative().nullish(),
    attention_factor: positive.nullish(),
    mscale: z.number().nonnegative().nullish(),
    mscale_all_dim: z.number().nonnegative().nullish(),
    truncate: z.boolean().optional(),
  }),
  dynamic: z.strictObject({
    ...common,
    factor: positive,
    original_max_position_embeddings: positions,
  }),
  longrope: z.strictObject({
    ...common,
    factor: positive.nullish(),
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    attention_factor: positive.nullish(),
    original_max_position_embeddings: positions,
  }),
  proportional: z.strictObject({
    ...common,
    factor: positive.nullish(),
    partial_rotary_factor: z.number().min(0).max(1).nullish(),
  }),
} as const;

/** What the settings are read from, and for. */
interface Source {
  raw: RawConfig;
  /** The head's dimension. */
  headDim: number;
  /** `rope_scaling` or `rope_parameters`. */
  object: Record<string, unknown>;
  key: string;
  where: string;
}

/**
 * Precedence as in transformers 5: a `rope_scaling` object replaces `rope_parameters`; a theta inside
 * the object wins over the top-level one; without any, theta is 10000 and nothing is scaled. A text is at most
 * `max_position_embeddings` tokens long, and `longestText` of the result.
 */
export function parseRope(raw: RawConfig, headDim: number, where: string): RopeSettings {
  const given = raw.rope_scaling ?? undefined;
  const key =
    given !== undefined && Object.keys(given).length > 0 ? 'rope_scaling' : 'rope_parameters';
  const source = { raw, headDim, object: raw[key] ?? {}, key, where };
  const type = ropeType(source.object, key, where);
  const { rope_theta } = check(type, source.object, key, where);
  return { theta: rope_theta ?? raw.rope_theta ?? 10_000, scaling: SCALINGS[type](source) };
}

/** How each type is read. */
const SCALINGS: Record<RopeType, (source: Source) => RopeSettings['scaling']> = {
  default: () => null,
  linear: ({ object, key, where }) => {
    const { factor } = check('linear', object, key, where);
    return { type: 'linear', factor };
  },
  llama3,
  yarn,
  dynamic,
  longrope,
  proportional: ({ object, key, where }) => {
    const own = check('proportional', object, key, where);
    return { type: 'proportional', factor: own.factor ?? 1, share: own.partial_rotary_factor ?? 1 };
  },
};

function llama3({ raw, object, key, where }: Source): Llama3Scaling {
  const own = check('llama3', object, key, where);
  if (own.high_freq_factor <= own.low_freq_factor) {
    refuse('a high_freq_factor above low_freq_factor', JSON.stringify(object), key, where);
  }
  return {
    type: 'llama3',
    factor: own.factor,
    lowFreqFactor: own.low_freq_factor,
    highFreqFactor: own.high_freq_factor,
    originalMaxPositions: originalMax(own.original_max_position_embeddings, raw, key, where),
  };
}

function yarn({ raw, object, key, where }: Source): YarnScaling {
  const own = check('yarn', object, key, where);
  const originalMaxPositions = originalMax(own.original_max_position_embeddings, raw, key, where);
  return {
    type: 'yarn',
    factor: own.factor ?? raw.max_position_embeddings / originalMaxPositions,
    originalMaxPositions,
    betaFast: own.beta_fast || 32, // 0 means "not given" to transformers too
    betaSlow: own.beta_slow || 1,
    attentionFactor: own.attention_factor ?? null,
    mscale: own.mscale ?? null,
    mscaleAllDim: own.mscale_all_dim ?? null,
    truncate: own.truncate ?? true,
  };
}

/** The base grows with texts beyond max_position_embeddings. Texts end there, so that it never does. */
function dynamic({ raw, object, key, where }: Source): null {
  const own = check('dynamic', object, key, where);
  const original = originalMax(own.original_max_position_embeddings, raw, key, where);
  if (original !== raw.max_position_embeddings) {
    refuse('max_position_embeddings as the original one', String(original), key, where);
  }
  return null;
}

/** Within the context of pretraining only the short factors count; the magnitude is that of the long context. */
function longrope({ raw, headDim, object, key, where }: Source): LongScaling {
  const own = check('longrope', object, key, where);
  const divisors = own.short_factor;
  if (divisors.length !== headDim / 2) {
    refuse(`${headDim / 2} numbers as short_factor`, String(divisors.length), key, where);
  }
  const originalMaxPositions = originalMax(own.original_max_position_embeddings, raw, key, where);
  const factor = own.factor ?? raw.max_position_embeddings / originalMaxPositions;
  const inferred =
    factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
  const attentionFactor = own.attention_factor ?? inferred;
  return { type: 'longrope', divisors, attentionFactor, originalMaxPositions };
}

type RopeType = keyof typeof SCHEMAS;

function ropeType(object: Record<string, unknown>, key: string, where: string): RopeType {
  const { rope_type: newer, type: older } = object;
  if (newer !== undefined && older !== undefined && newer !== older) {
    refuse(
      'the same rope_type and type',
      `${JSON.stringify(newer)} and ${JSON.stringify(older)}`,
      key,
      where,
    );
  }
  const type = newer ?? older ?? 'default';
  const known = Object.keys(SCHEMAS).find((name) => name === type);
  if (known === undefined) {
    refuse(`a rope type of ${Object.keys(SCHEMAS).join(', ')}`, JSON.stringify(type), key, where);
  }
  return known as RopeType;
}

function check<T extends RopeType>(
  type: T,
  object: Record<string, unknown>,
  key: string,
  where: string,
): z.output<(typeof SCHEMAS)[T]> {
  const parsed = SCHEMAS[type].safeParse(object);
  if (parsed.success) return parsed.data as z.output<(typeof SCHEMAS)[T]>;
  const found = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown key ${issue.keys.join(', ')}`
      : `${issue.path.join('.')} = ${JSON.stringify(object[String(issue.path[0])]) ?? 'nothing'} (${issue.message})`,
  );
  return refuse(`settings of rope type ${type}`, found.join('; '), key, where);
}

/** The object's own value, or the top-level one (both may be there if they agree), or the context. */
function originalMax(
  own: number | null | undefined,
  raw: RawConfig,
  key: string,
  where: string,
): number {
  const top = raw.original_max_position_embeddings ?? undefined;
  if (top !== undefined && own !== null && own !== undefined && top !== own) {
    refuse('one original_max_position_embeddings', `${own} here and ${top} at the top`, key, where);
  }
  return own ?? top ?? raw.max_position_embeddings;
}

function refuse(wanted: string, found: string, key: string, where: string): never {
  throw new UserError({ wanted, found, where: `${where}, ${key}` });
}
