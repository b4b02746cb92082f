import { describe, expect, it } from 'vitest';
import { mismatchOf, offersBinary } from '../../../src/inference/kserve/metadata.ts';
import { retryAfterMs } from '../../../src/inference/kserve/retry-after.ts';
import { CARD } from './scripted-server.ts';

describe('metadata', () => {
  const image = { name: 'image', datatype: 'FP32', shape: [-1, 1, -1, -1] };
  const out = { name: 'logits', datatype: 'FP32', shape: [-1, 3, -1, -1] };

  it('offers binary tensors when the server lists the extension', () => {
    expect(offersBinary({ name: 's', version: '1', extensions: ['classification', 'binary_tensor_data'] })).toBe(true);
    for (const other of [{ extensions: ['model_repository'] }, { extensions: null }, {}, null, []])
      expect(offersBinary(other)).toBe(false);
  });

  it('fits the card, with more outputs, free planes and sides as strings', () => {
    for (const model of [
      { inputs: [image], outputs: [out] },
      { inputs: [image], outputs: [{ name: 'aux', datatype: 'FP16', shape: [1] }, out] },
      { inputs: [{ ...image, shape: ['-1', '-1', '-1', '-1'] }], outputs: [out] },
    ])
      expect(mismatchOf(model, CARD)).toBeNull();
  });

  it('says nothing against a model that declares nothing', () => {
    for (const model of [{}, { inputs: [], outputs: [] }, { inputs: null }]) expect(mismatchOf(model, CARD)).toBeNull();
    expect(mismatchOf([], CARD)).toBe('metadata of model "nuclei" is no JSON object');
  });

  const expected = 'expected "image" FP32 [-1, 1, -1, -1] alone';
  it.each<[string, object, string]>([
    ['name', { inputs: [{ ...image, name: 'x' }], outputs: [out] }, `the inputs "x" FP32 [-1, 1, -1, -1], ${expected}`],
    [
      'datatype',
      { inputs: [{ ...image, datatype: 'UINT8' }] },
      `the inputs "image" UINT8 [-1, 1, -1, -1], ${expected}`,
    ],
    [
      'planes',
      { inputs: [{ ...image, shape: [-1, 3, -1, -1] }] },
      `the inputs "image" FP32 [-1, 3, -1, -1], ${expected}`,
    ],
    [
      'fixed sides',
      { inputs: [{ ...image, shape: [-1, 1, 256, 256] }] },
      `the inputs "image" FP32 [-1, 1, 256, 256], ${expected}`,
    ],
    [
      'fixed batch',
      { inputs: [{ ...image, shape: [1, 1, -1, -1] }] },
      `the inputs "image" FP32 [1, 1, -1, -1], ${expected}`,
    ],
    ['no batch', { inputs: [{ ...image, shape: [1, -1, -1] }] }, `the inputs "image" FP32 [1, -1, -1], ${expected}`],
    [
      'two inputs',
      { inputs: [image, { ...image, name: 'y' }] },
      `the inputs "image" FP32 [-1, 1, -1, -1], "y" FP32 [-1, 1, -1, -1], ${expected}`,
    ],
    [
      'output',
      { inputs: [image], outputs: [{ ...out, name: 'mask' }] },
      'the outputs "mask" FP32 [-1, 3, -1, -1], expected "logits" FP32 [-1, 3, -1, -1]',
    ],
    [
      'both',
      { inputs: [{ ...image, name: 'x' }], outputs: [{ ...out, shape: [-1, 2, -1, -1] }] },
      `the inputs "x" FP32 [-1, 1, -1, -1], ${expected}; and the outputs "logits" FP32 [-1, 2, -1, -1], expected "logits" FP32 [-1, 3, -1, -1]`,
    ],
  ])('refuses another model by its %s', (_, model, problem) => {
    expect(mismatchOf(model, CARD)).toBe(`model "nuclei" has ${problem}`);
  });
});

describe('Retry-After', () => {
  it.each([
    ['2', 2000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['soon', null],
    ['-1', null],
    [null, null],
  ])('%s is %s ms', (header, ms) => {
    expect(retryAfterMs(header, Date.UTC(2026, 0, 1))).toBe(ms);
  });
});
