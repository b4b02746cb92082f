import { describe, expect, it } from 'vitest';
import { encodeIndex } from '#contract/index-format.ts';
import type { Api } from '../../../src/models/api.ts';
import { parseUuid } from '../../../src/models/id-table.ts';
import { aroundIn, createNeighbours } from '../../../src/models/viewer/Neighbours.ts';

describe('neighbours', () => {
  const ids = Array.from({ length: 5 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);
  it('are those beside an image, and none at the ends', () => {
    expect(aroundIn(ids, ids[0]!, true)).toEqual({ previous: null, next: ids[1], place: { at: 1, of: 5 } });
    expect(aroundIn(ids, ids[4]!, false)).toEqual({ previous: ids[3], next: null, place: null });
    expect(aroundIn(ids, 'x', true)).toBeNull();
  });

  it('come from the list as it was shown, else from the index, which is read once', async () => {
    let reads = 0;
    const bytes = new Uint8Array(16 * ids.length);
    ids.forEach((id, i) => parseUuid(id, bytes.subarray(i * 16)));
    const index = encodeIndex({
      epoch: 'e',
      seq: 0,
      count: ids.length,
      ids: bytes,
      statuses: new Uint8Array(ids.length),
      colours: new Uint8Array(3 * ids.length),
    });
    const api = { bytes: async () => (reads++, index) } as unknown as Api;
    const kept = JSON.stringify({ projectId: 'p', ids: [ids[3], ids[1], ids[0]] });
    const storage = { getItem: () => kept } as unknown as Storage;
    const neighbours = createNeighbours({ api, storage });
    await neighbours.look('p', ids[1]!);
    expect(neighbours.around.value).toMatchObject({ previous: ids[3], next: ids[0] });
    expect(reads).toBe(0);
    await neighbours.look('p', ids[4]!);
    await neighbours.look('q', ids[1]!);
    await neighbours.look('q', ids[2]!);
    expect(neighbours.around.value).toMatchObject({ previous: ids[1], next: ids[3], place: { at: 3, of: 5 } });
    expect(reads).toBe(2);
  });
});
