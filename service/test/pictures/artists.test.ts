import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Polygon } from '#contract/results.ts';
import { createArtists, type Artists, type ArtistsOptions } from '../../src/pictures/artists.ts';
import { draw, type Drawing } from '../../src/pictures/draw.ts';
import { MAX_SIDE } from '../../src/pictures/formats.ts';
import { until } from '../batches/fixture.ts';

/** MAX_IMAGE_PIXELS as it is by default: the largest image that an upload may bring. */
const LARGEST_SIDE = 8000;
const LIMITS = { memoryBytes: 2 ** 30, cpuSeconds: 60 };
const FAULTY = join(import.meta.dirname, 'faulty-child.ts');

let folder: string;
let largest: string;
const opened: Artists[] = [];
const hire = (options: Partial<ArtistsOptions> = {}) => {
  const artists = createArtists({ workers: 2, queue: 100, timeoutMs: 60_000, limits: LIMITS, ...options });
  opened.push(artists);
  return artists;
};
const render = (width: number, file = largest): Drawing => ({
  kind: 'render',
  file,
  width,
  height: undefined,
  quality: undefined,
  format: 'png',
  maxPixels: LARGEST_SIDE ** 2,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-artists-'));
  largest = join(folder, 'largest.png');
  const size = { width: LARGEST_SIDE, height: LARGEST_SIDE, channels: 3 as const };
  await sharp({ create: { ...size, background: { r: 90, g: 40, b: 10 } } })
    .png({ compressionLevel: 1 })
    .toFile(largest);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((artists) => artists.close()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As many cells as a dense image of the largest size has. */
function cells(count: number): Uint8Array {
  const perRow = Math.ceil(Math.sqrt(count));
  const step = LARGEST_SIDE / perRow;
  const radius = step * 0.45;
  const all = Array.from({ length: count }, (_, index): Polygon => {
    const [x, y] = [((index % perRow) + 0.5) * step, (Math.floor(index / perRow) + 0.5) * step];
    const points = Array.from({ length: 80 }, (__, at) => {
      const angle = (Math.floor(at / 2) / 40) * 2 * Math.PI;
      return Math.round(at % 2 === 0 ? x + radius * Math.cos(angle) : y + radius * Math.sin(angle));
    });
    return { id: index + 1, type: 'external', parentId: null, points, area: 1, bbox: [0, 0, 1, 1], confidence: 1 };
  });
  return encodePolygons(all);
}
const overlay = (polygons: Uint8Array, side: number): Drawing => ({
  kind: 'overlay',
  polygons,
  width: side,
  height: side,
  scale: side / LARGEST_SIDE,
  format: 'png',
});

/** CPU time of this whole process, its thread pools included. */
async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('drawing', () => {
  it('costs the process that answers requests less than a fifth of what it costs in its own loop', async () => {
    const polygons = cells(4000);
    const works = [render(1000), render(900), overlay(polygons, MAX_SIDE), overlay(polygons, 3000)];
    const artists = hire();
    // The children start before: that cost is theirs as well, and comes once.
    await Promise.all([artists.draw(render(4)), artists.draw(render(5))]);
    const away = await cpuMsOf(() => Promise.all(works.map((work) => artists.draw(work))));
    const here = await cpuMsOf(async () => {
      for (const work of works) await draw(work);
    });
    const { drawn, cpuMs, processes } = artists.stats();
    process.stdout.write(
      `drawing: ${away.toFixed(0)} ms of CPU beside ${here.toFixed(0)} ms in the loop; children used ${cpuMs.toFixed(0)} ms\n`,
    );
    expect({ drawn, processes }).toEqual({ drawn: 6, processes: 2 });
    expect(cpuMs).toBeGreaterThan(here / 4);
    expect(away).toBeLessThan(here / 5);
  });

  it('makes the whole of the largest image without ever holding its pixels, and parts of it', async () => {
    const artists = hire({ workers: 1 });
    const whole = join(folder, 'whole.tif');
    await artists.draw({ kind: 'whole', file: largest, to: whole, maxPixels: LARGEST_SIDE ** 2 });
    const region = [LARGEST_SIDE - 900, LARGEST_SIDE - 600, 900, 600] as const;
    const encoding = { width: 300, height: undefined, quality: undefined, format: 'png' } as const;
    const part = await artists.draw({ kind: 'region', whole, region, ...encoding });
    const { width, height } = await sharp(part).metadata();
    expect([width, height]).toEqual([300, 200]);
    const status = await readFile(`/proc/${artists.stats().pids[0]}/status`, 'utf8');
    const peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1024;
    process.stdout.write(`the whole of ${LARGEST_SIDE}²: ${(peakBytes / 1e6).toFixed(0)} MB\n`);
    // Its pixels alone are 192 MB; a process that draws has 70 MB before it does.
    expect(peakBytes).toBeLessThan(230e6);
  });

  it('refuses what is over the bound of the queue, and says when to come again', async () => {
    const artists = hire({ workers: 1, queue: 2 });
    const drawings = [10, 11, 12, 13, 14].map((width) => artists.draw(render(width)));
    const settled = await Promise.allSettled(drawings);
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(settled[3]).toMatchObject({
      reason: { code: 'PICTURES_BUSY', statusCode: 503, headers: { 'retry-after': '2' } },
    });
    expect(artists.stats()).toMatchObject({ drawn: 3, refused: 2, waiting: 0, processes: 1 });
  });

  it('gives up a picture that takes too long, with its process, and draws the next', async () => {
    const artists = hire({ workers: 1, timeoutMs: 1500, module: FAULTY });
    await expect(artists.draw(render(1))).rejects.toMatchObject({ code: 'PICTURE_FAILED', statusCode: 503 });
    expect((await artists.draw(render(7))).toString()).toBe('7');
    expect(artists.stats()).toMatchObject({ killed: 1, failed: 1, drawn: 1 });
  });

  it('loses only the picture whose process dies', async () => {
    const artists = hire({ workers: 1, module: FAULTY });
    const [dead, next] = await Promise.allSettled([artists.draw(render(2)), artists.draw(render(8))]);
    expect(dead).toMatchObject({ status: 'rejected', reason: { code: 'PICTURE_FAILED' } });
    expect(next).toMatchObject({ status: 'fulfilled' });
  });

  it('gives the memory of idle processes back', async () => {
    const artists = hire({ idleMs: 50, module: FAULTY });
    await artists.draw(render(9));
    await until(() => artists.stats().processes === 0);
    expect((await artists.draw(render(9))).toString()).toBe('9');
  });

  it('leaves no process behind when its own is killed, also not one that draws', async () => {
    const script = `
      const { createArtists } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/pictures/artists.ts'))});
      const artists = createArtists({ workers: 1, queue: 1, timeoutMs: 60_000, limits: ${JSON.stringify(LIMITS)}, module: ${JSON.stringify(FAULTY)} });
      const drawn = await artists.draw({ kind: 'render', width: 3 });
      void artists.draw({ kind: 'render', width: 4 });
      process.stdout.write(drawn.toString() + ' ' + artists.stats().pids.join());`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const [drawn, pid] = said.toString().split(' ').map(Number);
    const isThere = () => {
      try {
        return process.kill(pid!, 0);
      } catch {
        return false;
      }
    };
    expect([drawn, isThere()]).toEqual([3, true]);
    parent.kill('SIGKILL');
    await until(() => !isThere());
  });

  it('refuses decompression bombs, damaged and missing files by name', async () => {
    const artists = hire();
    const bomb = join(folder, 'bomb.png');
    await sharp({ create: { width: 16_383, height: 16_383, channels: 3, background: 'black' } })
      .toColourspace('b-w')
      .png({ compressionLevel: 6 })
      .toFile(bomb);
    const damaged = join(folder, 'damaged.png');
    await writeFile(damaged, (await sharp(largest).resize(300).png().toBuffer()).subarray(0, 300));
    const svg = join(folder, 'a.svg');
    await writeFile(svg, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(artists.draw(render(10, bomb))).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE', statusCode: 422 });
    await expect(artists.draw(render(10, damaged))).rejects.toMatchObject({ code: 'IMAGE_DAMAGED' });
    await expect(artists.draw(render(10, svg))).rejects.toMatchObject({ code: 'IMAGE_DAMAGED' });
    await expect(artists.draw(render(10, join(folder, 'none')))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
