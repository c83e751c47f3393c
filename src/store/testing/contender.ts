/** A child for the lock's test: tries when it is told to, holds on until it is told to let go. */
import { createInterface } from 'node:readline';
import { type OwnerLock, takeOwnership } from '../owner.ts';

const [path] = process.argv.slice(2);
let lock: OwnerLock | undefined;

console.log('ready');
for await (const order of createInterface({ input: process.stdin })) {
  if (order === 'take') {
    try {
      lock = takeOwnership(path);
      console.log('won');
    } catch {
      console.log('lost');
    }
  } else {
    lock?.release();
    lock = undefined;
    console.log('released');
  }
}
