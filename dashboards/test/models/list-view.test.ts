import { describe, expect, it } from 'vitest';
import { decodeIndex } from '#contract/index-format.ts';
import { createImageStore } from '../../src/models/ImageStore.ts';
import { createListView, type Sort } from '../../src/models/ListView.ts';
import { createSelection } from '../../src/models/gallery/Selection.ts';
import { createFakeClock } from '../fake-clock.ts';
import { createMockProject } from '../../../loadtest/src/stand-in/project.ts';

const BATCH = '11111111-1111-4111-8111-111111111111';

/** A project of `count` images; orders are answered when `answer` is called, with the images at these places. */
function setUp(count: number) {
  const { clock, advance } = createFakeClock();
  const project = createMockProject(count);
  const store = createImageStore();
  store.load(decodeIndex(project.index()));
  const asked: { sort: Sort; q: string; answer: (places: number[]) => Promise<void>; fail: () => Promise<void> }[] = [];
  const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
  const at: { length: number; known: number; total?: number } = { length: count, known: count };
  const list = createListView({
    store,
    clock,
    readOrder: (query) =>
      new Promise((resolve, reject) => {
        asked.push({
          ...query,
          answer(places) {
            const other = createMockProject(0);
            other.images.push(...places.map((place) => project.images[place]!));
            resolve(decodeIndex(other.index()));
            return tick();
          },
          fail() {
            reject(new Error('away'));
            return tick();
          },
        });
      }),
    trialIds: () => [project.images[3]!.id, project.images[1]!.id],
    total: () => at.total ?? store.count,
    onChange: (now, known) => Object.assign(at, { length: now, known }),
  });
  const event = (place: number, seq: number, status: 'failed' | 'completed' | 'queued') =>
    store.apply({ seq, imageId: project.images[place]!.id, batchId: BATCH, status });
  const shown = () => (list.view.value ? [...list.view.value] : null);
  return { project, store, list, asked, advance, event, shown, at, length: () => at.length };
}

describe('createListView', () => {
  it('asks the service for an order, and for nothing when the list stands in its own', async () => {
    const { list, asked, shown, length } = setUp(5);
    void list.setSort('-name');
    expect(asked).toMatchObject([{ sort: '-name', q: '' }]);
    await asked[0]!.answer([4, 2, 0]);
    expect([shown(), length()]).toEqual([[4, 2, 0], 3]);
    await list.setSort('createdAt');
    expect([shown(), length(), asked.length]).toEqual([null, 5, 1]);
  });

  it('is as long as all images while only the first of them are known, and no longer than what is known where a part is shown', () => {
    const { list, at } = setUp(5);
    at.total = 9;
    list.changed(true);
    expect(at).toMatchObject({ length: 9, known: 5 });
    list.setFilter('trial');
    expect(at).toMatchObject({ length: 2, known: 2 });
  });

  it('searches when typing rests, and the last answer counts, whichever comes last', async () => {
    const { list, asked, advance, shown } = setUp(5);
    list.setQuery('p');
    await advance(100);
    list.setQuery('pl');
    await advance(1000);
    list.setQuery('plate');
    await advance(1000);
    expect(asked.map(({ q }) => q)).toEqual(['pl', 'plate']);
    await asked[1]!.answer([3]);
    await asked[0]!.answer([0, 1]);
    expect(shown()).toEqual([3]);
  });

  it('filters in the order shown, and follows events in steps', async () => {
    const { list, asked, advance, event, shown } = setUp(5);
    void list.setSort('-createdAt');
    await asked[0]!.answer([4, 3, 2, 1, 0]);
    event(1, 1, 'failed');
    event(3, 2, 'failed');
    list.setFilter('failed');
    expect(shown()).toEqual([3, 1]);
    event(0, 3, 'failed');
    list.changed(false);
    list.changed(false);
    expect(shown()).toEqual([3, 1]);
    await advance(600);
    expect(shown()).toEqual([3, 1, 0]);
  });

  it('shows what is tried in its own order, whatever else is chosen', () => {
    const { list, shown } = setUp(5);
    list.setFilter('trial');
    expect(shown()).toEqual([3, 1]);
  });

  it('keeps its order over a new index, and reads it anew', async () => {
    const { project, store, list, asked, advance, shown } = setUp(4);
    void list.setSort('name');
    await asked[0]!.answer([2, 0, 1, 3]);
    project.images.unshift({ id: BATCH, status: 'uploaded', batchId: null, result: null });
    store.load(decodeIndex(project.index()));
    list.changed(true);
    expect(shown()).toEqual([3, 1, 2, 4]);
    await advance(1000);
    expect(asked).toHaveLength(2);
  });

  it('orders anew while counts change, at most each two seconds, and only where they order', async () => {
    const { list, asked, advance } = setUp(4);
    void list.setSort('-polygonCount');
    await asked[0]!.answer([0, 1, 2, 3]);
    for (let turn = 0; turn < 30; turn++) {
      list.changed(false);
      await advance(100);
    }
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(asked.length).toBeGreaterThan(1);
    void list.setSort('name');
    const before = asked.length;
    list.changed(false);
    await advance(5000);
    expect(asked).toHaveLength(before);
  });

  it('says so when an order could not be read, and shows what it had', async () => {
    const { list, asked, shown } = setUp(3);
    void list.setSort('name');
    await asked[0]!.fail();
    expect([list.ordering.value, shown()]).toEqual(['failed', null]);
    void list.retry();
    await asked[1]!.answer([2, 1, 0]);
    expect([list.ordering.value, shown()]).toEqual(['idle', [2, 1, 0]]);
  });

  it('comes back as it was left, but to no trial', () => {
    const { list } = setUp(3);
    list.restore({ filter: 'failed', sort: 'name', query: 'x' });
    expect(list.place).toEqual({ filter: 'failed', sort: 'name', query: 'x' });
    list.restore({ filter: 'trial', sort: 'size' as Sort });
    expect(list.place).toEqual({ filter: 'failed', sort: 'name', query: 'x' });
  });
});

