import { expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { isPostgresUrl, requirePostgresUrl, withoutPassword, withoutPasswords } from './url.ts';

test('a URL is told apart from a folder', () => {
  expect(isPostgresUrl('postgres://host/db')).toBe(true);
  expect(isPostgresUrl('PostgreSQL://host/db')).toBe(true);
  expect(isPostgresUrl('/srv/postgres')).toBe(false);
  expect(isPostgresUrl('postgres')).toBe(false);
});

test('a password is never shown, however it was written', () => {
  const shown = {
    'postgres://ann:s3cret@db.example:5433/team': 'postgres://ann@db.example:5433/team',
    'postgresql://ann:s3cret@/team?host=/run/pg': 'postgresql://ann@socket/team?host=/run/pg',
    'postgres://h/team?user=ann&password=s3cret&sslmode=require':
      'postgres://h/team?sslmode=require',
    'postgres://ann:s3c%40ret@h/team#s3cret': 'postgres://ann@h/team',
    // Not escaped: a part of the password looks like a host, a path or a fragment.
    'postgres://ann:s3cret/x@h/team': 'postgres://...',
    'postgres://ann:s3@cret/s3cret@h/team': 'postgres://...',
    'postgres://ann:a#s3cret@h/team': 'postgres://...',
    'postgres://ann:a?s3cret@h/team': 'postgres://...',
    'postgres://ann:s3cret@h:port/team': 'postgres://...',
  };
  for (const [url, safe] of Object.entries(shown)) {
    expect(withoutPassword(url)).toBe(safe);
    expect(withoutPasswords(`node main --db ${url} pool`)).toBe(`node main --db ${safe} pool`);
  }
});

test('what is no URL is refused without being repeated', () => {
  for (const wrong of ['postgres://ann:s3cret@h:port/x', 'mysql://ann:s3cret@h/x', 's3cret']) {
    expect(() => requirePostgresUrl(wrong)).toThrow(UserError);
    expect(() => requirePostgresUrl(wrong)).not.toThrow(/s3cret/);
  }
  const fine = 'postgres://ann:s3cret@h/x';
  expect(requirePostgresUrl(fine)).toBe(fine);
});
