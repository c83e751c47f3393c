import { expect, test } from 'vitest';
import { openPasswords } from './passwords.ts';

const weak = { logN: 4, r: 8, p: 1 };

test('a password matches its own hash, written with any keyboard, at whatever cost it was made', async () => {
  const passwords = openPasswords(weak);
  const hash = await passwords.hash('crème brûlée');
  expect(hash).toMatch(/^scrypt\$4\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(await passwords.hash('crème brûlée')).not.toBe(hash);
  const later = openPasswords({ logN: 5, r: 4, p: 2 });
  expect(await later.matches('crème brûlée'.normalize('NFD'), hash)).toBe(true);
  expect(await later.matches('creme brulee', hash)).toBe(false);
  expect(await later.matches('', null)).toBe(false);
  await expect(passwords.matches('x', 'md5$aa')).rejects.toThrow(/unknown form/);
});

test('a crowd is turned away rather than let in at once', async () => {
  const passwords = openPasswords(weak);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 60 }, () => passwords.matches('x', null)),
  );
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBe(60 - 2 - 32);
  expect(await passwords.matches('x', await passwords.hash('x'))).toBe(true);
});

test('the usual cost is far from cheap', async () => {
  expect(await openPasswords().hash('x')).toMatch(/^scrypt\$15\$8\$3\$/);
});
