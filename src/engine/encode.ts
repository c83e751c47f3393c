/** A graph as the bytes of an ONNX model. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import type { Graph } from './graph.ts';
import type { Attribute } from './shapes.ts';
import type { DType, Tensor } from './tensor.ts';

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
  const dim = tensor.shape.map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } }));
  return {
    name: tensor.name,
    type: {
      value: { case: 'tensorType', value: { elemType: DATA_TYPE[tensor.dtype], shape: { dim } } },
    },
  };
}

/** The ONNX protobuf of `graph`, opset 18, IR 9. Constants are stored in line. */
export function encode(graph: Graph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'pivottrace',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'graph',
      node: graph.nodes.map((node, i) => ({
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
