// Runs kill.ts as it is; see there. Usage: node test/torture/kill.mjs [--rounds 30] [--seed N] [--model DIR]
import { register } from 'tsx/esm/api';

register();
await import('./kill.ts');