describe('createSelection', () => {
  function chosen(count: number) {
    const { store, project } = setUp(count);
    const told: number[][] = [];
    // Shown from the last image to the first.
    const selection = createSelection({
      store,
      indexAt: (place) => count - 1 - place,
      length: () => count,
      onChange: (indexes) => told.push([...indexes]),
    });
    return { store, selection, told, idAt: (place: number) => project.images[count - 1 - place]!.id };
  }

  it('toggles one, and extends from there in the order shown', () => {
    const { selection, store, told } = chosen(10);
    selection.toggle(2);
    selection.extendTo(5);
    expect([...store.selectPicked()]).toEqual([4, 5, 6, 7]);
    expect(selection.count.value).toBe(4);
    expect(told).toEqual([[7], [6, 5, 4]]);
    selection.extendTo(0);
    expect([...store.selectPicked()]).toEqual([4, 5, 6, 7, 8, 9]);
    selection.toggle(2);
    expect(selection.count.value).toBe(5);
  });

  it('begins a range where the keyboard was moved to last', () => {
    const { selection, store } = chosen(10);
    selection.moveTo(8);
    selection.moveTo(6);
    selection.extendTo(7);
    expect([...store.selectPicked()]).toEqual([2, 3]);
  });

  it('chooses all, gives their ids and lets go of all', () => {
    const { selection, told } = chosen(4);
    selection.all();
    expect(new Set(selection.ids()).size).toBe(4);
    selection.clear();
    expect([selection.count.value, selection.ids()]).toEqual([0, []]);
    expect(told.map((indexes) => indexes.length)).toEqual([4, 4]);
  });

  it('stays within the list, and chooses nothing in an empty one', () => {
    const { selection, store } = chosen(3);
    selection.toggle(99);
    expect([selection.active.value, ...store.selectPicked()]).toEqual([2, 0]);
    const none = chosen(0);
    none.selection.toggle(0);
    none.selection.extendTo(3);
    none.selection.all();
    expect(none.selection.count.value).toBe(0);
  });

  it('takes back what was chosen before', () => {
    const { selection, idAt, store } = chosen(5);
    selection.restore([idAt(0), idAt(4), BATCH]);
    expect([...store.selectPicked()]).toEqual([0, 4]);
  });
});
