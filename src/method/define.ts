/** Ties a method's settings, hooks and saved state together with their types. */
import type { z } from 'zod';
import { UserError } from '../core/errors.ts';
import type {
  AdvantageHooks,
  BatchHooks,
  Memory,
  MethodContext,
  MethodDefinition,
  RewardHooks,
  TargetHooks,
} from './types.ts';

interface Hooks {
  target: TargetHooks;
  reward: RewardHooks;
  batch: BatchHooks;
  advantage: AdvantageHooks;
}

/** A method on the surface `S` with settings `T` and saved state `M`. */
export interface MethodSource<S extends keyof Hooks, T extends z.ZodType, M extends z.ZodType> {
  name: string;
  surface: S;
  summary: string;
  source: string;
  settings: T;
  /** The shape of what `save` gives; left out where nothing is saved. */
  state?: M;
  create(
    settings: z.output<T>,
    context: MethodContext,
    saved: z.output<M> | undefined,
  ): Hooks[S] & Memory;
}

/** The registry's view of a method: settings and saved state are parsed before `create` sees them. */
export function defineMethod<S extends keyof Hooks, T extends z.ZodType, M extends z.ZodType>(
  source: MethodSource<S, T, M>,
): MethodDefinition {
  const { name, surface, summary, settings, state } = source;
  return {
    ...{ name, surface, summary, source: source.source, settings },
    create(given, context, saved) {
      const memory = saved === undefined ? undefined : state?.safeParse(saved);
      if (memory?.success === false) {
        throw new UserError({
          wanted: `the saved state of the method ${name}`,
          found: memory.error.message,
          fix: 'Delete this checkpoint: the run goes on from the one before.',
        });
      }
      return source.create(settings.parse(given), context, memory?.data);
    },
  };
}
