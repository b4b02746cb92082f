import { describe, expect, it } from 'vitest';
import { encodeIndex, decodeIndex } from '#contract/index-format.ts';
import type { ImageEvent } from '#contract/events.ts';
import { createIdTable, parseUuid, uuidAt } from '../../src/models/id-table.ts';
import { createImageStore } from '../../src/models/ImageStore.ts';
import { createMockProject } from '../../../loadtest/src/stand-in/project.ts';

const BATCH = '11111111-1111-4111-8111-111111111111';
function loaded(count: number) {
  const project = createMockProject(count);
  const store = createImageStore();
  store.load(decodeIndex(project.index()));
  const event = (position: number, seq: number, status: ImageEvent['status']): ImageEvent => ({
    seq,
    imageId: project.images[position]!.id,
    batchId: BATCH,
    status,
  });
  return { project, store, event };
}

describe('createImageStore', () => {
  it('keeps ids, statuses and colours of an index in list order when loaded', () => {
    const { project, store } = loaded(50);
    expect(store.count).toBe(50);
    expect(store.idAt(17)).toBe(project.images[17]!.id);
    expect(store.find(project.images[49]!.id)).toBe(49);
    expect(store.statusAt(3)).toBe('uploaded');
    expect(store.colourAt(0)).toBe('rgb(38 44 52)');
    expect(store.counts()).toMatchObject({ uploaded: 50, completed: 0 });
  });

  it('takes the write with the higher number when events of one image come twice or late', () => {
    const { store, event } = loaded(3);
    expect(store.apply(event(1, 5, 'completed'))).toBe(1);
    expect(store.apply(event(1, 4, 'processing'))).toBe(-2);
    expect(store.apply(event(1, 5, 'failed'))).toBe(-2);
    expect(store.statusAt(1)).toBe('completed');
    expect(store.counts()).toMatchObject({ uploaded: 2, completed: 1 });
  });

  it('keeps the status of the newer of two batches, whichever ends last, also when the list is read again', () => {
    const [older, newer] = ['01980000-0000-7000-8000-00000000000a', '01980000-0000-7000-8000-00000000000b'];
    const { project, store, event } = loaded(2);
    expect(store.apply({ ...event(1, 1, 'queued'), batchId: older })).toBe(1);
    expect(store.apply({ ...event(1, 2, 'queued'), batchId: newer })).toBe(1);
    expect(store.apply({ ...event(1, 3, 'completed'), batchId: newer })).toBe(1);
    store.load(decodeIndex(project.index()));
    expect(store.apply({ ...event(1, 4, 'queued'), batchId: newer })).toBe(1);
    expect(store.apply({ ...event(1, 5, 'failed'), batchId: older })).toBe(-2);
    expect(store.statusAt(1)).toBe('queued');
    expect(store.counts()).toMatchObject({ queued: 1, failed: 0 });
    expect([store.isOf(1, newer), store.isOf(1, older)]).toEqual([true, false]);
  });

  it('says -1 when an event speaks of an image it does not know', () => {
    const { store } = loaded(2);
    expect(store.apply({ seq: 1, imageId: BATCH, batchId: null, status: 'uploaded' })).toBe(-1);
  });

  it('asks for a result anew when an image completes again', () => {
    const { store, event } = loaded(2);
    store.apply(event(0, 1, 'completed'));
    expect(store.missingOf(BATCH)).toBe(1);
    store.setHeld(0, store.markAt(0));
    expect(store.needsResult(0)).toBe(false);
    store.apply(event(0, 2, 'completed'));
    expect(store.needsResult(0)).toBe(true);
  });

  it('keeps what it holds when the list is read again, and drops it after missed events', () => {
    const { project, store, event } = loaded(4);
    store.apply(event(2, 1, 'completed'));
    store.setHeld(2, store.markAt(2));
    project.images[2]!.status = 'completed';
    // A new image at the front moves all others.
    project.images.unshift({ id: BATCH, status: 'uploaded', batchId: null, result: null });
    const index = decodeIndex(project.index());
    store.load(index);
    expect(store.find(project.images[3]!.id)).toBe(3);
    expect(store.needsResult(3)).toBe(false);
    store.load(index, true);
    expect(store.needsResult(3)).toBe(true);
  });

  it('ignores events that the index contains already', () => {
    const { project } = loaded(1);
    const store = createImageStore();
    const index = decodeIndex(project.index());
    store.load({ ...index, seq: 10 });
    const imageId = project.images[0]!.id;
    expect(store.apply({ seq: 10, imageId, batchId: null, status: 'failed' })).toBe(-2);
    expect(store.apply({ seq: 11, imageId, batchId: null, status: 'failed' })).toBe(0);
  });

  it('selects the positions of one status in ascending order', () => {
    const { store, event } = loaded(6);
    for (const [position, seq] of [
      [4, 1],
      [1, 2],
    ] as const)
      store.apply(event(position, seq, 'failed'));
    expect([...store.select('failed')]).toEqual([1, 4]);
  });

  it('keeps what is chosen with its image, and what was seen of a result only while it is the current one', () => {
    const { project, store, event } = loaded(4);
    store.apply(event(2, 1, 'completed'));
    project.images[2]!.status = 'completed';
    store.setSeen(2, true);
    store.pick(2, true);
    store.pick(0, true);
    expect([store.seenCount, store.unlikeCount, store.pickedCount]).toEqual([1, 1, 2]);
    project.images.unshift({ id: BATCH, status: 'uploaded', batchId: null, result: null });
    store.load(decodeIndex(project.index()));
    expect([[...store.selectUnlike()], [...store.selectPicked()]]).toEqual([[3], [1, 3]]);
    store.apply(event(3, 2, 'queued'));
    expect([store.seenCount, store.unlikeCount, store.pickedCount]).toEqual([0, 0, 2]);
    store.load(decodeIndex(createMockProject(2).index()), true);
    expect([store.seenCount, store.pickedCount]).toEqual([0, 0]);
  });

  it('finds the places of another order, and filters in that order', () => {
    const { project, store, event } = loaded(5);
    const reversed = createMockProject(0);
    reversed.images.push(...project.images.toReversed(), {
      id: BATCH,
      status: 'uploaded',
      batchId: null,
      result: null,
    });
    const { ids, count } = decodeIndex(reversed.index());
    const order = store.positionsIn(ids, count);
    expect([...order]).toEqual([4, 3, 2, 1, 0]);
    store.apply(event(1, 1, 'failed'));
    store.apply(event(3, 2, 'failed'));
    expect([...store.select('failed', order)]).toEqual([3, 1]);
  });

  it('holds 100,000 images when asked to', () => {
    const { project, store } = loaded(100_000);
    for (const position of [0, 31_337, 99_999]) expect(store.find(project.images[position]!.id)).toBe(position);
  });
});

