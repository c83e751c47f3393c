/**
 * Passwords as scrypt hashes that carry their parameters: `scrypt$LOG2N$R$P$SALT$HASH`.
 *
 * Knows nothing of users.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Refusal } from './types.ts';

/** What one hash costs: 128 r 2^logN bytes, and time in proportion to that times p. */
export interface ScryptCost {
  logN: number;
  r: number;
  p: number;
}

// 32 MiB and three passes: the middle of the equivalent settings that OWASP's password storage sheet recommends.
const usualCost: ScryptCost = { logN: 15, r: 8, p: 3 };

/** Hashes at a time, and waiting: more would take the memory and the threads of everybody else. */
const atOnce = 2;
const mayWait = 32;

const stored =
  /^scrypt\$(?<logN>\d{1,2})\$(?<r>\d{1,2})\$(?<p>\d{1,2})\$(?<salt>[A-Za-z0-9_-]+)\$(?<hash>[A-Za-z0-9_-]+)$/;

export interface Passwords {
  /** Refusal (503) when too many wait already. */
  hash(password: string): Promise<string>;
  /**
   * Is it the password? Where `hash` is null (no such user, no password) it takes as long and is false. Refusal (503)
   * when too many wait already.
   */
  matches(password: string, hash: string | null): Promise<boolean>;
}

/** Hashes at `cost`; those that were hashed at another cost are still read. */
export function openPasswords(cost: ScryptCost = usualCost): Passwords {
  const turn = turns();
  const hash = async (password: string): Promise<string> => {
    const salt = randomBytes(16);
    const key = await turn(() => derive(password, salt, cost, 32));
    const { logN, r, p } = cost;
    return ['scrypt', logN, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
  };
  const nobody = ['scrypt', cost.logN, cost.r, cost.p, 'AAAAAAAAAAAAAAAAAAAAAA', 'A'.repeat(43)];
  return {
    hash,
    async matches(password, known) {
      const parts = stored.exec(known ?? nobody.join('$'))?.groups;
      if (parts === undefined) throw new Error('a stored password has an unknown form');
      const wanted = Buffer.from(parts.hash, 'base64url');
      const used = { logN: Number(parts.logN), r: Number(parts.r), p: Number(parts.p) };
      const salt = Buffer.from(parts.salt, 'base64url');
      const found = await turn(() => derive(password, salt, used, wanted.length));
      return timingSafeEqual(wanted, found) && known !== null;
    },
  };
}

function derive(
  password: string,
  salt: Buffer,
  { logN, r, p }: ScryptCost,
  bytes: number,
): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN };
  // Two keyboards may write one accented letter in two ways.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(text, salt, bytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** Runs jobs, a few at a time, the others in turn. */
function turns(): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (job) => {
    if (running >= atOnce) {
      if (waiting.length >= mayWait) {
        throw new Refusal(
          503,
          'Too many people sign in at this moment. Try again in a few seconds.',
          {
            headers: { 'retry-after': '5' },
          },
        );
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
