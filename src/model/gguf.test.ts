import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { randomWeights, TINY_MODELS, tinyConfig } from '../../test/reference/models.ts';
import { UserError } from '../core/errors.ts';
import { parameterShapes } from './config.ts';
import { loadConfig, loadWeights } from './directory.ts';
import { narrow } from './dtype.ts';
import { loadGguf } from './gguf.ts';
import { openGguf } from './gguf-file.ts';
import { ropeFrequencies } from './rope.ts';
import {
  bool,
  f32,
  ggufBytes,
  type Metadata,
  modelMetadata,
  modelTensors,
  type StoredTensor,
  text,
  u32,
  writeGguf,
} from './testing/gguf-writer.ts';

const root = mkdtempSync(join(tmpdir(), 'gguf-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
function written(metadata: Metadata, tensors: readonly StoredTensor[]): string {
  const path = join(root, `model-${count++}.gguf`);
  writeGguf(path, metadata, tensors);
  return path;
}

const FAMILY = {
  LlamaForCausalLM: 'llama',
  Qwen2ForCausalLM: 'qwen2',
  Qwen3ForCausalLM: 'qwen3',
} as const;

const llama = tinyConfig('llama');
const weights = randomWeights(llama, 5);
const metadata = modelMetadata('llama', llama);
const tensors = modelTensors(llama, weights);

describe('a model in a GGUF file', () => {
  it.each(TINY_MODELS)(
    '%s: configuration and weights are those it was made from',
    (_name, config) => {
      const own = randomWeights(config, 3);
      const path = written(
        modelMetadata(FAMILY[config.architecture], config),
        modelTensors(config, own),
      );
      const loaded = loadWeights(path);
      const { raw: _, initializerRange: __, bosTokenId: ___, ...same } = config;
      expect(loaded.config).toMatchObject({ ...same, eosTokenIds: [], dtype: 'float32' });
      expect([...loaded.weights.keys()]).toEqual([...parameterShapes(config).keys()]);
      for (const [name, values] of own) expect(loaded.weights.get(name)).toEqual(values);
    },
  );

  it('stored dtypes are kept for saving; what was quantised becomes float32', () => {
    const stored = tensors.map((tensor) => {
      const own = weights.get('model.embed_tokens.weight') ?? new Float32Array();
      if (tensor.name === 'token_embd.weight')
        return { ...tensor, type: 1, bytes: narrow(own, 'float16') };
      if (tensor.name !== 'output.weight') return tensor;
      return { ...tensor, type: 30, bytes: narrow(own, 'bfloat16') };
    });
    const { dtypes, config } = loadGguf(written(metadata, stored));
    expect(dtypes.get('model.embed_tokens.weight')).toBe('float16');
    expect(dtypes.get('lm_head.weight')).toBe('bfloat16');
    expect(dtypes.get('model.norm.weight')).toBe('float32');
    expect(config.dtype).toBe('float32');
  });

  it('reads rows where they belong, also quantised and in several parts', () => {
    const wide = tinyConfig('llama', { hidden_size: 32, vocab_size: 33_000 }); // more than 4 MiB
    const own = randomWeights(wide, 8);
    const stored = modelTensors(wide, own).map((tensor) =>
      tensor.shape.length === 2 && tensor.shape[1] === 32 && tensor.name !== 'token_embd.weight'
        ? { ...tensor, type: 8, bytes: quantised(tensor.bytes) }
        : tensor,
    );
    const loaded = loadGguf(written(modelMetadata('llama', wide), stored));
    for (const [name, values] of own) {
      const found = loaded.weights.get(name) ?? new Float32Array();
      const worst = values.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i])), 0);
      expect(worst, name).toBeLessThan(name === 'model.embed_tokens.weight' ? 1e-30 : 0.02);
    }
    expect(loaded.dtypes.get('lm_head.weight')).toBe('float32');
  });
});

/** Q8_0: blocks of 32 with a half-precision scale. */
function quantised(bytes: Uint8Array): Uint8Array {
  const values = new Float32Array(bytes.slice().buffer);
  const out = new Uint8Array((values.length / 32) * 34);
  for (let block = 0; block < values.length / 32; block++) {
    const own = values.subarray(block * 32, block * 32 + 32);
    const scale = own.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127;
    out.set(narrow(Float32Array.of(scale), 'float16'), block * 34);
    own.forEach((x, i) => {
      out[block * 34 + 2 + i] = Math.max(-127, Math.min(127, Math.round(x / scale)));
    });
  }
  return out;
}

