import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/usage-error.ts';
import { readDirectory } from '../../src/images/directory.ts';
import { encodeGrey } from '../../src/images/encode.ts';
import { readLabels } from '../../src/images/labels.ts';

let folder: string;
let images: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'segbench-directory-'));
  images = join(folder, 'plates', 'images');
  mkdirSync(join(images, 'well-b', 'deep'), { recursive: true });
  mkdirSync(join(folder, 'plates', 'labels'));
  mkdirSync(join(folder, 'empty'));
  const grey = await encodeGrey(new Uint8Array(16), 4, 4, 'png');
  for (const name of ['a.png', 'well-b/b.TIF', 'well-b/deep/c.jpeg', 'd.webp']) writeFileSync(join(images, name), grey);
  writeFileSync(join(images, 'notes.txt'), 'no image');
  writeFileSync(join(images, 'corrupt.png'), 'not a PNG');
  writeFileSync(join(folder, 'plates', 'labels', 'b.png'), grey);
  const manifest = [
    { id: 'a', split: 'train', kind: 'fluorescence', nuclei: 3, width: 4, height: 4 },
    { id: 'b', split: 'val', kind: 'fluorescence' },
    { id: 'c', split: 'val', kind: 'stained' },
  ];
  writeFileSync(join(folder, 'plates', 'manifest.json'), JSON.stringify(manifest));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('readDirectory', () => {
  it('lists images with their relative paths and names what it leaves out', async () => {
    const set = await readDirectory({ directory: images });
    expect(set.images.map((image) => image.name)).toEqual([
      'a.png',
      'corrupt.png',
      'd.webp',
      'well-b/b.TIF',
      'well-b/deep/c.jpeg',
    ]);
    expect(set.images.map((image) => image.mimeType.slice(6))).toEqual(['png', 'png', 'webp', 'tiff', 'jpeg']);
    expect(set.ignored).toEqual([{ name: 'notes.txt', reason: expect.stringContaining('png, jpg') as string }]);
    expect(set).toMatchObject({ source: 'directory', dataset: 'plates', split: null });
    expect(set.bytes).toBe(set.images.reduce((sum, image) => sum + image.sizeBytes, 0));
    expect(set.images.filter((image) => image.labelsPath !== null).map((image) => image.name)).toEqual([
      'well-b/b.TIF',
    ]);
    expect(set.images[0]).toMatchObject({ cells: 3, width: 4, height: 4 });
  });

  it('names images that cannot be read and keeps the others', async () => {
    const partly = join(folder, 'partly');
    mkdirSync(partly);
    writeFileSync(join(partly, 'good.png'), 'bytes');
    symlinkSync(join(folder, 'nowhere.png'), join(partly, 'broken-link.png'));
    const set = await readDirectory({ directory: partly });
    expect(set.images.map((image) => image.name)).toEqual(['good.png']);
    expect(set.unreadable).toEqual([
      { name: 'broken-link.png', code: 'UNREADABLE', message: expect.stringContaining('ENOENT') as string },
    ]);
  });

  it('keeps only the split, kind and count asked for', async () => {
    const val = await readDirectory({ directory: images, split: 'val' });
    expect(val.images.map((image) => image.name)).toEqual(['well-b/b.TIF', 'well-b/deep/c.jpeg']);
    const stained = await readDirectory({ directory: images, split: 'val', kind: 'stained' });
    expect(stained.images.map((image) => image.name)).toEqual(['well-b/deep/c.jpeg']);
    expect((await readDirectory({ directory: images, count: 2 })).images).toHaveLength(2);
  });

  it.each([
    [{ split: 'test' }, /--split "test".*allowed: train, val/],
    [{ kind: 'brightfield' }, /--kind "brightfield".*allowed: fluorescence, stained/],
    [{ split: 'train', kind: 'stained' }, /leaves no image/],
  ])('refuses %j and lists what is allowed', async (choice, message) => {
    const run = readDirectory({ directory: images, ...choice });
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toBeInstanceOf(UsageError);
  });

  it('refuses folders that are missing or hold no image', async () => {
    await expect(readDirectory({ directory: join(folder, 'nowhere') })).rejects.toThrow(
      /--images ".*nowhere" cannot be read/,
    );
    await expect(readDirectory({ directory: join(folder, 'empty') })).rejects.toThrow(
      /holds no image.*PNG, JPEG, TIFF, WebP/,
    );
  });

  it('says that there is no manifest when a split is asked for without one', async () => {
    const lone = join(folder, 'lone', 'images');
    mkdirSync(lone, { recursive: true });
    writeFileSync(join(lone, 'a.png'), 'x');
    await expect(readDirectory({ directory: lone, split: 'val' })).rejects.toThrow(/--split "val".*none.*manifest/);
  });
});

describe('readLabels', () => {
  it.each([8, 16])('gives back the numbers of a %i bit picture', async (bits) => {
    const values = Array.from({ length: 64 }, (_, at) => (at * 4) % 256);
    const pixels = bits === 8 ? Uint8Array.from(values) : Uint16Array.from(values);
    const path = join(folder, `labels-${bits}.png`);
    writeFileSync(path, await encodeGrey(pixels, 8, 8, 'png'));
    const labels = await readLabels(path);
    expect([...labels.data]).toEqual(values);
    expect([labels.width, labels.height]).toEqual([8, 8]);
  });

  it('names the file that cannot be read', async () => {
    await expect(readLabels(join(images, 'corrupt.png'))).rejects.toThrow(/labels .*corrupt\.png cannot be read/);
  });
});
