// A worker thread that asks for the verdict on a program without end. For tests.
import { workerData } from 'node:worker_threads';
import { codeJudge } from '../../judge.ts';

const gold = JSON.stringify({ cases: [{ stdin: '', stdout: '' }] });
await codeJudge(workerData).compare(gold, 'while True: pass');
