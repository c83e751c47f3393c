/**
 * Trace settings and manifests as JSON: the only place that knows their names on disk.
 *
 * Knows nothing of files or of the database: the caller reads and writes.
 */
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { type SketchState, signalNames, type TraceManifest, type TraceSettings } from './types.ts';

const count = z.int().min(0);

/** The `trace` settings as written in configs and manifests; parses to `TraceSettings`. */
export const traceSettingsSchema = z
  .strictObject({
    signal: z.enum(signalNames),
    psi: z.number().gt(0).max(1),
    delta: z.int().min(1),
    zeta: z.number().gt(0).lt(100),
    sinks: count,
    window: z.int().min(1),
    min_heads: z.int().min(1),
    agreement_window: z.int().min(2),
  })
  .transform(
    ({ min_heads, agreement_window, ...same }): TraceSettings => ({
      ...same,
      minHeads: min_heads,
      agreementWindow: agreement_window,
    }),
  );

/** Where the store keeps the manifest of a round, among what it knows of the workspace. */
export function traceManifestKey(round: number): string {
  return `trace_manifest/${round}`;
}

const sketchSchema = z
  .strictObject({
    relative_accuracy: z.number().gt(0).lt(1),
    zero_count: count,
    bins: z.array(z.tuple([z.int(), z.int().min(1)])),
  })
  .transform(
    ({ relative_accuracy, zero_count, bins }): SketchState => ({
      relativeAccuracy: relative_accuracy,
      zeroCount: zero_count,
      bins,
    }),
  );
const tau = z.number().min(0).nullable();

/**
 * A trace manifest as written to disk (version 1); parses to `TraceManifest`. One from before traces listed their
 * signals has the configured one.
 */
export const traceManifestSchema = z
  .strictObject({
    version: z.literal(1),
    model: z.string().min(1),
    settings: traceSettingsSchema,
    heads: z.array(z.strictObject({ layer: count, head: count })).min(1),
    tau,
    sketch: sketchSchema,
    signals: z.array(z.enum(signalNames)).min(1).optional(),
    thresholds: z
      .array(z.strictObject({ signal: z.enum(signalNames), tau, sketch: sketchSchema }))
      .default([]),
    traces: count,
    tokens: count,
  })
  .transform(
    ({ version: _, signals, ...same }): TraceManifest => ({
      ...same,
      signals: signals ?? [same.settings.signal],
    }),
  );

/** Settings under their names on disk; `traceSettingsSchema` reads them back. */
export function settingsToJson(settings: TraceSettings): z.input<typeof traceSettingsSchema> {
  const { minHeads, agreementWindow, ...same } = settings;
  return { ...same, min_heads: minHeads, agreement_window: agreementWindow };
}

/** The manifest under its names on disk; `manifestFromJson` reads it back. */
export function manifestToJson(manifest: TraceManifest): z.input<typeof traceManifestSchema> {
  const { settings, sketch, thresholds, ...same } = manifest;
  return {
    version: 1,
    ...same,
    settings: settingsToJson(settings),
    sketch: sketchToJson(sketch),
    thresholds: thresholds.map((one) => ({ ...one, sketch: sketchToJson(one.sketch) })),
  };
}

function sketchToJson({
  relativeAccuracy,
  zeroCount,
  bins,
}: SketchState): z.input<typeof sketchSchema> {
  return { relative_accuracy: relativeAccuracy, zero_count: zeroCount, bins };
}

/** The manifest in a parsed JSON value; UserError that names `where` and the key if it is none. */
export function manifestFromJson(value: unknown, where: string): TraceManifest {
  const parsed = traceManifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError({
    wanted: 'a trace manifest of version 1',
    found: `at ${issue.path.join('.') || 'the top'}: ${issue.message}`,
    where,
    fix: 'Trace the pool again to write a new one.',
  });
}
