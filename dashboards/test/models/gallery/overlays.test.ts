import { expect, it } from 'vitest';
import { createOverlays, type RasterRequest } from '../../../src/models/gallery/Overlays.ts';
import type { ResultView } from '../../../src/models/result-cache.ts';

const viewOf = (mark: number): ResultView => ({
  imageId: '',
  bytes: new Uint8Array([mark]),
  width: 256,
  height: 256,
  polygonCount: 1,
  unlike: false,
  mark,
});
const bitmap = { close: () => {} } as ImageBitmap;

it('asks for all outlines of one look in one message, each once, and takes many in one reply', async () => {
  const messages: RasterRequest[][] = [];
  const ready: string[] = [];
  let all = 0;
  const overlays = createOverlays({
    post: (requests, transfer) => {
      expect(transfer).toEqual(requests.map(({ bytes }) => bytes.buffer));
      messages.push(requests);
    },
    onReady: (imageId) => ready.push(imageId),
    onAll: () => all++,
    inPage: () => 0,
  });
  for (const id of ['a', 'b', 'a']) overlays.request(id, viewOf(1), 169);
  expect(messages).toEqual([]);
  await Promise.resolve();
  overlays.request('c', viewOf(2), 169);
  await Promise.resolve();
  expect(messages.map((requests) => requests.map(({ key }) => key))).toEqual([['a 1 169', 'b 1 169'], ['c 2 169']]);

  overlays.receive([{ key: 'a 1 169', bitmap }]);
  expect(all).toBe(0);
  overlays.receive([
    { key: 'b 1 169', bitmap: null, error: 'cut off' },
    { key: 'c 2 169', bitmap },
  ]);
  expect([ready, all]).toEqual([['a', 'c'], 1]);
  expect(overlays.get('c', 2, 169)).toEqual({ bitmap, mark: 2, size: 169 });
  expect(overlays.get('c', 1, 169)).toBeUndefined();
  // One that could not be drawn may be asked for again.
  overlays.request('b', viewOf(1), 169);
  await Promise.resolve();
  expect(messages.at(-1)!.map(({ key }) => key)).toEqual(['b 1 169']);
});

it.each([
  ['a large screen', 80, 160],
  ['a very large one', 300, 300],
])('has room for all cells of %s', (_, inPage, held) => {
  const overlays = createOverlays({ post: () => {}, onReady: () => {}, onAll: () => {}, inPage: () => inPage });
  const ids = Array.from({ length: 400 }, (_, i) => `image-${i}`);
  overlays.receive(ids.map((id) => ({ key: `${id} 1 169`, bitmap })));
  expect(ids.filter((id) => overlays.getAny(id))).toEqual(ids.slice(-held));
});
