import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeReply,
  encodeRequest,
  errorOf,
  inputShape,
  modelPath,
  outputShape,
  ProtocolError,
  replyLimit,
  type BatchShape,
  type RawReply,
} from '../../../src/inference/kserve/protocol.ts';
import { CARD } from './scripted-server.ts';

const ONE: BatchShape = { count: 1, width: 2, height: 1 };
const LENGTH = 'inference-header-content-length';
const float = () => fc.float({ noNaN: true, noDefaultInfinity: true });
const shapes = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  width: fc.integer({ min: 1, max: 6 }),
  height: fc.integer({ min: 1, max: 6 }),
});
const sizeOf = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1);
const values = (length: number) =>
  fc.array(float(), { minLength: length, maxLength: length }).map((list) => Float32Array.from(list));

const jsonReply = (body: unknown): RawReply => ({
  headers: new Headers({ 'content-type': 'application/json' }),
  body: Buffer.from(JSON.stringify(body)),
});
/** JSON, then tensors; the length of the JSON is in the header. */
function binaryReply(head: unknown, ...tensors: Float32Array[]): RawReply {
  const text = Buffer.from(JSON.stringify(head));
  const bytes = tensors.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength));
  return { headers: new Headers({ [LENGTH]: String(text.length) }), body: Buffer.concat([text, ...bytes]) };
}
const logits = (shape: BatchShape, more: object) => ({
  name: 'logits',
  datatype: 'FP32',
  shape: outputShape(shape),
  ...more,
});
const sized = (data: Float32Array) => ({ parameters: { binary_data_size: data.byteLength } });
/** A flat list as lists of lists, the last side innermost. */
function nested(list: number[], [, ...sides]: number[]): unknown[] {
  if (sides.length === 0) return list;
  const step = sizeOf(sides);
  return Array.from({ length: list.length / step }, (_, i) => nested(list.slice(i * step, (i + 1) * step), sides));
}

describe('coding of a request', () => {
  it('says in JSON what it is, and in binary the same bytes after it', () => {
    fc.assert(
      fc.property(
        shapes.chain((shape) => fc.tuple(fc.constant(shape), values(sizeOf(inputShape(shape))))),
        ([shape, input]) => {
          const json = encodeRequest(CARD, input, shape, false);
          expect(json.headers).toEqual({ 'content-type': 'application/json' });
          const text = JSON.parse(Buffer.from(json.body).toString()) as { inputs: { data: number[] }[] };
          expect(text).toEqual({
            inputs: [
              { name: 'image', datatype: 'FP32', shape: inputShape(shape), data: expect.any(Array) as number[] },
            ],
            outputs: [{ name: 'logits' }],
          });
          expect(Float32Array.from(text.inputs[0]!.data)).toEqual(input.map((value) => value + 0));

          const binary = encodeRequest(CARD, input, shape, true);
          const length = Number(binary.headers[LENGTH]);
          expect(JSON.parse(Buffer.from(binary.body.subarray(0, length)).toString())).toEqual({
            parameters: { binary_data_output: true },
            inputs: [{ name: 'image', datatype: 'FP32', shape: inputShape(shape), ...sized(input) }],
            outputs: [{ name: 'logits', parameters: { binary_data: true } }],
          });
          const view = new DataView(binary.body.buffer, length);
          expect(Array.from(input, (_, i) => view.getFloat32(4 * i, true))).toEqual([...input]);
          expect(binary.body.length).toBe(length + input.byteLength);
        },
      ),
    );
  });

  it('sends the part of a larger buffer that the tensor is', () => {
    const buffer = Float32Array.of(9, 1, 2, 9);
    const { headers, body } = encodeRequest(CARD, buffer.subarray(1, 3), ONE, true);
    expect(body.length - Number(headers[LENGTH])).toBe(8);
    expect(new DataView(body.buffer, body.length - 8).getFloat32(0, true)).toBe(1);
  });

  it('refuses in JSON what JSON cannot say', () => {
    const encode = (value: number) => () => encodeRequest(CARD, Float32Array.of(1, value), ONE, false);
    expect(encode(NaN)).toThrow('input "image" holds NaN at 1, expected a number');
    expect(encode(-Infinity)).toThrow('input "image" holds -Infinity at 1, expected a number');
    expect(() => encodeRequest(CARD, Float32Array.of(1, NaN), ONE, true)).not.toThrow();
  });

  it('names the model in the path, whatever its name is', () => {
    expect(modelPath('nuclei')).toBe('/v2/models/nuclei');
    expect(modelPath('a/b c', '1?')).toBe('/v2/models/a%2Fb%20c/versions/1%3F');
  });
});

