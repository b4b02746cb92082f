/** Writes small ONNX models (opset 17) by hand, so that what a model may get wrong can be tried. */

function varint(value: number): number[] {
  const out: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}
const int = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)]);
const bytes = (field: number, content: Buffer | string) => {
  const body = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
};

/** 1 = float32, 11 = float64 in ONNX's own numbers. */
type ElementType = 1 | 11;
export interface TensorInfo {
  name: string;
  type?: ElementType;
  /** A text is a free dimension. */
  shape: (string | number)[];
}
function valueInfo({ name, type = 1, shape }: TensorInfo): Buffer {
  const dimensions = shape.map((d) => bytes(1, typeof d === 'string' ? bytes(2, d) : int(1, d)));
  return Buffer.concat([
    bytes(1, name),
    bytes(2, bytes(1, Buffer.concat([int(1, type), bytes(2, Buffer.concat(dimensions))]))),
  ]);
}
function initializer(name: string, dims: number[], values: number[], type: ElementType): Buffer {
  const raw = type === 1 ? Float32Array.from(values) : Float64Array.from(values);
  return Buffer.concat([
    ...dims.map((d) => int(1, d)),
    int(2, type),
    bytes(8, name),
    bytes(9, Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)),
  ]);
}
const node = (type: string, inputs: string[], output: string, attributes: Buffer[] = []) =>
  Buffer.concat([
    ...inputs.map((name) => bytes(1, name)),
    bytes(2, output),
    bytes(4, type),
    ...attributes.map((attribute) => bytes(5, attribute)),
  ]);

export interface TinyModel {
  input?: TensorInfo;
  output?: TensorInfo;
  /** Logit of each output channel = weight × gray + bias. */
  weights?: number[];
  biases?: number[];
  /** Above 1, the output is smaller than the input. */
  stride?: number;
  softmax?: boolean;
  extraInput?: boolean;
}

/** Interior where gray is above 0.5, by a 1 × 1 convolution. */
export function onnxOf(model: TinyModel = {}): Buffer {
  const { weights = [-4, 4, 0], biases = [2, -2, -4], stride = 1, softmax = false, extraInput = false } = model;
  const input = model.input ?? { name: 'image', shape: ['n', 1, 'h', 'w'] };
  const output = model.output ?? { name: 'logits', shape: ['n', weights.length, 'h', 'w'] };
  const type = input.type ?? 1;
  const axis = Buffer.concat([bytes(1, 'axis'), int(3, 1), int(20, 2)]);
  const strides = Buffer.concat([bytes(1, 'strides'), int(8, stride), int(8, stride), int(20, 7)]);
  const last = softmax ? 'raw' : output.name;
  // onnxruntime has no convolution of float64.
  const first =
    type === 1
      ? node('Conv', [input.name, 'weights', 'biases'], last, [strides])
      : node('Concat', [input.name, input.name, input.name], last, [axis]);
  const graph = Buffer.concat([
    bytes(1, first),
    ...(softmax ? [bytes(1, node('Softmax', ['raw'], output.name, [axis]))] : []),
    bytes(2, 'tiny'),
    bytes(5, initializer('weights', [weights.length, 1, 1, 1], weights, type)),
    bytes(5, initializer('biases', [biases.length], biases, type)),
    bytes(11, valueInfo(input)),
    ...(extraInput ? [bytes(11, valueInfo({ name: 'extra', shape: [1] }))] : []),
    bytes(12, valueInfo({ type, ...output })),
  ]);
  return Buffer.concat([int(1, 8), bytes(7, graph), bytes(8, int(2, 17))]);
}
