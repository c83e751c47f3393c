/**
 * One traced response as the viewer gets it: pieces of text, signals as means over the kept heads, single columns.
 *
 * Knows nothing of HTTP or of the page.
 */
import { isModel } from '../model/resolve.ts';
import { loadTokenizer, type Tokenizer } from '../model/tokenizer.ts';
import { textOf } from '../pool/content.ts';
import type { PoolPrompt } from '../pool/types.ts';
import type { Repositories, StoredTrace } from '../store/types.ts';
import { holdsHeads, signalSeries } from '../trace/changes.ts';
import { traceManifestKey, traceManifestSchema } from '../trace/manifest.ts';
import {
  type Head,
  layersOf,
  type RawTrace,
  type SignalName,
  signalNames,
  type TraceManifest,
} from '../trace/types.ts';
import { toBase64, type WireSignal, type WireTrace } from './wire-traces.ts';

/** A signal that can be looked at; `layer_far_mass` is what agreement is made from. */
export type ViewSignal = WireSignal['name'];

const units: Record<ViewSignal, string> = {
  far_mass: 'share of attention',
  distance: 'tokens',
  entropy: 'share of the largest',
  change: 'share of attention',
  received: 'share of attention',
  agreement: 'correlation',
  layer_far_mass: 'share of attention',
};

/** The manifest of a round; null where the round was not traced to its end, or cannot be read. */
export async function roundManifest(
  { meta }: Pick<Repositories, 'meta'>,
  round: number,
): Promise<TraceManifest | null> {
  const parsed = traceManifestSchema.safeParse(await meta.get(traceManifestKey(round)));
  return parsed.data ?? null;
}

/** Text of single tokens. Opened when first used, so that a server starts without a model. */
export interface Pieces {
  /** null where the model directory has no tokenizer that can be read. */
  of(tokens: Int32Array): Pick<WireTrace, 'text' | 'ends' | 'decoded'>;
}

/** `model`: directory of the model; undefined where there is none. */
export function piecesOf(model: string | undefined): Pieces {
  let tokenizer: Tokenizer | null | undefined;
  const known = new Map<number, string>();
  const pieceOf = (id: number): string => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const piece = tokenizer?.tokenText(id) ?? `[${id}]`;
    known.set(id, piece);
    return piece;
  };
  return {
    of(tokens) {
      tokenizer ??= model === undefined ? null : openTokenizer(model);
      const ends = new Int32Array(tokens.length);
      const pieces: string[] = [];
      let end = 0;
      for (const [t, id] of tokens.entries()) {
        const piece = pieceOf(id);
        pieces.push(piece);
        end += piece.length;
        ends[t] = end;
      }
      return { text: pieces.join(''), ends: toBase64(ends), decoded: tokenizer !== null };
    },
  };
}

function openTokenizer(model: string): Tokenizer | null {
  if (!isModel(model)) return null;
  try {
    return loadTokenizer(model);
  } catch {
    // A viewer without pieces of text is better than none; `pivottrace trace` tells what is wrong with the model.
    return null;
  }
}

/** The signals of a trace, the configured one first; each as its mean over the kept heads. */
export function signalsOf(trace: RawTrace, manifest: TraceManifest | null): WireSignal[] {
  const kept = keptHeads(trace, manifest);
  const first = manifest?.settings.signal;
  const names = signalNames.filter((name) => trace.signals[name] !== undefined);
  names.sort((a, b) => Number(b === first) - Number(a === first));
  const signals: WireSignal[] = names.map((name) => ({
    name,
    unit: units[name],
    mean: toBase64(Float32Array.from(signalSeries(trace, name, kept))),
    columns: columnsOf(trace, name),
    tau: tauOf(name, manifest),
  }));
  const mass = trace.layerFarMass;
  if (mass === undefined) return signals;
  const name = 'layer_far_mass';
  const columns = columnsOf(trace, name);
  const mean = rowMeans(mass, trace.tokens, columns.length);
  return [...signals, { name, unit: units[name], mean: toBase64(mean), columns, tau: null }];
}

/** Values of one column of a signal, one per token; null where the trace has none such. */
export function columnOf(trace: RawTrace, signal: ViewSignal, column: number): Float32Array | null {
  const values = signal === 'layer_far_mass' ? trace.layerFarMass : trace.signals[signal];
  const width = columnsOf(trace, signal).length;
  if (values === undefined || column >= width) return null;
  return Float32Array.from({ length: trace.tokens }, (_, t) => values[t * width + column]);
}

function columnsOf(trace: RawTrace, signal: ViewSignal): WireSignal['columns'] {
  const byLayer = signal === 'agreement' || signal === 'layer_far_mass';
  if (byLayer) return layersOf(trace.heads).map((layer) => ({ layer, head: null }));
  return trace.heads.map(({ layer, head }) => ({ layer, head }));
}

function keptHeads(trace: RawTrace, manifest: TraceManifest | null): readonly Head[] {
  return manifest !== null && holdsHeads(trace, manifest.heads) ? manifest.heads : trace.heads;
}

function tauOf(signal: SignalName, manifest: TraceManifest | null): number | null {
  if (manifest === null) return null;
  if (signal === manifest.settings.signal) return manifest.tau;
  return manifest.thresholds.find((one) => one.signal === signal)?.tau ?? null;
}

function rowMeans(values: Float32Array, rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < width; column++) sum += values[row * width + column];
    return sum / width;
  });
}

/** The stored changes, as they travel. */
export function changesOf({ changes }: Pick<StoredTrace, 'changes'>): string | null {
  return changes === null ? null : toBase64(changes);
}

/** The turns of a prompt; a plain text is one turn of the user. */
export function turnsOf({ prompt }: Pick<PoolPrompt, 'prompt'>): WireTrace['prompt'] {
  if (typeof prompt === 'string') return [{ role: 'user', text: prompt }];
  return prompt.map(({ role, content }) => ({ role, text: textOf(content) }));
}

/** The last thing that was asked, in one line of at most `limit` characters. */
export function questionLine(prompt: Pick<PoolPrompt, 'prompt'>, limit = 160): string {
  const last = turnsOf(prompt).findLast(({ role }) => role === 'user') ?? turnsOf(prompt).at(-1);
  // Cut first: a prompt may be very long, and white space is looked for in all of what is left.
  const line = (last?.text.slice(0, 4 * limit) ?? '').replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}
