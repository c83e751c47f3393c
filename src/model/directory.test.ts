import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { type DecoderConfig, parameterShapes, parseDecoderConfig } from './config.ts';
import { loadWeights, saveWeights } from './directory.ts';
import { narrow, widen } from './dtype.ts';
import { openSafetensors, type TensorToWrite, writeSafetensors } from './safetensors.ts';

const root = mkdtempSync(join(tmpdir(), 'directory-'));
afterAll(() => rmSync(root, { recursive: true }));

const json = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  vocab_size: 24,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
};
const config = parseDecoderConfig(json, 'tiny');

/** Values that bfloat16 holds exactly, different for every tensor. */
function tinyWeights(of: DecoderConfig = config): Map<string, Float32Array> {
  let seed = 1;
  return new Map(
    [...parameterShapes(of)].map(([name, shape]) => {
      const exact = new Float32Array(shape.reduce((a, b) => a * b, 1));
      for (const i of exact.keys()) {
        seed = (seed * 75 + 74) % 65537;
        exact[i] = ((seed % 255) - 127) / 64;
      }
      return [name, exact];
    }),
  );
}

function tensorsOf(weights: ReadonlyMap<string, Float32Array>): TensorToWrite[] {
  const shapes = parameterShapes(config);
  return [...weights].map(([name, values]) => ({
    name,
    values,
    shape: shapes.get(name) ?? [values.length],
    dtype: 'bfloat16',
  }));
}

let directory = '';
let count = 0;
beforeEach(() => {
  count += 1;
  directory = join(root, `model-${count}`);
});
const weightsFile = () => join(directory, 'model.safetensors');

describe('round trip', () => {
  it.each([1e9, 600, 1])('bit-exact, files of at most %d bytes', (shardBytes) => {
    const weights = tinyWeights();
    saveWeights(directory, config, weights, { shardBytes });
    const files = readdirSync(directory).filter((name) => name.endsWith('.safetensors'));
    expect(files.length === 1).toBe(shardBytes === 1e9);
    if (shardBytes === 1) expect(files.length).toBe(weights.size);
    const loaded = loadWeights(directory);
    expect(loaded.weights).toEqual(weights);
    expect([...loaded.weights.keys()]).toEqual([...weights.keys()]);
    expect(new Set(loaded.dtypes.values())).toEqual(new Set(['bfloat16']));
    expect(loaded.config).toEqual(config);
    expect(loaded.ignored).toEqual([]);
  });

  it('any finite weights come back as narrowed, in each dtype', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 });
    const dtypes = fc.constantFrom('float32', 'bfloat16', 'float16');
    fc.assert(
      fc.property(fc.array(value, { minLength: 24, maxLength: 24 }), dtypes, (values, dtype) => {
        const weights = tinyWeights();
        weights.get('model.embed_tokens.weight')?.set(values);
        saveWeights(directory, config, weights, { dtype });
        const want = new Float32Array(24 * 8);
        const source = weights.get('model.embed_tokens.weight') ?? new Float32Array();
        widen(narrow(source, dtype), dtype, want, 0);
        const loaded = loadWeights(directory);
        expect(loaded.weights.get('model.embed_tokens.weight')).toEqual(want);
        expect(loaded.config.dtype).toBe(dtype);
      }),
      { numRuns: 20 },
    );
  });

  it('mixed dtypes are kept per tensor, and files come out byte for byte the same', () => {
    const mixed = tensorsOf(tinyWeights()).map((tensor) => ({
      ...tensor,
      dtype: tensor.name.includes('norm') ? ('float32' as const) : tensor.dtype,
    }));
    mkdirSync(directory);
    writeFileSync(join(directory, 'config.json'), JSON.stringify(json));
    writeSafetensors(weightsFile(), mixed);
    const { weights, dtypes, config: read } = loadWeights(directory);
    saveWeights(`${directory}-b`, read, weights, { dtype: dtypes });
    const again = readFileSync(join(`${directory}-b`, 'model.safetensors'));
    expect(again.equals(readFileSync(weightsFile()))).toBe(true);
    expect(JSON.parse(readFileSync(join(`${directory}-b`, 'config.json'), 'utf8'))).toEqual(json);
  });

  it('carries tokenizer, chat template and generation settings along, and nothing else', () => {
    const source = `${directory}-source`;
    mkdirSync(source);
    const carried = ['tokenizer.json', 'chat_template.jinja', 'generation_config.json'];
    for (const name of [...carried, 'notes.txt']) writeFileSync(join(source, name), name);
    saveWeights(directory, config, tinyWeights(), { from: source });
    expect(readdirSync(directory).sort()).toEqual(
      [...carried, 'config.json', 'model.safetensors'].sort(),
    );
    expect(readFileSync(join(directory, 'tokenizer.json'), 'utf8')).toBe('tokenizer.json');
  });

  it('replaces a model directory as a whole, also with itself as the source', () => {
    saveWeights(directory, config, tinyWeights(), { shardBytes: 600 });
    writeFileSync(join(directory, 'tokenizer.json'), '{}');
    saveWeights(directory, config, tinyWeights(), { from: directory });
    expect(readdirSync(directory).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(readdirSync(root).filter((name) => /\.(tmp|old)$/.test(name))).toEqual([]);
  });

  it('an untied head is saved under its name', () => {
    const untied = parseDecoderConfig({ ...json, tie_word_embeddings: false }, 'tiny');
    saveWeights(directory, untied, tinyWeights(untied));
    expect(loadWeights(directory).weights.get('lm_head.weight')?.length).toBe(24 * 8);
  });
});

