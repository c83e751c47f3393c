/** Kinds of settings that several groups share. */
import { z } from 'zod';

/** A path: made absolute when the configuration is loaded (see load.ts). */
export function pathKey(value: string, description: string) {
  return z.string().min(1).default(value).describe(description).meta({ path: true });
}

/** A text that may be left out. */
export function optionalText(description: string) {
  return z.string().min(1).nullable().default(null).describe(description);
}

/** A path that may be left out. */
export function optionalPathKey(description: string) {
  return optionalText(description).meta({ path: true });
}

/** A list of paths. */
export function pathsKey(description: string) {
  return z.array(z.string().min(1)).default([]).describe(description).meta({ path: true });
}

/** A name that becomes a file name: letters, digits, dot, dash, underscore. */
export function nameKey(value: string, description: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
    .max(80)
    .default(value)
    .describe(description);
}

export function count(value: number, min: number, description: string) {
  return z.int().min(min).default(value).describe(description);
}

/** A count that may be left out. */
export function optionalCount(min: number, description: string) {
  return z.int().min(min).nullable().default(null).describe(description);
}

/** A number from 0 to 1. */
export function share(value: number, description: string) {
  return z.number().min(0).max(1).default(value).describe(description);
}

export function number(value: number, min: number, description: string) {
  return z.number().min(min).default(value).describe(description);
}

export function flag(value: boolean, description: string) {
  return z.boolean().default(value).describe(description);
}

/** Where the key of an endpoint is found: never in a configuration, which is written into reports. */
export const secretKey = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
  .nullable()
  .default(null)
  .describe('Environment variable that holds the key; null = no key');

/** What an endpoint may cost. */
export function budgetKey(description: string) {
  return z.number().min(0).nullable().default(null).describe(description);
}

/** How an endpoint is called. */
export function callKeys(defaults: { concurrency: number; timeoutSeconds: number }) {
  return {
    requests_per_minute: count(0, 0, 'Calls per minute at most; 0 = no limit'),
    concurrency: count(defaults.concurrency, 1, 'Calls at once at most'),
    retries: count(5, 0, 'How often a call that fails is made again'),
    timeout_seconds: number(defaults.timeoutSeconds, 1, 'A call that takes longer has failed'),
  };
}
