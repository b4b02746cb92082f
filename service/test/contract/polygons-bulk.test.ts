import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
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
