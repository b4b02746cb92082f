import { afterEach, describe, expect, it } from 'vitest';
import type { ServerFrame } from '#contract/events.ts';
import { encodeIndex } from '#contract/index-format.ts';
import type { Api } from '../../src/models/api.ts';
import { createBatches } from '../../src/models/Batches.ts';
import type { Cursor, SocketLike } from '../../src/models/EventSocket.ts';
import { createGalleryFeed } from '../../src/models/GalleryFeed.ts';
import { createImageStore } from '../../src/models/ImageStore.ts';
import { createFakeClock } from '../fake-clock.ts';

const COUNT = 300;
const IDS = Uint8Array.from({ length: COUNT * 16 }, (_, at) => (at % 16 < 2 ? at >> (4 + 8 * (at % 16)) : 0));
let stop = () => {};
afterEach(() => stop());

/** A service at event 10 that has an index of event 4 for who may be behind. */
function setUp() {
  const { clock, frames, advance } = createFakeClock();
  const asked: object[] = [];
  const cursors: Cursor[] = [];
  const sockets: SocketLike[] = [];
  const store = createImageStore();
  const api = {
    call: async () => ({ items: [] }),
    async bytes(_route: string, { query }: { query: { first?: number; behind?: number } }) {
      asked.push(query);
      const kept = query.behind !== undefined;
      const statuses = new Uint8Array(COUNT).fill(kept ? 0 : 3);
      const count = query.first ?? COUNT;
      const colours = new Uint8Array(COUNT * 3);
      return encodeIndex({ epoch: 'e', seq: kept ? 4 : 10, count, ids: IDS, statuses, colours });
    },
  } as unknown as Api;
  const feed = createGalleryFeed({
    api,
    clock,
    frames,
    random: () => 0.5,
    projectId: 'p',
    store,
    batches: createBatches({}),
    onChange: () => {},
    openSocket(cursor) {
      cursors.push(cursor);
      const socket: SocketLike = { onmessage: null, onclose: null, send: () => {}, close: () => {} };
      sockets.push(socket);
      return socket;
    },
  });
  stop = feed.stop;
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
  return { feed, store, asked, cursors, send, completed, advance };
}

describe('createGalleryFeed', () => {
  it.each([true, false])(
    'takes a kept index when it starts (from the top: %s), and events from its number on',
    async (fromTop) => {
      const { feed, store, asked, cursors, send, completed, advance } = setUp();
      await feed.start(fromTop);
      expect(asked).toEqual([...(fromTop ? [{ first: 256, behind: 500 }] : []), { behind: 500 }]);
      expect(cursors).toEqual([{ epoch: 'e', seq: 4 }]);
      send({ type: 'hello', projectId: 'p', epoch: 'e', seq: 10 });
      send(completed(5, 10, store.idAt(7)));
      await advance(100);
      expect([store.statusAt(7), store.statusAt(8)]).toEqual(['completed', 'uploaded']);
    },
  );

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
