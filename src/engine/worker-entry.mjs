/**
 * First module of every worker thread: makes TypeScript loadable, then runs the real module.
 *
 * Plain JavaScript, because Node 20 refuses a `.ts` file as a worker's entry point whatever loader is
 * given in execArgv. The settings come from our own tsconfig.json, never from the caller's directory.
 */
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register({ tsconfig: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)) });
await import(process.argv[2]);
