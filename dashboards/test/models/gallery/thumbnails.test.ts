import { describe, expect, it } from 'vitest';
import { createThumbnails } from '../../../src/models/gallery/Thumbnails.ts';

interface Picture {
  id: string;
  close(): void;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const idsFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => `image-${first + i}`);

/** Requests wait until they are answered; `drawn` are the pictures that several are given of at once. */
function setUp({ capacity = 1000, drawn = (_id: string): boolean => true } = {}) {
  const closed: string[] = [];
  const ready: string[] = [];
  const asked: { ids: readonly string[]; aborted: boolean; answer: () => void; refuse: () => void }[] = [];
  const picture = (id: string): Picture => ({ id, close: () => closed.push(id) });
  const request = <T>(ids: readonly string[], signal: AbortSignal, given: () => T) =>
    new Promise<T>((resolve, reject) => {
      const one = { ids, aborted: false, answer: () => resolve(given()), refuse: () => reject(new Error('no')) };
      signal.addEventListener('abort', () => {
        one.aborted = true;
        one.refuse();
      });
      asked.push(one);
    });
  const thumbnails = createThumbnails<Picture>({
    capacity,
    onReady: (id) => ready.push(id),
    source: {
      many: (ids, signal) =>
        request(ids, signal, () => new Map(ids.filter(drawn).map((id): [string, Picture] => [id, picture(id)]))),
      one: (id, signal) => request([id], signal, () => picture(id)),
    },
  });
  return { thumbnails, asked, ready, closed, sizes: () => asked.map(({ ids }) => ids.length) };
}

describe('createThumbnails', () => {
  it('asks for a screen of them in one request, and for none twice', async () => {
    const { thumbnails, asked, ready, sizes } = setUp();
    thumbnails.want(idsFrom(0, 44));
    thumbnails.want(idsFrom(4, 44));
    expect(sizes()).toEqual([44, 4]);
    for (const { answer } of asked) answer();
    await turn();
    expect(ready.toSorted()).toEqual(idsFrom(0, 48).toSorted());
    thumbnails.want(idsFrom(0, 48));
    expect(sizes()).toEqual([44, 4]);
    expect(thumbnails.get('image-47')?.id).toBe('image-47');
  });

  it('asks for more than an answer holds in several', () => {
    const { thumbnails, sizes } = setUp();
    thumbnails.want(idsFrom(0, 150));
    expect(sizes()).toEqual([64, 64, 22]);
  });

  it('asks alone for each that is not drawn yet, four at a time, and only once', async () => {
    const { thumbnails, asked, ready, sizes } = setUp({ drawn: (id) => id === 'image-3' });
    thumbnails.want(idsFrom(0, 7));
    asked[0]!.answer();
    await turn();
    expect(ready).toEqual(['image-3']);
    expect(sizes()).toEqual([7, 1, 1, 1, 1]);
    asked[1]!.refuse();
    await turn();
    expect(asked.slice(5).map(({ ids }) => ids[0])).toEqual(['image-5']);
    for (const { answer } of asked) answer();
    await turn();
    for (const { answer } of asked) answer();
    await turn();
    thumbnails.want(idsFrom(0, 7));
    // That which was refused stays so.
    expect(ready.toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((i) => `image-${i}`));
    expect(asked).toHaveLength(7);
  });

  it('asks alone for each where the request for many fails', async () => {
    const { thumbnails, asked, ready } = setUp();
    thumbnails.want(['a', 'b']);
    asked[0]!.refuse();
    await turn();
    expect(asked.slice(1).map(({ ids }) => ids)).toEqual([['a'], ['b']]);
    asked[1]!.answer();
    await turn();
    expect(ready).toEqual(['a']);
  });

  it('cuts off a request of which nothing is wanted any more, and asks again when it is', async () => {
    const { thumbnails, asked, sizes } = setUp();
    thumbnails.want(['a', 'b']);
    thumbnails.want(['b', 'c']);
    expect(asked[0]!.aborted).toBe(false);
    thumbnails.want(['d']);
    expect(asked.map(({ aborted }) => aborted)).toEqual([true, true, false]);
    await turn();
    thumbnails.want(['a', 'b']);
    expect(sizes()).toEqual([2, 1, 1, 2]);
  });

  it('closes what makes room, and the rest at the end', async () => {
    const { thumbnails, asked, closed } = setUp({ capacity: 2 });
    thumbnails.want(['a', 'b', 'c']);
    asked[0]!.answer();
    await turn();
    thumbnails.want(['d']);
    asked[1]!.answer();
    await turn();
    expect(closed).toEqual(['a', 'b']);
    thumbnails.stop();
    expect(closed).toEqual(['a', 'b', 'c', 'd']);
  });

  it('has room for all that is wanted, however large the screen, and asks for none of it again', async () => {
    const { thumbnails, asked, closed } = setUp({ capacity: 2 });
    thumbnails.want(['x', 'y']);
    asked[0]!.answer();
    await turn();
    thumbnails.want(['y', 'a', 'b', 'c']);
    for (let i = 1; i < 10; i++) {
      asked.at(-1)!.answer();
      await turn();
    }
    expect(asked.length).toBeLessThan(5);
    expect(['y', 'a', 'b', 'c'].map((id) => thumbnails.get(id)?.id)).toEqual(['y', 'a', 'b', 'c']);
    expect(closed).toContain('x');
  });
});
