/**
 * Compiled graphs and their calls.
 *
 * A program runs on arrays that its caller owns: `bind` wraps them once, `run` reads the inputs and
 * writes the outputs in place. Binding one array as an input and as an output is an in-place update; it
 * is safe when the graph has read everything it needs from the array before the output is written
 * (element-wise updates, or all reads before a global norm).
 *
 * `run` and `compile` block the thread they are called on: call them in a worker thread.
 */
import './no-telemetry.ts';
import * as ort from 'onnxruntime-node';
import { encode } from './encode.ts';
import type { Graph } from './graph.ts';
import { allocate, closed, isOpen, sizeOf, type Tensor, type TensorData } from './tensor.ts';

export type Provider = 'cpu' | 'webgpu' | 'cuda';

export interface EngineSettings {
  provider: Provider;
  /** Threads within one operator; 1 or more. Results do not depend on it. */
  threads: number;
}

export type Arrays = Readonly<Record<string, TensorData>>;

export class Program {
  private readonly session: ort.InferenceSession;
  private readonly inputs: readonly Tensor[];
  private readonly outputs: readonly Tensor[];

  private constructor(session: ort.InferenceSession, graph: Graph) {
    this.session = session;
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
  }

  /**
   * `transient`: intermediates come from the common heap and go back to it, instead of staying with the
   * session. For graphs of which many shapes are kept: five times less memory, no slower where runs are long.
   */
  static async compile(
    graph: Graph,
    settings: EngineSettings,
    { transient = false }: { transient?: boolean } = {},
  ): Promise<Program> {
    const session = await ort.InferenceSession.create(encode(graph), {
      executionProviders: [settings.provider],
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The memory pattern keeps every intermediate of a train step alive: without it, half the memory.
      enableMemPattern: false,
      enableCpuMemArena: !transient,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new Program(session, graph);
  }

  get inputNames(): string[] {
    return this.inputs.map((x) => x.name);
  }

  get outputNames(): string[] {
    return this.outputs.map((x) => x.name);
  }

  /**
   * Binds the program to arrays, by name. Every input must be given; outputs that are not given are
   * allocated. The sizes of the inputs say what an extent is that the graph leaves open. Throws when a name is
   * unknown or an array has another size or type than the graph says.
   */
  bind(arrays: Arrays): Call {
    const known = new Set([...this.inputs, ...this.outputs].map((x) => x.name));
    for (const name of Object.keys(arrays)) {
      if (!known.has(name)) throw new Error(`the graph has no input or output named ${name}`);
    }
    const feeds: Record<string, ort.Tensor> = {};
    const open = openExtent(this.inputs, arrays);
    for (const input of this.inputs) {
      if (arrays[input.name] === undefined) throw new Error(`input ${input.name} is not bound`);
      feeds[input.name] = wrap(input, arrays[input.name], open);
    }
    const fetches: Record<string, ort.Tensor> = {};
    const results: Record<string, TensorData> = {};
    for (const output of this.outputs) {
      const data = arrays[output.name] ?? allocate(output.dtype, closed(output.shape, open));
      results[output.name] = data;
      fetches[output.name] = wrap(output, data, open);
    }
    return new Call(this.session, feeds, fetches, results);
  }

  /** Frees the session. */
  async release(): Promise<void> {
    await this.session.release();
  }
}

export class Call {
  private readonly session: ort.InferenceSession;
  private readonly feeds: Record<string, ort.Tensor>;
  private readonly fetches: Record<string, ort.Tensor>;
  private readonly results: Record<string, TensorData>;

  constructor(
    session: ort.InferenceSession,
    feeds: Record<string, ort.Tensor>,
    fetches: Record<string, ort.Tensor>,
    results: Record<string, TensorData>,
  ) {
    this.session = session;
    this.feeds = feeds;
    this.fetches = fetches;
    this.results = results;
  }

  /** Runs once on the present content of the bound inputs and fills the bound outputs. */
  async run(): Promise<void> {
    await this.session.run(this.feeds, this.fetches);
  }

  /** A float32 output's array: the same one after every run. */
  floats(name: string): Float32Array {
    const data = this.results[name];
    if (!(data instanceof Float32Array)) throw new Error(`no float32 output named ${name}`);
    return data;
  }
}

/** The open extent by the size of the first input that has one; 0 where the graph leaves none open. */
function openExtent(inputs: readonly Tensor[], arrays: Arrays): number {
  const input = inputs.find(({ name, shape }) => arrays[name] !== undefined && shape.some(isOpen));
  if (input === undefined) return 0;
  const at = (open: number) => sizeOf(closed(input.shape, open));
  return (arrays[input.name].length - at(0)) / (at(1) - at(0));
}

function wrap(tensor: Tensor, data: TensorData, open: number): ort.Tensor {
  const shape = closed(tensor.shape, open);
  const fits =
    data.length === sizeOf(shape) &&
    shape.every((extent) => Number.isInteger(extent) && extent >= 0) &&
    data instanceof { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }[tensor.dtype];
  if (!fits) {
    throw new Error(
      `${tensor.name} is ${tensor.dtype} [${shape}], got ${data.constructor.name} of ${data.length}`,
    );
  }
  return new ort.Tensor(tensor.dtype, data, shape);
}