describe('decoding of a reply', () => {
  const any = shapes.chain((shape) => fc.tuple(fc.constant(shape), values(sizeOf(outputShape(shape)))));

  it('gives back every value, from binary at any offset, from flat and from nested JSON', () => {
    fc.assert(
      fc.property(any, fc.string(), values(3), fc.boolean(), ([shape, data], id, other, first) => {
        const another = { name: 'other', datatype: 'FP32', shape: [3], ...sized(other) };
        const ours = logits(shape, sized(data));
        const reply = first
          ? binaryReply({ id, outputs: [ours, another] }, data, other)
          : binaryReply({ id, outputs: [another, ours] }, other, data);
        expect(decodeReply(reply, CARD, shape)).toEqual(data);
        const positive = data.map((value) => value + 0);
        const flat = jsonReply({ id, outputs: [logits(shape, { data: [...data] })] });
        expect(decodeReply(flat, CARD, shape)).toEqual(positive);
        const deep = nested([...data], outputShape(shape));
        expect(decodeReply(jsonReply({ outputs: [logits(shape, { data: deep })] }), CARD, shape)).toEqual(positive);
        for (const { body } of [reply, flat]) expect(body.length).toBeLessThanOrEqual(replyLimit(shape));
      }),
    );
  });

  it('takes NaN as it is in binary, and null for it in JSON', () => {
    const data = Float32Array.of(0, NaN, Infinity, 3, 4, 5);
    expect(decodeReply(binaryReply({ outputs: [logits(ONE, sized(data))] }, data), CARD, ONE)).toEqual(data);
    const json = jsonReply({ outputs: [logits(ONE, { data: [0, null, 2, 3, 4, 5] })] });
    expect(decodeReply(json, CARD, ONE)).toEqual(Float32Array.of(0, NaN, 2, 3, 4, 5));
  });

  it('takes the output in JSON where others are binary, and sides as strings', () => {
    const other = Float32Array.of(7);
    const head = {
      outputs: [{ name: 'o', ...sized(other) }, logits(ONE, { shape: ['1', '3', '1', '2'], data: [0, 1, 2, 3, 4, 5] })],
    };
    expect([...decodeReply(binaryReply(head, other), CARD, ONE)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  /** The tensor, or the error that says what is wrong. */
  function decoded(reply: RawReply, shape: BatchShape): Float32Array | 'refused' {
    try {
      return decodeReply(reply, CARD, shape);
    } catch (error) {
      if (error instanceof ProtocolError) return 'refused';
      throw error;
    }
  }
  it('refuses a binary reply that was cut anywhere', () => {
    fc.assert(
      fc.property(any, fc.nat(), ([shape, data], cut) => {
        const { headers, body } = binaryReply({ outputs: [logits(shape, sized(data))] }, data);
        expect(decoded({ headers, body: body.subarray(0, cut % body.length) }, shape)).toBe('refused');
      }),
    );
  });

  it('never gives another tensor when a byte of its description is another', () => {
    let refused = 0;
    fc.assert(
      fc.property(any, fc.nat(), fc.nat(255), ([shape, data], at, to) => {
        const { headers, body } = binaryReply({ outputs: [logits(shape, sized(data))] }, data);
        body[at % Number(headers.get(LENGTH))] = to;
        const result = decoded({ headers, body }, shape);
        if (result === 'refused') refused++;
        expect(result === 'refused' ? data : result).toEqual(data);
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  const six = Float32Array.of(0, 1, 2, 3, 4, 5);
  const good = logits(ONE, sized(six));
  const withLength = (length: string): RawReply => ({
    headers: new Headers({ [LENGTH]: length }),
    body: Buffer.from('{}'),
  });
  it.each<[string, RawReply, string | RegExp]>([
    ['no outputs', jsonReply({}), 'reply has no list "outputs"'],
    ['an error', jsonReply({ error: 'queue is full' }), 'queue is full'],
    ['not JSON', { headers: new Headers(), body: Buffer.from('<html>') }, /^reply is not JSON: /],
    ['not UTF-8', { headers: new Headers(), body: Buffer.from([0x22, 0xff, 0x22]) }, /^reply is not JSON: /],
    ['JSON with NaN', { headers: new Headers(), body: Buffer.from('{"outputs":[NaN]}') }, /^reply is not JSON: /],
    [
      'another output',
      jsonReply({ outputs: [{ name: 'a' }, { name: 'b' }] }),
      'reply has the outputs "a", "b", expected "logits"',
    ],
    ['none', jsonReply({ outputs: [] }), 'reply has the outputs none, expected "logits"'],
    [
      'datatype',
      jsonReply({ outputs: [{ ...good, datatype: 'FP64' }] }),
      'output "logits" has the datatype FP64, expected FP32',
    ],
    [
      'shape',
      jsonReply({ outputs: [{ ...good, shape: [1, 3, 2, 1] }] }),
      'output "logits" has the shape [1, 3, 2, 1], expected [1, 3, 1, 2]',
    ],
    [
      'no shape',
      jsonReply({ outputs: [{ ...good, shape: undefined }] }),
      'output "logits" has the shape undefined, expected [1, 3, 1, 2]',
    ],
    ['no data', jsonReply({ outputs: [logits(ONE, {})] }), 'output "logits" has neither "data" nor "binary_data_size"'],
    [
      'few values',
      jsonReply({ outputs: [logits(ONE, { data: [1, 2, 3, 4, 5] })] }),
      'output "logits" has 5 values, expected 6',
    ],
    [
      'many values',
      jsonReply({ outputs: [logits(ONE, { data: [1, 2, 3, 4, 5, 6, 7] })] }),
      'output "logits" has 7 values, expected 6',
    ],
    [
      'text',
      jsonReply({ outputs: [logits(ONE, { data: [1, 2, 3, 4, 5, '6'] })] }),
      'output "logits" holds "6", expected numbers',
    ],
    [
      'too deep',
      jsonReply({ outputs: [logits(ONE, { data: [[[[[1]]]]] })] }),
      'output "logits" holds [1], expected numbers',
    ],
    [
      'few bytes',
      binaryReply({ outputs: [good] }, six.subarray(1)),
      'reply has 20 bytes of tensors, its outputs name 24',
    ],
    ['many bytes', binaryReply({ outputs: [good] }, six, six), 'reply has 48 bytes of tensors, its outputs name 24'],
    [
      'wrong size',
      binaryReply({ outputs: [logits(ONE, { parameters: { binary_data_size: 20 } })] }, six.subarray(1)),
      'output "logits" has 20 bytes, expected 24',
    ],
    [
      'negative size',
      binaryReply({ outputs: [logits(ONE, { parameters: { binary_data_size: -24 } })] }, six),
      'output "logits" has the binary_data_size -24',
    ],
    [
      'size that is text',
      binaryReply({ outputs: [logits(ONE, { parameters: { binary_data_size: '24' } })] }, six),
      'output "logits" has the binary_data_size "24"',
    ],
    ['length', withLength('3'), 'Inference-Header-Content-Length is "3", the reply has 2 bytes'],
    ['length that is none', withLength('x'), 'Inference-Header-Content-Length is "x", the reply has 2 bytes'],
  ])('says what was found and expected: %s', (_, reply, message) => {
    expect(() => decodeReply(reply, CARD, ONE)).toThrow(ProtocolError);
    expect(() => decodeReply(reply, CARD, ONE)).toThrow(message);
  });

  it('reads the words of an error, also FastAPI’s', () => {
    expect(errorOf({ error: 'no such input' })).toBe('no such input');
    expect(errorOf({ detail: [{ loc: ['body'], msg: 'field required' }] })).toBe(
      '[{"loc":["body"],"msg":"field required"}]',
    );
    expect(errorOf({ outputs: [] })).toBeNull();
    expect(errorOf([])).toBeNull();
  });
});
