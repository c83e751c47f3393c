import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { PIXEL } from '../pool/testing/images.ts';
import type { PoolPrompt } from '../pool/types.ts';
import { dumpDatabase, restoreDatabase } from './dump.ts';
import { newestSchema } from './migrations/index.ts';
import { openEngine } from './open-engine.ts';
import { openStore } from './store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from './testing/postgres.ts';
import { promptRow } from './testing/rows.ts';
import { freshPath } from './testing/workspace.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });

let server: TestPostgres | undefined;
afterAll(() => server?.stop());

function freshFolder(): string {
  const path = freshPath();
  mkdirSync(path, { recursive: true });
  return path;
}

/** What cannot be packed smaller, as images cannot. */
function noise(chars: number, seed: number): string {
  let state = seed + 1;
  return Array.from({ length: chars }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (state % 26));
  }).join('');
}

function withImage(index: number, url = PIXEL): PoolPrompt {
  const content = [
    { type: 'text', text: 'Which colour is it? \u0000' } as const,
    { type: 'image_url', image_url: { url } } as const,
  ];
  return { ...promptRow(index), prompt: [{ role: 'user', content }] };
}

const places = [
  ['a workspace', async () => freshFolder()],
  ...(hasPostgres
    ? ([
        [
          'a server',
          async () => {
            server ??= await startPostgres();
            return await server.freshDatabase();
          },
        ],
      ] as const)
    : []),
] as const;

test.each(places)(
  'prompts with images in %s keep their content and are known',
  async (_, place) => {
    const store = await openStore(await place());
    const liar = 'No image: [{"type":"image_url"}]';
    const chat: PoolPrompt = { ...promptRow(2), prompt: [{ role: 'user', content: liar }] };
    const prompts = [withImage(0), promptRow(1), chat, withImage(3, 'https://host/a.png')];
    expect(await store.prompts.add(prompts)).toMatchObject({ added: 4, conflicts: [] });
    expect(await store.prompts.add([withImage(0)])).toMatchObject({ added: 0, unchanged: 1 });
    const other = withImage(0, 'https://host/b.png');
    expect(await store.prompts.add([other])).toMatchObject({ conflicts: ['p0'] });
    expect(await store.prompts.list()).toEqual(prompts);
    expect(await store.prompts.withImages()).toEqual(['p0', 'p3']);
    await store.close();
  },
);

test('large prompts come back in several pieces, all of them in order', async () => {
  const store = await openStore(freshFolder());
  const prompts = Array.from({ length: 9 }, (_, i) => {
    return { ...promptRow(i), prompt: noise(4_000_000, i) };
  });
  await store.prompts.add(prompts);
  expect((await store.prompts.list()).map(({ id, prompt }) => [id, prompt.length])).toEqual(
    prompts.map(({ id }) => [id, 4_000_000]),
  );
  const some = ['p8', 'p1', 'p2', 'p5', 'p7', 'p0'];
  const ids = (await store.prompts.list(some)).map(({ id }) => id);
  expect(ids).toEqual([...some].sort());
  await store.close();
});

test('prompts with images come through a dump', async () => {
  const [from, to] = [freshFolder(), freshFolder()];
  const store = await openStore(from);
  await store.prompts.add([withImage(0), promptRow(1)]);
  await store.close();
  const file = join(to, 'all.dump');
  const source = await openEngine(from, newestSchema);
  await dumpDatabase(source.engine, file);
  await source.close();
  const target = await openEngine(to, newestSchema);
  await restoreDatabase(target.engine, file);
  await target.close();
  const restored = await openStore(to);
  expect(await restored.prompts.list()).toEqual([withImage(0), promptRow(1)]);
  await restored.close();
});
