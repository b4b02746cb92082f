import { afterEach, describe, expect, it } from 'vitest';
import type { ServerFrame } from '#contract/events.ts';
import { encodeIndex, IMAGE_COUNTS } from '#contract/index-format.ts';
import type { Api } from '../../../src/models/api.ts';
import { createBatches, type BatchView } from '../../../src/models/Batches.ts';
import type { Cursor, SocketLike } from '../../../src/models/gallery/EventSocket.ts';
import { createGalleryFeed } from '../../../src/models/gallery/GalleryFeed.ts';
import { createWholeList } from '../../../src/models/gallery/WholeList.ts';
import { createImageStore } from '../../../src/models/ImageStore.ts';
import { createFakeClock } from '../../fake-clock.ts';

const COUNT = 300;
const IDS = Uint8Array.from({ length: COUNT * 16 }, (_, at) => (at % 16 < 2 ? at >> (4 + 8 * (at % 16)) : 0));
let stop = () => {};
afterEach(() => stop());

const batch: BatchView = {
  id: 'b',
  status: 'completed',
  pausedReason: null,
  total: 1,
  counts: { queued: 0, processing: 0, completed: 1, failed: 0, cancelled: 0 },
  imagesPerSecond: 0,
  eta: null,
};

/** A service at event 10 that has an index of event 4 for who may be behind. */
function setUp() {
  const { clock, frames, advance } = createFakeClock();
  const asked: object[] = [];
  const cursors: Cursor[] = [];
  const sockets: SocketLike[] = [];
  const store = createImageStore();
  /** What the whole list, and the list of batches, wait for. */
  const held = { whole: Promise.resolve(), batches: Promise.resolve() };
  const seen: [string, boolean][] = [];
  /** Number of a kept index: of the first images, and of all. */
  const kept = { first: 4, whole: 4 };
  async function read(query: { first?: number; behind?: number }) {
    asked.push(query);
    const isKept = query.behind !== undefined;
    if (query.first === undefined) await held.whole;
    const statuses = new Uint8Array(COUNT).fill(isKept ? 0 : 3);
    const count = query.first ?? COUNT;
    const colours = new Uint8Array(COUNT * 3);
    const seq = isKept ? kept[query.first ? 'first' : 'whole'] : 10;
    return encodeIndex({ epoch: 'e', seq, count, ids: IDS, statuses, colours });
  }
  const api = {
    async call(route: string) {
      if (!route.endsWith('/batches')) return {};
      await held.batches;
      return { items: [batch] };
    },
    bytes: (_route: string, { query }: { query: { behind?: number } }) => read(query),
    async request(address: string) {
      const query = Object.fromEntries(new URL(address, 'http://x').searchParams);
      const index = await read({ first: Number(query['first']), behind: Number(query['behind']) });
      return new Response(index, { headers: { [IMAGE_COUNTS]: `uploaded=${COUNT}` } });
    },
  } as unknown as Api;
  const whole = createWholeList();
  const feed = createGalleryFeed({
    api,
    whole,
    clock,
    frames,
    random: () => 0.5,
    projectId: 'p',
    store,
    batches: createBatches({ onSeen: ({ id }, live) => seen.push([id, live]) }),
    onChange: () => {},
    openSocket(cursor) {
      cursors.push(cursor);
      const socket: SocketLike = { onmessage: null, onclose: null, send: () => {}, close: () => {} };
      sockets.push(socket);
      return socket;
    },
  });
  stop = () => feed.stop();
  const send = (frame: ServerFrame): void => sockets.at(-1)!.onmessage?.({ data: JSON.stringify(frame) });
  const completed = (from: number, to: number, imageId: string): ServerFrame => ({
    type: 'events',
    epoch: 'e',
    from,
    to,
    events: Array.from({ length: to - from + 1 }, (_, i) => ({
      seq: from + i,
      imageId,
      batchId: null,
      status: 'completed' as const,
    })),
    batches: [],
  });
  return { feed, whole, store, asked, cursors, send, completed, advance, held, kept, seen };
}

