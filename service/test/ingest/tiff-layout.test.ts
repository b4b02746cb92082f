import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findMisreadLayout } from '../../src/ingest/tiff-layout.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tiff/${name}`, import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-tiff-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(['bands.tif', 'planar.tif', 'many.tif', 'deep.tif', 'float.tif', 'pages.tif', 'planes.ome.tif', 'big.tif'])(
  'lets %s pass',
  async (name) => expect(await findMisreadLayout(fixture(name))).toBeNull(),
);

it('names page and samples of what would be misread', async () => {
  expect(await findMisreadLayout(fixture('gray-planar.tif'))).toMatch(/^page 0 keeps 2 gray samples/);
});

it('ends, and finds nothing, in files that are cut or whose directories go in a circle', async () => {
  const whole = await readFile(fixture('pages.tif'));
  for (const length of [0, 4, 9, 20, whole.length - 1]) {
    const path = join(folder, `cut-${length}.tif`);
    await writeFile(path, whole.subarray(0, length));
    expect(await findMisreadLayout(path)).toBeNull();
  }
  const circle = Buffer.from(whole);
  const first = circle.readUInt32LE(4);
  circle.writeUInt32LE(first, first + 2 + 12 * circle.readUInt16LE(first));
  await writeFile(join(folder, 'circle.tif'), circle);
  expect(await findMisreadLayout(join(folder, 'circle.tif'))).toBeNull();
});