describe('createIdTable', () => {
  it('finds every id and no other when ids share most of their bytes', () => {
    const ids = new Uint8Array(16 * 1000);
    for (const word of [12, 8, 4, 0]) {
      ids.fill(0);
      for (let i = 0; i < 1000; i++) ids.set([0x01, 0x8f, i >> 8, i & 255], i * 16 + word);
      const half = createIdTable(ids, 500);
      for (let i = 0; i < 1000; i++) expect(half.find(uuidAt(ids, i))).toBe(i < 500 ? i : -1);
    }
    const table = createIdTable(ids, 999);
    // Not at a whole word of its buffer.
    const others = new Uint8Array(33).subarray(1);
    others.set(ids.subarray(12 * 16, 13 * 16), 16);
    const find = table.finderOf(others);
    expect([find(0), find(1)]).toEqual([-1, 12]);
  });

  it('enters rows as they are looked for, whatever is asked first', () => {
    const count = 20_000;
    const words = Uint32Array.from({ length: count * 4 }, (_, at) => Math.imul(at + 1, 0x9e3779b1));
    const ids = new Uint8Array(words.buffer);
    for (const first of [19_999, 0, 1024, -1]) {
      const table = createIdTable(ids, count);
      expect(table.find(first < 0 ? BATCH : uuidAt(ids, first))).toBe(first);
      for (const row of [0, 1023, 1024, 8191, 8192, 19_999]) expect(table.find(uuidAt(ids, row))).toBe(row);
      expect(table.find(BATCH)).toBe(-1);
    }
  });

  it('refuses text that is not a UUID', () => {
    const out = new Uint8Array(16);
    for (const text of ['', 'x'.repeat(36), `${'0'.repeat(36)}`, '11111111-1111-4111-8111-11111111111g'])
      expect(parseUuid(text, out)).toBe(false);
    expect(parseUuid(BATCH, out)).toBe(true);
  });
});

describe('decodeIndex', () => {
  it('refuses cut bytes', () => {
    const { project } = loaded(3);
    const bytes = project.index();
    expect(() => decodeIndex(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
    expect(() => decodeIndex(new Uint8Array(4))).toThrow(RangeError);
    const index = decodeIndex(bytes);
    expect(encodeIndex(index)).toEqual(bytes);
  });
});
