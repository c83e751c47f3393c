/** How far the traces of two workspaces are apart, number by number and pivot by pivot. */
import { openStore } from '../../src/store/store.ts';
import type { StoredTrace } from '../../src/store/types.ts';
import {
  findPivots,
  type TraceManifest,
  traceManifestKey,
  traceManifestSchema,
} from '../../src/trace/index.ts';

export interface Comparison {
  /** Traces of the second workspace. */
  responses: number;
  /** Largest difference by signal and statistic; Infinity where one side has a number that the other has not. */
  apart: Record<string, number>;
  /** Pivots of either side, and those of both. */
  pivots: number;
  samePivots: number;
  sameHeads: boolean;
  /** The first response whose text, answer, class or end is not the same, as it is on both sides. */
  otherAnswer: string | null;
}

async function read(workspace: string) {
  const store = await openStore(workspace);
  try {
    const ids = (await store.prompts.list()).map(({ id }) => id);
    const manifest = traceManifestSchema.parse(await store.meta.get(traceManifestKey(0)));
    const traces = await store.traces.of(0, ids);
    return { manifest, traces, rollouts: await store.rollouts.of(0, ids) };
  } finally {
    await store.close();
  }
}

/** Compares round 0 of two workspaces with the same prompts. */
export async function compareTraces(first: string, second: string): Promise<Comparison> {
  const a = await read(first);
  const b = await read(second);
  const apart: Record<string, number> = {};
  const worst = (name: string, x: number, y: number) => {
    apart[name] = Math.max(apart[name] ?? 0, distance(x, y));
  };
  let pivots = 0;
  let samePivots = 0;
  for (const [i, one] of a.traces.entries()) {
    const other = b.traces[i];
    for (const [name, values] of Object.entries(one.trace.signals)) {
      const found = Object.entries(other?.trace.signals ?? {}).find(([same]) => same === name)?.[1];
      for (const [j, x] of values.entries()) worst(name, x, found?.[j] ?? Number.POSITIVE_INFINITY);
    }
    const mine = pivotsOf(one, a.manifest);
    const theirs = new Set(other === undefined ? [] : pivotsOf(other, b.manifest));
    const both = mine.filter((t) => theirs.has(t)).length;
    pivots += mine.length + theirs.size - both;
    samePivots += both;
  }
  for (const [i, one] of a.rollouts.entries()) {
    for (const key of ['meanLogprob', 'meanEntropy', 'maxEntropy', 'meanSelfCertainty'] as const)
      worst(key, one[key], b.rollouts[i]?.[key] ?? Number.POSITIVE_INFINITY);
  }
  const shown = (one: (typeof a.rollouts)[number] | undefined) =>
    JSON.stringify([
      one?.promptId,
      one?.sample,
      one?.text,
      one?.answer,
      one?.answerClass,
      one?.finish,
    ]);
  const other = a.rollouts.findIndex((one, i) => shown(one) !== shown(b.rollouts[i]));
  return {
    ...{ responses: b.traces.length, apart, pivots, samePivots },
    sameHeads: JSON.stringify(a.manifest.heads) === JSON.stringify(b.manifest.heads),
    otherAnswer: other < 0 ? null : `${shown(a.rollouts[other])} and ${shown(b.rollouts[other])}`,
  };
}

function pivotsOf({ changes }: StoredTrace, { tau, settings }: TraceManifest): number[] {
  return findPivots(changes ?? [], tau ?? Number.POSITIVE_INFINITY, settings.delta);
}

function distance(x: number, y: number): number {
  if (Object.is(x, y)) return 0;
  const apart = Math.abs(x - y);
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
}
