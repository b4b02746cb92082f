import { describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { browseCalls } from '../../src/drivers/browse.ts';
import { rangesOf } from '../../src/drivers/downloads.ts';
import { parallel } from '../../src/drivers/parallel.ts';
import { multipartBody } from '../../src/drivers/upload.ts';

const MIB = 1024 * 1024;

describe('browseCalls', () => {
  const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`);
  const calls = browseCalls('p', ids, BULK_1000.phases.browse);

  it('sends the scenario’s number of requests, each distinct one at least 20 times', () => {
    const counts = new Map<string, number>();
    for (const { path } of calls) counts.set(path, (counts.get(path) ?? 0) + 1);
    expect(calls).toHaveLength(BULK_1000.phases.browse.requests);
    expect(counts.size).toBe(BULK_1000.phases.browse.pages + 2 * BULK_1000.phases.browse.distinctImages);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(20);
  });
  it('is the same for the same images', () => {
    expect(browseCalls('p', ids, BULK_1000.phases.browse)).toEqual(calls);
  });
});

describe('rangesOf', () => {
  it('covers every byte once, by 1 to 4 MiB', () => {
    const ranges = rangesOf(256 * MIB, 4 * MIB);
    let next = 0;
    for (const { first, last } of ranges) {
      expect(first).toBe(next);
      expect(last - first + 1).toBeLessThanOrEqual(4 * MIB);
      next = last + 1;
    }
    expect(next).toBe(256 * MIB);
    expect(ranges.length).toBeGreaterThan(64);
  });
});

describe('parallel', () => {
  it('keeps to its concurrency and does all', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await parallel([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      done.push(item);
    });
    expect([most, done.length]).toEqual([2, 5]);
  });
  it('starts nothing after an error, and throws it', async () => {
    const started: number[] = [];
    const run = parallel([1, 2, 3], 1, async (item) => {
      started.push(item);
      await Promise.resolve();
      if (item === 2) throw new Error('two');
    });
    await expect(run).rejects.toThrow('two');
    expect(started).toEqual([1, 2]);
  });
});

describe('multipartBody', () => {
  it('frames files as the parser of the platform reads them', async () => {
    const files = [
      { name: 'a/b "c".png', bytes: Buffer.from([1, 2, 3]) },
      { name: 'd.tif', bytes: Buffer.from('\r\n--x\r\n') },
    ];
    const body = multipartBody(files, 'x-y-z');
    const reply = new Response(new Uint8Array(body), {
      headers: { 'content-type': 'multipart/form-data; boundary=x-y-z' },
    });
    const parsed = (await reply.formData()).getAll('files') as File[];
    expect(parsed.map(({ type }) => type)).toEqual(['image/png', 'image/tiff']);
    const contents = await Promise.all(parsed.map(async (file) => Buffer.from(await file.arrayBuffer())));
    expect(contents).toEqual(files.map(({ bytes }) => bytes));
  });
});
