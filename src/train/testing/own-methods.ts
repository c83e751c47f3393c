/**
 * Methods that a test makes itself. A test that uses them puts them before the registry's:
 *
 *     vi.mock('../method/registry.ts', async (load) => {
 *       const { withOwnMethods } = await import('./testing/own-methods.ts');
 *       return withOwnMethods(await load<typeof import('../method/registry.ts')>());
 *     });
 */
import { z } from 'zod';
import type { Method, MethodDefinition } from '../../method/types.ts';

const own = new Map<string, MethodDefinition>();

interface Registry {
  methodByName(name: string): MethodDefinition;
}

export function withOwnMethods<T extends Registry>(registry: T): T {
  return {
    ...registry,
    methodByName: (name: string) => own.get(name) ?? registry.methodByName(name),
  };
}

/** Puts a method with these hooks under `name`, and gives the name back. */
export function named(name: string, hooks: Method): string {
  own.set(name, {
    ...{ name, surface: 'batch', summary: '', source: '', settings: z.strictObject({}) },
    create: () => hooks,
  });
  return name;
}
