import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseWindow, percentiles, reflected, scaleOf } from '../../src/inference/normalise.ts';

describe('percentiles', () => {
  it('agrees with numpy on 8, 16 and 32 bit samples', () => {
    const eight = Uint8Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 200, 255, 0, 7);
    const wanted = [0.14, 5, 253.46];
    percentiles(eight, [1, 50, 99.8]).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 9));
    percentiles(Float32Array.from(eight), [1, 50, 99.8]).forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 9));
    const sixteen = percentiles(Uint16Array.of(30_000, 1, 4, 65_535, 5, 9, 200), [1, 33, 99.8]);
    [1.18, 4.98, 65_108.58].forEach((value, i) => expect(sixteen[i]).toBeCloseTo(value, 6));
  });

  it('counts in a histogram exactly what sorting gives', () => {
    fc.assert(
      fc.property(
        fc.uint16Array({ minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (data, q) => {
          const [counted] = percentiles(data, [q]);
          const [sorted] = percentiles(Float32Array.from(data), [q]);
          expect(counted).toBeCloseTo(sorted!, 6);
        },
      ),
    );
  });

  it('takes NaN and infinity as 0', () => {
    expect(percentiles(Float32Array.of(Number.NaN, Infinity, 4), [0, 100])).toEqual([0, 4]);
  });
});

describe('reflected', () => {
  it('mirrors like numpy, without repeating the edge, also past a second mirror', () => {
    const padded = Array.from({ length: 16 }, (_, i) => reflected(i - 4, 3));
    expect(padded).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
    expect([-3, 0, 5].map((i) => reflected(i, 1))).toEqual([0, 0, 0]);
  });
});

describe('normaliseWindow', () => {
  it('maps the percentiles to 0 and 1, clips at 1.5, and pads by reflection', () => {
    const image = { width: 2, height: 1, data: Uint8Array.of(10, 20) };
    const out = new Float32Array(8);
    normaliseWindow(image, { low: 10, factor: 0.1 }, { x: 0, y: 0, width: 4, height: 2 }, out);
    expect([...out]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    normaliseWindow(image, { low: 12, factor: 1 }, { x: 0, y: 0, width: 2, height: 1 }, out);
    expect([...out.subarray(0, 2)]).toEqual([0, 1.5]);
  });

  it('gives zeros, not NaN, for an image of one value', () => {
    const image = { width: 2, height: 2, data: new Uint16Array(4).fill(700) };
    const out = new Float32Array(4);
    normaliseWindow(image, scaleOf(image.data), { x: 0, y: 0, width: 2, height: 2 }, out);
    expect([...out]).toEqual([0, 0, 0, 0]);
  });
});
