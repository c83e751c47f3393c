/** A graph as the bytes of an ONNX model. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Graph, Node } from './graph.ts';
import type { Attribute } from './shapes.ts';
import { type DType, isOpen, OPEN, type Tensor } from './tensor.ts';

const OPSET = 18n;
const IR_VERSION = 9n;

const DATA_TYPE: Record<DType, DataType> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
  bool: DataType.BOOL,
};

function attributeProto(
  name: string,
  value: Attribute,
): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  }
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}

function valueInfo(tensor: Tensor): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = tensor.shape.map((n) => ({
    value: isOpen(n)
      ? { case: 'dimParam' as const, value: `open${n - OPEN}` }
      : { case: 'dimValue' as const, value: BigInt(n) },
  }));
  return {
    name: tensor.name,
    type: {
      value: { case: 'tensorType', value: { elemType: DATA_TYPE[tensor.dtype], shape: { dim } } },
    },
  };
}

/** The nodes that some output needs, in order: the runtime would compute the others too. */
function needed({ nodes, outputs }: Graph): Node[] {
  const wanted = new Set(outputs.map((x) => x.name));
  const kept = nodes.toReversed().filter((node) => {
    if (!wanted.has(node.output.name)) return false;
    for (const input of node.inputs) wanted.add(input.name);
    return true;
  });
  return kept.reverse();
}

/**
 * The ONNX protobuf of `graph`, opset 18, IR 9. Constants are stored in line; nodes that no output needs are left
 * out.
 */
export function encode(graph: Graph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'pivottrace',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'graph',
      node: needed(graph).map((node, i) => ({
        opType: node.op,
        name: `${node.op}_${i}`,
        input: node.inputs.map((x) => x.name),
        output: [node.output.name],
        attribute: Object.entries(node.attributes).map(([name, value]) =>
          attributeProto(name, value),
        ),
      })),
      initializer: graph.constants.map(({ tensor, data }) => ({
        name: tensor.name,
        dims: tensor.shape.map(BigInt),
        dataType: DATA_TYPE[tensor.dtype],
        rawData: new Uint8Array(data.slice().buffer),
      })),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    },
  });
  return toBinary(ModelProtoSchema, model);
}
