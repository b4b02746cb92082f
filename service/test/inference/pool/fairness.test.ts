import { expect, it } from 'vitest';
import { scriptedPool } from './scripted.ts';

/**
 * Executes images on workers that take so many ms for one, by a clock that goes on when all of them are busy or have nothing left.
 * @returns images by worker
 */
async function race(msOf: readonly number[], images: number, maxBatch: number): Promise<number[]> {
  const running: { at: number; end: () => void }[] = [];
  const ran: string[][] = msOf.map(() => []);
  let now = 0;
  const { infer } = scriptedPool(
    (ids, executor) =>
      new Promise((resolve) => {
        ran[executor]!.push(...ids);
        running.push({ at: now + msOf[executor]! * ids.length, end: () => resolve(undefined) });
      }),
    { executors: msOf.length, maxBatch },
  );
  const ids = Array.from({ length: images }, (_, i) => String(i));
  const all = Promise.all(ids.map((id) => infer(id)));
  while (running.length > 0) {
    running.sort((a, b) => a.at - b.at);
    const { at, end } = running.shift()!;
    now = at;
    end();
    // by then that worker has its next batch
    await new Promise(setImmediate);
  }
  expect(await all).toHaveLength(images);
  expect(ran.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual(ids);
  return ran.map(({ length }) => length);
}

it.each([
  [[1, 3], 400, 1],
  [[1, 3], 400, 4],
  [[7, 1, 2], 1150, 8],
  [[5, 5], 100, 1],
])(
  'workers of %j ms an image share %i images by their speeds, batches of %i, and lose none',
  async (msOf, images, maxBatch) => {
    const shares = await race(msOf, images, maxBatch);
    const speed = msOf.reduce((sum, ms) => sum + 1 / ms, 0);
    const off = shares.map((share, i) => Math.abs(share - images / msOf[i]! / speed));
    // one batch more or less at each end
    expect(Math.max(...off)).toBeLessThanOrEqual(maxBatch + 1);
  },
);
