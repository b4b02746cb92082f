import type { ModelCard } from '../model.ts';

/** What a server answered is not what the protocol, or the model's card, wants. The message says what was found and expected. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Images of one request, all of one size in pixels. */
export interface BatchShape {
  count: number;
  width: number;
  height: number;
}
export interface EncodedRequest {
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
}
export interface RawReply {
  headers: Headers;
  body: Uint8Array;
}

const HEADER_LENGTH = 'inference-header-content-length';
const PLANES = 3;
const BYTES = Float32Array.BYTES_PER_ELEMENT;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const inputShape = ({ count, width, height }: BatchShape): number[] => [count, 1, height, width];
export const outputShape = ({ count, width, height }: BatchShape): number[] => [count, PLANES, height, width];
const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

/** `/v2/models/NAME[/versions/V]`, to which `/infer` and `/ready` are added. */
export const modelPath = (name: string, version?: string): string =>
  `/v2/models/${encodeURIComponent(name)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;

/** Bytes that a reply to this may have, with room for names, spaces and digits; more is a server gone wrong. */
export const replyLimit = (shape: BatchShape): number => 2 ** 20 + 64 * sizeOf(outputShape(shape));

/**
 * One inference of the Open Inference Protocol v2, of a float32 tensor [count, 1, height, width].
 * @param binary the tensor follows the JSON as little-endian bytes, and the reply's shall too (Triton's binary tensor data
 * extension; as all machines that the service runs on are little-endian, the bytes are those in memory)
 * @throws ProtocolError for what JSON cannot say: NaN and infinity
 */
export function encodeRequest(
  card: ModelCard,
  input: Float32Array,
  shape: BatchShape,
  binary: boolean,
): EncodedRequest {
  const tensor = { name: card.input.name, datatype: 'FP32', shape: inputShape(shape) };
  if (!binary) {
    const bad = input.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) throw new ProtocolError(`input "${tensor.name}" holds ${input[bad]} at ${bad}, expected a number`);
    const text = JSON.stringify({
      inputs: [{ ...tensor, data: Array.from(input) }],
      outputs: [{ name: card.output.name }],
    });
    return { headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(text) };
  }
  // Said twice, for servers differ: with outputs named, Triton and KServe look at each of them only.
  const head = new TextEncoder().encode(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: [{ ...tensor, parameters: { binary_data_size: input.byteLength } }],
      outputs: [{ name: card.output.name, parameters: { binary_data: true } }],
    }),
  );
  const body = new Uint8Array(head.length + input.byteLength);
  body.set(head);
  body.set(new Uint8Array(input.buffer, input.byteOffset, input.byteLength), head.length);
  return { headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(head.length) }, body };
}

/** Whether binary data follows the JSON of this reply. */
export const isBinary = ({ headers }: RawReply): boolean => headers.has(HEADER_LENGTH);

/**
 * The output's tensor [count, 3, height, width], whichever way the server sent it. A null in JSON, which is how servers write
 * what is not a number, becomes NaN.
 * @throws ProtocolError
 */
export function decodeReply(reply: RawReply, card: ModelCard, batch: BatchShape): Float32Array {
  const { name } = card.output;
  const shape = outputShape(batch);
  const length = headLength(reply);
  const head = parseJson(reply.body.subarray(0, length));
  if (!isRecord(head) || !Array.isArray(head['outputs']))
    throw new ProtocolError(errorOf(head) ?? 'reply has no list "outputs"');
  const outputs = head['outputs'].filter(isRecord);
  const names = outputs.map((output) => `"${String(output['name'])}"`).join(', ');
  const output = outputs.find((each) => each['name'] === name);
  if (output === undefined) throw new ProtocolError(`reply has the outputs ${names || 'none'}, expected "${name}"`);
  if (output['datatype'] !== 'FP32')
    throw new ProtocolError(`output "${name}" has the datatype ${String(output['datatype'])}, expected FP32`);
  const found = sidesOf(output['shape']);
  if (found?.join() !== shape.join())
    throw new ProtocolError(`output "${name}" has the shape ${shown(output['shape'])}, expected ${shown(shape)}`);
  const into = new Float32Array(sizeOf(shape));
  if (binarySize(output) !== null) copyBinary(reply.body.subarray(length), outputs, output, into);
  else if (Array.isArray(output['data'])) copyJson(output['data'], name, shape, into);
  else throw new ProtocolError(`output "${name}" has neither "data" nor "binary_data_size"`);
  return into;
}

/** The words of a body that tells an error, `{"error": …}`; null when it is none. */
export function errorOf(body: unknown): string | null {
  if (!isRecord(body)) return null;
  // FastAPI's own refusals, which KServe and MLServer pass on, have `detail`.
  const words = body['error'] ?? body['detail'];
  if (words === undefined || words === null) return null;
  return (typeof words === 'string' ? words : JSON.stringify(words)).slice(0, 500);
}

/** What a reply that is no success says, in one line. */
export function wordsOf({ body }: RawReply): string {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  try {
    return errorOf(JSON.parse(text)) ?? text.slice(0, 200);
  } catch {
    return text.trim().replace(/\s+/g, ' ').slice(0, 200) || 'nothing';
  }
}

/** JSON of a body. @throws ProtocolError */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    throw new ProtocolError(`reply is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** A shape's sides; some servers write their 64-bit integers as strings. Null when it is none. */
export function sidesOf(shape: unknown): number[] | null {
  if (!Array.isArray(shape)) return null;
  const sides = shape.map((side) =>
    typeof side === 'string' && /^-?\d+$/.test(side) ? Number(side) : (side as number),
  );
  return sides.every(Number.isInteger) ? sides : null;
}
export const shown = (shape: unknown): string => (Array.isArray(shape) ? `[${shape.join(', ')}]` : String(shape));

