/**
 * The rotary settings of a config.json: `rope_theta` with `rope_scaling` (transformers 4) or
 * `rope_parameters` (transformers 5), as the one form that `rope.ts` computes.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type { RawConfig } from './config-keys.ts';
import type { RopeSettings } from './rope.ts';

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
} as const;

/**
 * Precedence as in transformers 5: a `rope_scaling` object replaces `rope_parameters`; a theta inside
 * the object wins over the top-level one; without any, theta is 10000 and nothing is scaled.
 */
export function parseRope(raw: RawConfig, where: string): RopeSettings {
  const given = raw.rope_scaling ?? undefined;
  const key =
    given !== undefined && Object.keys(given).length > 0 ? 'rope_scaling' : 'rope_parameters';
  const object = raw[key] ?? {};
  const type = ropeType(object, key, where);
  const theta = (own: number | null | undefined): number => own ?? raw.rope_theta ?? 10_000;
  if (type === 'default') {
    return { theta: theta(check(type, object, key, where).rope_theta), scaling: null };
  }
  if (type === 'linear') {
    const { factor, rope_theta } = check(type, object, key, where);
    return { theta: theta(rope_theta), scaling: { type, factor } };
  }
  if (type === 'llama3') {
    const own = check(type, object, key, where);
    if (own.high_freq_factor <= own.low_freq_factor) {
      refuse('a high_freq_factor above low_freq_factor', JSON.stringify(object), key, where);
    }
    return {
      theta: theta(own.rope_theta),
      scaling: {
        type,
        factor: own.factor,
        lowFreqFactor: own.low_freq_factor,
        highFreqFactor: own.high_freq_factor,
        originalMaxPositions: originalMax(own.original_max_position_embeddings, raw, key, where),
      },
    };
  }
  const own = check(type, object, key, where);
  const originalMaxPositions = originalMax(own.original_max_position_embeddings, raw, key, where);
  return {
    theta: theta(own.rope_theta),
    scaling: {
      type,
      factor: own.factor ?? raw.max_position_embeddings / originalMaxPositions,
      originalMaxPositions,
      betaFast: own.beta_fast || 32, // 0 means "not given" to transformers too
      betaSlow: own.beta_slow || 1,
      attentionFactor: own.attention_factor ?? null,
      mscale: own.mscale ?? null,
      mscaleAllDim: own.mscale_all_dim ?? null,
      truncate: own.truncate ?? true,
    },
  };
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