describe.each(['llama', 'qwen2', 'qwen3'])('%s as transformers saved it', (family) => {
  const golden = fileURLToPath(new URL(`../../test/golden/models/${family}`, import.meta.url));

  it('has every parameter and comes out the same', () => {
    const { config: read, weights, dtypes, ignored } = loadWeights(golden);
    expect(ignored).toEqual([]);
    saveWeights(directory, read, weights, { dtype: dtypes, from: golden });
    const { weights: again, config: back } = loadWeights(directory);
    expect(again).toEqual(weights);
    expect(back).toEqual(read);
    for (const name of ['model.safetensors', 'generation_config.json']) {
      if (!existsSync(join(golden, name))) continue; // qwen2 is sharded there, one file here
      expect(readFileSync(join(directory, name)).equals(readFileSync(join(golden, name)))).toBe(
        true,
      );
    }
  });
});

describe('what is refused', () => {
  const save = (weights = tinyWeights()) => saveWeights(directory, config, weights);
  const expectComplaint = (message: RegExp) => {
    expect(() => loadWeights(directory)).toThrow(UserError);
    expect(() => loadWeights(directory)).toThrow(message);
  };

  it('a directory without config, without weights, without anything', () => {
    expectComplaint(/wanted a Hugging Face model directory, a GGUF file or/);
    mkdirSync(directory);
    writeFileSync(join(directory, 'config.json'), JSON.stringify(json));
    expectComplaint(/model\.safetensors.*neither/);
  });

  it('a missing tensor', () => {
    save();
    const rest = tensorsOf(tinyWeights()).filter(({ name }) => name !== 'model.norm.weight');
    writeSafetensors(weightsFile(), rest);
    expectComplaint(/tensor model\.norm\.weight/);
  });

  it('a tensor of a wrong shape', () => {
    save();
    const wrong = tensorsOf(tinyWeights()).map((tensor) =>
      tensor.name.endsWith('1.mlp.up_proj.weight') ? { ...tensor, shape: [8, 12] } : tensor,
    );
    writeSafetensors(weightsFile(), wrong);
    expectComplaint(
      /model\.safetensors, tensor model\.layers\.1\.mlp\.up_proj.*\[12, 8\].*\[8, 12\]/,
    );
  });

  it('a tensor that the configuration does not know, but not the buffers of old checkpoints', () => {
    save();
    const values = Float32Array.of(1, 2);
    const extra = (name: string) => ({ name, values, shape: [2], dtype: 'float32' as const });
    const inert = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    writeSafetensors(weightsFile(), [...tensorsOf(tinyWeights()), extra(inert)]);
    expect(loadWeights(directory).ignored).toEqual([inert]);
    const bias = 'model.layers.0.self_attn.q_proj.bias';
    writeSafetensors(weightsFile(), [...tensorsOf(tinyWeights()), extra(bias)]);
    expectComplaint(/model\.safetensors, tensor model\.layers\.0\.self_attn\.q_proj\.bias/);
  });

  it('a tied head that differs from the embeddings; an equal one is left out', () => {
    save();
    const weights = tinyWeights();
    const head = Float32Array.from(weights.get('model.embed_tokens.weight') ?? []);
    const entry = {
      name: 'lm_head.weight',
      values: head,
      shape: [24, 8],
      dtype: 'bfloat16',
    } as const;
    writeSafetensors(weightsFile(), [...tensorsOf(weights), entry]);
    expect(loadWeights(directory).ignored).toEqual(['lm_head.weight']);
    head[3] = 100;
    writeSafetensors(weightsFile(), [...tensorsOf(weights), entry]);
    expectComplaint(/tensor lm_head\.weight.*tie_word_embeddings/);
  });

  describe('shards', () => {
    const index = () => join(directory, 'model.safetensors.index.json');
    const rewrite = (change: (map: Record<string, string>) => void) => {
      const parsed = JSON.parse(readFileSync(index(), 'utf8'));
      change(parsed.weight_map);
      writeFileSync(index(), JSON.stringify(parsed));
    };
    beforeEach(() => saveWeights(directory, config, tinyWeights(), { shardBytes: 600 }));
    const second = () => readdirSync(directory).sort()[2] ?? '';

    it('truncated', () => {
      const path = join(directory, second());
      const file = openSafetensors(path);
      const last = [...file.tensors.keys()].at(-1) ?? '';
      file.close();
      truncateSync(path, readFileSync(path).length - 1);
      expectComplaint(new RegExp(`${second()}, tensor ${last}.*truncated`));
    });

    it('missing', () => {
      const name = second();
      rmSync(join(directory, name));
      expectComplaint(new RegExp(`${name}.*ENOENT`));
    });

    it('an index that points to the wrong shard, outside, or nowhere', () => {
      const name = 'model.norm.weight';
      rewrite((map) => {
        map[name] = second();
      });
      expectComplaint(/index\.json, tensor model\.norm\.weight.*no such tensor/);
      rewrite((map) => {
        map[name] = '../model.safetensors';
      });
      expectComplaint(/beside the index/);
      writeFileSync(index(), '{"weight_map": []}');
      expectComplaint(/weight_map/);
    });

    it('a tensor that the index leaves out', () => {
      rewrite((map) => {
        delete map['model.norm.weight'];
      });
      expectComplaint(/unlisted tensor model\.norm\.weight/);
    });
  });

  it('values that half precision cannot hold; nothing is left behind', () => {
    const weights = tinyWeights();
    weights.get('model.norm.weight')?.set([65520], 2);
    expect(() => saveWeights(directory, config, weights, { dtype: 'float16' })).toThrow(
      /tensor model\.norm\.weight.*65520 at index 2/,
    );
    expect(existsSync(directory)).toBe(false);
  });

  it('writing over a directory of something else', () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'thesis.txt'), 'x');
    expect(() => save()).toThrow(UserError);
    expect(readdirSync(directory)).toEqual(['thesis.txt']);
  });

  it('a failed save keeps the directory that was there', () => {
    save();
    const before = readFileSync(weightsFile());
    const source = `${directory}-source`;
    mkdirSync(join(source, 'tokenizer.json'), { recursive: true }); // a directory cannot be copied
    const changed = tinyWeights();
    changed.get('model.norm.weight')?.fill(0);
    expect(() => saveWeights(directory, config, changed, { from: source })).toThrow();
    expect(readFileSync(weightsFile()).equals(before)).toBe(true);
    expect(readdirSync(root).filter((name) => /\.(tmp|old)$/.test(name))).toEqual([]);
  });
});