function headLength(reply: RawReply): number {
  const text = reply.headers.get(HEADER_LENGTH);
  if (text === null) return reply.body.length;
  const length = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(length <= reply.body.length))
    throw new ProtocolError(`Inference-Header-Content-Length is "${text}", the reply has ${reply.body.length} bytes`);
  return length;
}

function binarySize({ name, parameters }: Record<string, unknown>): number | null {
  const size = isRecord(parameters) ? parameters['binary_data_size'] : undefined;
  if (size === undefined || size === null) return null;
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new ProtocolError(`output "${String(name)}" has the binary_data_size ${JSON.stringify(size)}`);
  return size as number;
}

/** Binary tensors follow each other in the order of the outputs. */
function copyBinary(
  bytes: Uint8Array,
  outputs: Record<string, unknown>[],
  output: Record<string, unknown>,
  into: Float32Array,
): void {
  const sizes = outputs.map((each) => binarySize(each) ?? 0);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== all)
    throw new ProtocolError(`reply has ${bytes.length} bytes of tensors, its outputs name ${all}`);
  const which = outputs.indexOf(output);
  if (sizes[which] !== into.length * BYTES)
    throw new ProtocolError(
      `output "${String(output['name'])}" has ${sizes[which]} bytes, expected ${into.length * BYTES}`,
    );
  const from = sizes.slice(0, which).reduce((sum, size) => sum + size, 0);
  new Uint8Array(into.buffer).set(bytes.subarray(from, from + sizes[which]));
}

/** Flat in row-major order, or nested as the shape is: the protocol allows both. */
function copyJson(data: unknown[], name: string, shape: readonly number[], into: Float32Array): void {
  let at = 0;
  const fill = (values: unknown[], depth: number) => {
    for (const value of values) {
      if (typeof value === 'number' || value === null) into[at++] = value ?? NaN;
      else if (Array.isArray(value) && depth < shape.length) fill(value, depth + 1);
      else throw new ProtocolError(`output "${name}" holds ${JSON.stringify(value).slice(0, 40)}, expected numbers`);
    }
  };
  fill(data, 1);
  if (at !== into.length) throw new ProtocolError(`output "${name}" has ${at} values, expected ${into.length}`);
}
