/** Kinds of settings that several groups share. */
import { z } from 'zod';

/** A path: made absolute when the configuration is loaded (see load.ts). */
export function pathKey(value: string, description: string) {
  return z.string().min(1).default(value).describe(description).meta({ path: true });
}

/** A path that may be left out. */
export function optionalPathKey(description: string) {
  return z.string().min(1).nullable().default(null).describe(description).meta({ path: true });
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
