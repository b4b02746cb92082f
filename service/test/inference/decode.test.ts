import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeGray, prepareSharp } from '../../src/inference/decode.ts';

const [WIDTH, HEIGHT] = [24, 10];
const DEFAULTS = { channel: null, page: 0, maxPixels: 1e6 };
const noise = (length: number, range: number) =>
  Array.from({ length }, (_, i) => (Math.imul(i + 1, 2_654_435_761) >>> 8) % range);

let folder: string;
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-decode-'));
  prepareSharp();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const eight = (channels: 1 | 2 | 3 | 4, values = noise(WIDTH * HEIGHT * channels, 256)) => ({
  values,
  image: sharp(Uint8Array.from(values), { raw: { width: WIDTH, height: HEIGHT, channels } }),
});
const sixteen = (channels: 1 | 3) => {
  const values = noise(WIDTH * HEIGHT * channels, 65_536);
  const image = sharp(Uint16Array.from(values), { raw: { width: WIDTH, height: HEIGHT, channels } });
  return { values, image: image.toColourspace(channels === 1 ? 'grey16' : 'rgb16') };
};
/** Pillow's "L" (ITU-R 601 in 16.16 fixed point, Convert.c). */
const lumaOf = (values: number[], channels: number) =>
  Array.from({ length: values.length / channels }, (_, i) => {
    const [r, g, b] = values.slice(i * channels, i * channels + 3) as [number, number, number];
    return Number((BigInt(r) * 19595n + BigInt(g) * 38470n + BigInt(b) * 7471n + 0x8000n) >> 16n);
  });

describe('decodeGray', () => {
  it('keeps 8 bit gray as it is', async () => {
    const { values, image } = eight(1);
    await image.toColourspace('b-w').png().toFile(at('gray.png'));
    const decoded = await decodeGray(at('gray.png'), DEFAULTS);
    expect(decoded).toMatchObject({ width: WIDTH, height: HEIGHT });
    expect(decoded.data).toBeInstanceOf(Uint8Array);
    expect([...decoded.data]).toEqual(values);
  });

  it.each(['png', 'tiff'] as const)('keeps 16 bits of a gray %s', async (format) => {
    const { values, image } = sixteen(1);
    await image.toFormat(format, { compression: format === 'tiff' ? 'lzw' : undefined }).toFile(at(`gray16.${format}`));
    const { data } = await decodeGray(at(`gray16.${format}`), DEFAULTS);
    expect(data).toBeInstanceOf(Uint16Array);
    expect([...data]).toEqual(values);
  });

  it.each([3, 4] as const)('takes the luma of %i channels, alpha ignored', async (channels) => {
    const { values, image } = eight(channels);
    await image.png().toFile(at(`rgb${channels}.png`));
    expect([...(await decodeGray(at(`rgb${channels}.png`), DEFAULTS)).data]).toEqual(lumaOf(values, channels));
  });

  it('takes the luma of 16 bit colour in 16 bits', async () => {
    const { values, image } = sixteen(3);
    await image.png().toFile(at('rgb16.png'));
    expect([...(await decodeGray(at('rgb16.png'), DEFAULTS)).data]).toEqual(lumaOf(values, 3));
  });

  it('takes one channel when it is asked for', async () => {
    const { values, image } = eight(3);
    await image.webp({ lossless: true }).toFile(at('rgb.webp'));
    const { data } = await decodeGray(at('rgb.webp'), { ...DEFAULTS, channel: 2 });
    expect([...data]).toEqual(values.filter((_, i) => i % 3 === 2));
  });

  it('takes one page of a TIFF, and refuses one that is not there', async () => {
    // Two 2 x 1 pages, 8 bit gray, uncompressed, written by hand: sharp writes no pages of separate sizes.
    await writeFile(
      at('pages.tif'),
      tiffPages([
        [1, 2],
        [30, 40],
      ]),
    );
    expect([...(await decodeGray(at('pages.tif'), { ...DEFAULTS, page: 1 })).data]).toEqual([30, 40]);
    await expect(decodeGray(at('pages.tif'), { ...DEFAULTS, page: 2 })).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      retryable: false,
      message: 'page 2 of an image with 2: expected 0 to 1',
    });
  });

  it('keeps stored pixels whatever the EXIF orientation says', async () => {
    await eight(3).image.jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toFile(at('turned.jpg'));
    expect(await decodeGray(at('turned.jpg'), DEFAULTS)).toMatchObject({ width: WIDTH, height: HEIGHT });
  });

  it('names channel and count when the channel is not there', async () => {
    await eight(3).image.png().toFile(at('three.png'));
    await expect(decodeGray(at('three.png'), { ...DEFAULTS, channel: 3 })).rejects.toThrow(
      'channel 3 of an image with 3: expected 0 to 2',
    );
  });

  it('refuses more pixels than allowed before decoding them', async () => {
    await eight(1).image.png().toFile(at('large.png'));
    await expect(decodeGray(at('large.png'), { ...DEFAULTS, maxPixels: 100 })).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      message: '24 x 10 pixels: at most 100 are allowed',
    });
  });

  it.each([
    ['a cut file', 'cut.png', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['SVG', 'drawing.svg', () => '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['GIF', 'pixel.gif', () => Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')],
    ['text', 'note.png', () => 'not a picture'],
    ['an empty file', 'empty.png', () => ''],
  ])('refuses %s', async (_, name, contents) => {
    await eight(3).image.png({ compressionLevel: 0 }).toFile(at('whole.png'));
    await writeFile(at(name), contents(await readFile(at('whole.png'))));
    await expect(decodeGray(at(name), DEFAULTS)).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });

  it('does not blame the image when its file is gone', async () => {
    await expect(decodeGray(at('missing.png'), DEFAULTS)).rejects.toMatchObject({ code: 'UNKNOWN', retryable: true });
  });
});

/** Little-endian TIFF 6.0: a header, then for each page its directory of eight entries and its one strip. */
function tiffPages(pages: number[][]): Buffer {
  const pageBytes = 2 + 8 * 12 + 4 + 4;
  const out = Buffer.alloc(8 + pages.length * pageBytes);
  out.write('II*\0', 'latin1');
  out.writeUInt32LE(8, 4);
  pages.forEach((pixels, i) => {
    const start = 8 + i * pageBytes;
    const strip = start + pageBytes - 4;
    const entries = [
      [256, pixels.length],
      [257, 1],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, strip],
      [278, 1],
      [279, pixels.length],
    ] as const;
    out.writeUInt16LE(entries.length, start);
    entries.forEach(([tag, value], entry) => {
      const offset = start + 2 + entry * 12;
      out.writeUInt16LE(tag, offset);
      out.writeUInt16LE(4, offset + 2);
      out.writeUInt32LE(1, offset + 4);
      out.writeUInt32LE(value, offset + 8);
    });
    out.writeUInt32LE(i === pages.length - 1 ? 0 : start + pageBytes, start + 2 + entries.length * 12);
    pixels.forEach((value, x) => out.writeUInt8(value, strip + x));
  });
  return out;
}
