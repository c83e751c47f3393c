// The example of docs/guide/adding-a-method.md: it is shown as it is, and it works where the line is in the registry.
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { Methods } from '../../src/method/methods.ts';
import { contextOf, groupOf } from '../../src/method/testing/groups.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

vi.mock('../../src/method/registry.ts', async (original) => {
  const real = await original<typeof import('../../src/method/registry.ts')>();
  const { cooldown } = await import('./cooldown.ts');
  const methodByName: typeof real.methodByName = (name) =>
    name === 'cooldown' ? cooldown : real.methodByName(name);
  return { ...real, methods: [...real.methods, cooldown], methodByName };
});

const open = (settings: Readonly<Record<string, unknown>> = {}, saved = {}) =>
  Methods.open(['dapo', 'cooldown'], settings, contextOf(), saved);
const admittedAt = (methods: Methods, steps: readonly number[]) =>
  steps.filter((step) => methods.admits('p', step));

describe('the example', () => {
  it('lets a prompt rest after a visit', async () => {
    const methods = open();
    expect(admittedAt(methods, [1])).toEqual([1]);
    await methods.observe(1, [await groupOf('p', ['1', '2'])]);
    expect(admittedAt(methods, [2, 3, 4, 5])).toEqual([5]);
    expect(methods.admits('another', 2)).toBe(true);
  });

  it('rests as long as its setting says, and goes on so from a checkpoint', async () => {
    const settings = { cooldown: { steps: 1 } };
    const methods = open(settings);
    await methods.observe(4, [await groupOf('p', ['1', '2'])]);
    const saved: Record<string, unknown> = JSON.parse(JSON.stringify(methods.save()));
    expect(saved).toEqual({ cooldown: { p: 4 } });
    expect(admittedAt(open(settings, saved), [5, 6])).toEqual([6]);
  });

  it('is in the guide word for word, but for where it lies', () => {
    const code = read('./cooldown.ts').replace('../../src/method/define.ts', '../define.ts');
    expect(read('../../docs/guide/adding-a-method.md')).toContain(`\`\`\`ts\n${code}\`\`\``);
  });
});