describe('rotary settings', () => {
  const scaled = (changes: Metadata, more: StoredTensor[] = []) =>
    loadConfig(written({ ...metadata, ...changes }, [...tensors, ...more])).raw;

  it('linear and yarn scaling are written as config.json has them', () => {
    const factor = { 'llama.rope.scaling.factor': f32(4) };
    expect(scaled({ ...factor, 'llama.rope.scaling.type': text('linear') }).rope_scaling).toEqual({
      rope_type: 'linear',
      factor: 4,
    });
    expect(
      scaled({
        ...factor,
        'llama.rope.scaling.type': text('yarn'),
        'llama.rope.scaling.original_context_length': u32(32),
        'llama.rope.scaling.yarn_beta_fast': f32(16),
      }).rope_scaling,
    ).toEqual({
      ...{ rope_type: 'yarn', factor: 4 },
      ...{ original_max_position_embeddings: 32, beta_fast: 16 },
    });
  });

  it('the divisors of Llama 3.1 are recognised', () => {
    const scaling = {
      ...({ type: 'llama3', factor: 32 } as const),
      ...{ lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
    };
    // So far apart that even the small head of this test has frequencies that are divided.
    const theta = 5e8;
    const plain = ropeFrequencies({ theta, scaling: null }, llama.headDim).frequencies;
    const { frequencies } = ropeFrequencies({ theta, scaling }, llama.headDim);
    const divisors = Float32Array.from(plain, (f, i) => f / frequencies[i]);
    const of = (values: Float32Array): StoredTensor[] => [
      {
        name: 'rope_freqs.weight',
        type: 0,
        shape: [values.length],
        bytes: narrow(values, 'float32'),
      },
    ];
    const far = { 'llama.rope.freq_base': f32(theta) };
    expect(scaled(far, of(divisors)).rope_scaling).toEqual({
      ...{ rope_type: 'llama3', factor: 32, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    });
    expect(() => scaled(far, of(divisors.map((d) => d ** 1.1)))).toThrow('of Llama 3.1');
  });
});

describe('refusals', () => {
  const complaint = (changes: Metadata, own: readonly StoredTensor[] = tensors): string => {
    try {
      loadGguf(written({ ...metadata, ...changes }, own));
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
    throw new Error('was accepted');
  };
  const norm = (changes: Partial<StoredTensor>): StoredTensor[] =>
    tensors.map((one) => (one.name === 'output_norm.weight' ? { ...one, ...changes } : one));

  it.each<[string, Metadata]>([
    ['general.architecture llama, qwen2, qwen3', { 'general.architecture': text('gemma') }],
    ['llama.attention.logit_scale', { 'llama.attention.logit_scale': f32(2) }],
    ['without experts', { 'llama.expert_count': u32(8) }],
    ['attention to the whole context', { 'llama.attention.sliding_window': u32(8) }],
    ['"longrope"', { 'llama.rope.scaling.type': text('longrope') }],
    ['rope.dimension_count', { 'llama.rope.dimension_count': u32(2) }],
    ['a positive whole number', { 'llama.block_count': f32(1.5) }],
    ['tensor blk.2', { 'llama.block_count': u32(3) }],
    ['a power of two', { 'general.alignment': u32(24) }],
    ['split', { 'split.count': u32(3) }],
  ])('%s', (wanted, changes) => {
    expect(complaint(changes)).toContain(wanted);
  });

  it('names the tensor and the type that is not read', () => {
    const message = complaint({}, norm({ type: 10 }));
    expect(message).toContain('output_norm.weight');
    expect(message).toContain('found Q2_K');
    expect(complaint({}, norm({ type: 77 }))).toContain('found type 77');
    const block = new Uint8Array(144);
    expect(complaint({}, norm({ type: 12, bytes: block }))).toContain('rows of a multiple of 256');
  });

  it('names tensors that are missing, foreign or of another shape', () => {
    expect(complaint({}, norm({ name: 'output_norm.bias' }))).toContain('output_norm.bias');
    expect(complaint({}, norm({ shape: [12, 2] }))).toContain('shape [24]');
    expect(complaint({}, tensors.slice(1))).toContain('token_embd.weight');
  });
});

describe('damaged and hostile files', () => {
  const bytes = ggufBytes({ ...metadata, 'tokenizer.flag': bool(true) }, tensors);
  const path = join(root, 'hostile.gguf');
  const message = (data: Uint8Array): string | undefined => {
    writeFileSync(path, data);
    try {
      loadGguf(path);
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  };
  const patched = (at: number, value: Uint8Array): Buffer => {
    const copy = Buffer.from(bytes);
    copy.set(value, at);
    return copy;
  };

  it('a file that ends anywhere is refused', () => {
    for (let size = 0; size < bytes.length; size += size < 2000 ? 7 : 997) {
      writeFileSync(path, bytes);
      truncateSync(path, size);
      expect(() => loadGguf(path), `${size} bytes`).toThrow(UserError);
    }
  });

  it('lengths beyond the file and beyond 2^53 are refused before anything is allocated', () => {
    const huge = new Uint8Array(8).fill(0xff);
    expect(message(patched(8, huge))).toContain('a length of at most');
    expect(message(patched(16, huge))).toContain('a length of at most');
    expect(message(patched(24, huge))).toContain('a length of at most');
    const list: Metadata = { x: { kind: 'u8', list: [1, 2] } };
    const small = Buffer.from(ggufBytes(list, []));
    small.writeBigUInt64LE(1n << 40n, 24 + 9 + 8);
    expect(message(small)).toContain('a length of at most');
  });

  it('other versions, byte orders and formats are named', () => {
    expect(message(Buffer.from('PK\u0003\u0004'.padEnd(64)))).toContain('a file that starts with');
    expect(message(ggufBytes(metadata, tensors, 1))).toContain('version 1');
    expect(message(patched(4, Uint8Array.of(0, 0, 0, 3)))).toContain('big-endian');
    expect(message(ggufBytes(metadata, tensors, 2))).toBeUndefined();
  });

  it('any changed byte of the header gives a model or a UserError', () => {
    fc.assert(
      fc.property(fc.nat(2500), fc.integer({ min: 0, max: 255 }), (at, value) => {
        message(patched(at, Uint8Array.of(value)));
      }),
      { numRuns: 400 },
    );
  });

  it('a missing file is named', () => {
    expect(() => openGguf(join(root, 'none.gguf'))).toThrow('none.gguf');
  });
});