describe('createGalleryFeed', () => {
  it.each([true, false])(
    'takes a kept index when it starts (from the top: %s), and events from its number on',
    async (fromTop) => {
      const { feed, whole, store, asked, cursors, send, completed, advance } = setUp();
      whole.want();
      await feed.start(fromTop);
      expect(asked).toEqual([...(fromTop ? [{ first: 256, behind: 500 }] : []), { behind: 500 }]);
      expect(cursors).toEqual([{ epoch: 'e', seq: 4 }]);
      send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 10 });
      send(completed(5, 10, store.idAt(7)));
      await advance(100);
      expect([store.statusAt(7), store.statusAt(8)]).toEqual(['completed', 'uploaded']);
    },
  );

  it('opens the socket while the whole list is on its way, and puts it together with what came meanwhile', async () => {
    const { feed, whole, store, asked, cursors, send, completed, advance, held } = setUp();
    let release!: () => void;
    held.whole = new Promise<void>((resolve) => (release = resolve));
    const starting = feed.start(true);
    await advance(100);
    expect([cursors, store.count]).toEqual([[{ epoch: 'e', seq: 4 }], 256]);
    whole.want();
    send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 4 });
    send(completed(5, 6, store.idAt(7)));
    // of an image that is not among the first
    send(completed(7, 7, '1d010000-0000-0000-0000-000000000000'));
    await advance(100);
    expect(store.statusAt(7)).toBe('completed');
    release();
    await starting;
    expect([7, 285, 8].map(store.statusAt)).toEqual(['completed', 'completed', 'uploaded']);
    await advance(10_000);
    expect([asked.length, cursors.length]).toEqual([2, 1]);
  });

  it('tells how many images there are, and reads all of them only when that is wanted, or after a second', async () => {
    for (const wanted of [true, false]) {
      const { feed, whole, store, asked, advance, send, completed } = setUp();
      const starting = feed.start(true);
      await advance(900);
      expect([feed.load.value, feed.ahead.value?.uploaded, store.count, asked.length]).toEqual([
        'ready',
        COUNT,
        256,
        1,
      ]);
      send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 4 });
      // What comes meanwhile is not lost.
      send(completed(5, 6, store.idAt(7)));
      await advance(50);
      if (wanted) whole.want();
      else await advance(100);
      await starting;
      expect([feed.ahead.value, store.count, asked.length]).toEqual([null, COUNT, 2]);
      expect([7, 8].map(store.statusAt)).toEqual(['completed', 'uploaded']);
      feed.stop();
    }
  });

  it.each(['an event of an image that is not among the first', 'an upload'])(
    'reads all of them at %s',
    async (what) => {
      const { feed, store, asked, advance, send, completed } = setUp();
      const starting = feed.start(true);
      await advance(10);
      send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 4 });
      if (what === 'an upload') feed.refresh();
      else send(completed(5, 5, '1d010000-0000-0000-0000-000000000000'));
      await advance(50);
      await starting;
      expect([asked.length, store.count, store.statusAt(285)]).toEqual([
        2,
        COUNT,
        what === 'an upload' ? 'uploaded' : 'completed',
      ]);
    },
  );

  it('goes back to the number of the whole list where that is the older one', async () => {
    const { feed, whole, cursors, kept } = setUp();
    kept.whole = 3;
    whole.want();
    await feed.start(true);
    expect(cursors.map(({ seq }) => seq)).toEqual([4, 3]);
  });

  it('reads all anew after the first reading where the feed breaks in the middle of it', async () => {
    const { feed, store, asked, cursors, send, advance, held } = setUp();
    let release!: () => void;
    held.whole = new Promise<void>((resolve) => (release = resolve));
    const starting = feed.start(true);
    await advance(100);
    send({ type: 'hello', projectId: 'p', epoch: 'other', seq: 4 });
    await advance(100);
    expect(asked).toHaveLength(2);
    release();
    await starting;
    await advance(100);
    expect(asked.slice(2)).toEqual([{}]);
    expect([store.statusAt(7), cursors.at(-1)]).toEqual(['completed', { epoch: 'e', seq: 10 }]);
  });

  it('takes no batch for a new one that a frame tells of before the list of batches is here', async () => {
    const { feed, whole, send, completed, store, advance, held, seen } = setUp();
    whole.want();
    let release!: () => void;
    held.batches = new Promise<void>((resolve) => (release = resolve));
    const starting = feed.start(true);
    await advance(100);
    send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 10 });
    send({ ...completed(5, 10, store.idAt(7)), batches: [batch] } as ServerFrame);
    await advance(100);
    expect(seen).toEqual([]);
    release();
    await starting;
    await advance(100);
    expect(seen).toEqual([['b', false]]);
    expect(store.statusAt(7)).toBe('completed');
  });

  it('reads what is committed when an image is unknown, since the socket does not go back', async () => {
    const { feed, store, asked, cursors, send, completed, advance } = setUp();
    await feed.start(false);
    send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 10 });
    send(completed(5, 10, 'ffffffff-0000-4000-8000-000000000000'));
    await advance(5_000);
    expect(asked.slice(1)).toEqual([{}]);
    expect(store.statusAt(7)).toBe('completed');
    expect(cursors).toHaveLength(1);
  });

  it('reads what is committed when the feed breaks: a kept index might end before the same break', async () => {
    const { feed, asked, cursors, send, advance } = setUp();
    await feed.start(false);
    send({ type: 'hello', projectId: 'p', epoch: 'other', seq: 10 });
    await advance(100);
    expect(asked.slice(1)).toEqual([{}]);
    expect(cursors.at(-1)).toEqual({ epoch: 'e', seq: 10 });
  });
});
