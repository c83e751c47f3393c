// Which source gets which verifier, and what becomes of one that cannot be made.
import { expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { openVerifiers } from './verifiers.ts';

it('gives each source its own, sources that ask for the same one, and all others the common one', async () => {
  const verifiers = await openVerifiers({
    common: { kind: 'text' },
    sources: {
      sums: { kind: 'number' },
      products: { kind: 'number' },
      words: { kind: 'text' },
      '': { kind: 'json' },
    },
  });
  const { of } = verifiers;
  expect(['sums', 'words', 'x', ''].map((source) => of(source).name)).toEqual([
    ...['number', 'text', 'text', 'json'],
  ]);
  expect(of('products')).toBe(of('sums'));
  expect([of('words'), of('constructor'), of()]).toEqual([of('x'), of('x'), of('x')]);
  expect(await of('sums').verify('0.5', ['1/2'])).toMatchObject([{ verdict: 'right' }]);
  expect(await of().verify('0.5', ['1/2'])).not.toMatchObject([{ verdict: 'right' }]);
  const all = [of('sums'), of('x'), of('')];
  await verifiers.close();
  for (const verifier of all) await expect(verifier.compare('1', '1')).rejects.toThrow('closed');
});

it('refuses at once what one source cannot have, and says which', async () => {
  const common = { kind: 'text' };
  const refused = (source: string, kind: string) =>
    openVerifiers({ common, sources: { fine: { kind: 'number' }, [source]: { kind } } });
  await expect(refused('mbpp', 'code')).rejects.toThrow(UserError);
  await expect(refused('mbpp', 'code')).rejects.toThrow(/source "mbpp".*verify\.code\.enabled/s);
  await expect(refused('odd', 'maths')).rejects.toThrow(/source "odd" of verify.sources/);
  const bad = openVerifiers({ common: { kind: 'maths' }, sources: {} });
  await expect(bad).rejects.toThrow(/^verify\.kind: wanted/);
});
