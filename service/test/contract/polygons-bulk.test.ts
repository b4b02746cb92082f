import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createBulkDecoder,
  decodeBulk,
  encodeBulkHeader,
  encodeBulkNull,
  encodeBulkResult,
  encodeBulkTrailer,
} from '../../src/contract/polygons-bulk.ts';

const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const uuid = fc.uuid();

const sample = () =>
  join(
    encodeBulkHeader(),
    encodeBulkResult({ imageId: 'a', model: 'nuclei', polygonCount: 2 }, Uint8Array.of(1, 2, 3)),
    encodeBulkNull('b'),
    encodeBulkTrailer({ missing: ['c'], nextCursor: 'next' }),
  );

describe('bulk envelope', () => {
  it('gives back results, nulls, missing ids and cursor', () => {
    const entry = fc.record({ imageId: uuid, payload: fc.option(fc.uint8Array({ maxLength: 40 })), name: fc.string() });
    const list = fc.uniqueArray(entry, { selector: ({ imageId }) => imageId, maxLength: 10 });
    fc.assert(
      fc.property(list, fc.array(uuid), fc.option(fc.string()), (entries, missing, nextCursor) => {
        const bytes = join(
          encodeBulkHeader(),
          ...entries.map(({ imageId, payload, name }) =>
            payload === null ? encodeBulkNull(imageId) : encodeBulkResult({ imageId, model: name }, payload),
          ),
          encodeBulkTrailer({ missing, nextCursor }),
        );
        const reply = decodeBulk(bytes);
        expect(reply.missing).toEqual(missing);
        expect(reply.nextCursor).toBe(nextCursor);
        expect([...reply.results.keys()]).toEqual(entries.map(({ imageId }) => imageId));
        for (const { imageId, payload, name } of entries) {
          const expected = payload === null ? null : { meta: { imageId, model: name }, polygons: payload };
          expect(reply.results.get(imageId)).toEqual(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('says the same of a reply in pieces of any size, each result as soon as its last byte is here', () => {
    const bytes = sample();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 })), (sizes) => {
        const seen: [string, number[] | null][] = [];
        const decoder = createBulkDecoder((id, result) => seen.push([id, result && [...result.polygons]]));
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          decoder.push(bytes.subarray(at, at + size));
          at = Math.min(bytes.length, at + size);
        }
        expect(seen).toEqual([
          ['a', [1, 2, 3]],
          ['b', null],
        ]);
        expect(decoder.end()).toEqual({ missing: ['c'], nextCursor: 'next' });
      }),
    );
    let seen = 0;
    const decoder = createBulkDecoder(() => seen++);
    const resultEnds = join(
      encodeBulkHeader(),
      encodeBulkResult({ imageId: 'a', model: 'nuclei', polygonCount: 2 }, Uint8Array.of(1, 2, 3)),
    ).length;
    decoder.push(bytes.subarray(0, resultEnds - 1));
    expect(seen).toBe(0);
    decoder.push(bytes.subarray(resultEnds - 1, resultEnds));
    expect(seen).toBe(1);
    expect(() => decoder.end()).toThrow(/cut off at byte/);
  });

  it('finds a damaged length at once, and waits for no bytes that will never come', () => {
    const bytes = sample();
    // the length of the first payload: 3 becomes 3 + 2^24
    bytes[encodeBulkHeader().length + 11]! ^= 1;
    const decoder = createBulkDecoder(() => {});
    expect(() => decoder.push(bytes.subarray(0, 90))).toThrow(/damaged/);
  });

  it('shows payloads as views into the reply, not as copies', () => {
    const bytes = sample();
    expect(decodeBulk(bytes).results.get('a')!.polygons.buffer).toBe(bytes.buffer);
  });

  it('throws RangeError for every cut', () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeBulk(bytes.subarray(0, length))).toThrow(RangeError);
  });

  it('throws RangeError for every flipped bit outside the payloads', () => {
    const bytes = sample();
    const payloadAt = join(
      encodeBulkHeader(),
      encodeBulkResult({ imageId: 'a', model: 'nuclei', polygonCount: 2 }, new Uint8Array(0)),
    ).length;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if (bit >> 3 >= payloadAt && bit >> 3 < payloadAt + 3) continue;
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeBulk(damaged), `bit ${bit}`).toThrow(RangeError);
    }
  });

  it('throws RangeError when the last record is missing or something follows it', () => {
    expect(() => decodeBulk(encodeBulkHeader())).toThrow(/cut off/);
    expect(() => decodeBulk(join(sample(), Uint8Array.of(0)))).toThrow(/1 bytes after/);
  });

  it('throws RangeError, and nothing else, on hostile bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(() => decodeBulk(join(encodeBulkHeader(), noise))).toThrow(RangeError);
      }),
    );
  });
});
