import { PbfWriter } from 'pbf';

/** Element types of ONNX tensors that we use, by the numbers of onnx.proto's TensorProto.DataType. */
export const onnxTypes = { float32: 1, int32: 6, int64: 7, float16: 10, float64: 11, bfloat16: 16 } as const;

export type OnnxType = keyof typeof onnxTypes;

/** A dimension: a size, or the name of one that is known at run time. */
export type Dimension = number | string;

/** `i` and `f` of onnx.proto: which of both a number is must be said, 1 can be either. */
export type Attribute = { readonly int: number } | { readonly float: number };

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** `com.microsoft` for the runtime's own operators; ONNX's unless told. */
  readonly domain?: 'com.microsoft';
  /** Names of the outputs, '' for one that is not wanted; one with a made-up name unless told. */
  readonly outputs?: readonly string[];
}

/** Where a tensor's bytes lie: a file below the session's folder for external weights. */
export interface ExternalData {
  /** Relative to that folder, with `/`. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly dimensions: readonly Dimension[];
}

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly domain: string;
}

interface Initializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly dimensions: readonly number[];
  readonly data: Uint8Array | ExternalData;
}

/** A graph under construction. Values are passed by name, as ONNX does. */
export class GraphBuilder {
  private readonly inputs: Value[] = [];
  private readonly outputs: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly initializers: Initializer[] = [];

  input(name: string, type: OnnxType, dimensions: readonly Dimension[]): string {
    this.inputs.push({ name, type, dimensions });
    return name;
  }

  output(name: string, type: OnnxType, dimensions: readonly Dimension[]): void {
    this.outputs.push({ name, type, dimensions });
  }

  /** Weights that stay in their file. */
  external(name: string, type: OnnxType, dimensions: readonly number[], data: ExternalData): string {
    this.initializers.push({ name, type, dimensions, data });
    return name;
  }

  /** A small constant of whole numbers. */
  integers(name: string, values: readonly number[]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers.push({ name, type: 'int64', dimensions: [values.length], data });
    return name;
  }

  /** Adds an operator and returns the name of its first output. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const outputs = options.outputs ?? [`${operator}_${this.nodes.length}`];
    const { attributes = {}, domain = '' } = options;
    this.nodes.push({ operator, inputs, outputs, attributes, domain });
    return outputs[0] ?? '';
  }

  /** The model as the bytes of an ONNX ModelProto: IR version 10, opset 20, com.microsoft 1. */
  finish(): Uint8Array {
    const pbf = new PbfWriter();
    pbf.writeVarintField(1, 10);
    pbf.writeStringField(2, 'submission-studio');
    pbf.writeMessage(7, writeGraph, this);
    pbf.writeMessage(8, writeOpset, { domain: '', version: 20 });
    pbf.writeMessage(8, writeOpset, { domain: 'com.microsoft', version: 1 });
    return pbf.finish();
  }

  /** Writes the fields of onnx.proto's GraphProto. */
  write(pbf: PbfWriter): void {
    for (const node of this.nodes) pbf.writeMessage(1, writeNode, node);
    pbf.writeStringField(2, 'decoder');
    for (const initializer of this.initializers) pbf.writeMessage(5, writeInitializer, initializer);
    for (const input of this.inputs) pbf.writeMessage(11, writeValue, input);
    for (const output of this.outputs) pbf.writeMessage(12, writeValue, output);
  }
}

// What follows are the messages of onnx.proto, field by field.

function writeGraph(graph: GraphBuilder, pbf: PbfWriter): void {
  graph.write(pbf);
}

function writeOpset(opset: { readonly domain: string; readonly version: number }, pbf: PbfWriter): void {
  pbf.writeStringField(1, opset.domain);
  pbf.writeVarintField(2, opset.version);
}

function writeNode(node: Node, pbf: PbfWriter): void {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of node.outputs) pbf.writeStringField(2, name);
  pbf.writeStringField(4, node.operator);
  for (const attribute of Object.entries(node.attributes)) pbf.writeMessage(5, writeAttribute, attribute);
  pbf.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: readonly [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if ('float' in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, 1);
  } else {
    pbf.writeVarintField(3, value.int);
    pbf.writeVarintField(20, 2);
  }
}

function writeInitializer({ name, type, dimensions, data }: Initializer, pbf: PbfWriter): void {
  if (dimensions.length > 0) pbf.writePackedVarint(1, [...dimensions]);
  pbf.writeVarintField(2, onnxTypes[type]);
  pbf.writeStringField(8, name);
  if (data instanceof Uint8Array) {
    pbf.writeBytesField(9, data);
    return;
  }
  for (const [key, value] of Object.entries(data)) pbf.writeMessage(13, writeEntry, [key, String(value)]);
  pbf.writeVarintField(14, 1);
}

function writeEntry([key, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeValue({ name, type, dimensions }: Value, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeType, { type, dimensions });
}

function writeType(value: Pick<Value, 'type' | 'dimensions'>, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, value);
}

function writeTensorType({ type, dimensions }: Pick<Value, 'type' | 'dimensions'>, pbf: PbfWriter): void {
  pbf.writeVarintField(1, onnxTypes[type]);
  pbf.writeMessage(2, writeShape, dimensions);
}

function writeShape(dimensions: readonly Dimension[], pbf: PbfWriter): void {
  for (const dimension of dimensions) pbf.writeMessage(1, writeDimension, dimension);
}

function writeDimension(dimension: Dimension, pbf: PbfWriter): void {
  if (typeof dimension === 'number') pbf.writeVarintField(1, dimension);
  else pbf.writeStringField(2, dimension);
}
