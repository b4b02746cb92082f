import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import { eight, MODEL, prepareInputs, REQUEST, row, SCENE, scene, sixteen } from './inputs-kit.ts';
import { discs } from './shapes.ts';
import { tiffOf } from './tiff.ts';

const { save, inspect, segment, cellsOf, decoded, threshold } = prepareInputs();
const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#000' } })
    .toColourspace('b-w')
    .png({ compressionLevel: 1 })
    .toBuffer();

it('docs/inputs.md has a row for each test here and in inputs-channels.test.ts, and no other', async () => {
  const read = (...at: string[]) => readFile(path.join(import.meta.dirname, ...at), 'utf8');
  const rows = [...(await read('../../../docs/inputs.md')).matchAll(/^\| (.+?) +\|/gm)].map(([, name]) => name!);
  const source = (await read('inputs.test.ts')) + (await read('inputs-channels.test.ts'));
  const tests = [...source.matchAll(/^ {2}it\('(.+?)'/gm)].map(([, name]) => name);
  expect(rows.filter((name) => name !== 'input' && !/^-+$/.test(name))).toEqual(tests);
});

describe('formats, limits and depths', () => {
  it('PNG, JPEG, TIFF, WebP', async () => {
    for (const format of ['png', 'jpeg', 'tiff', 'webp'] as const) {
      const image = sharp(scene(), { raw: { ...SCENE, channels: 1 } }).toColourspace('b-w');
      const bytes = await image.toFormat(format, { quality: 95 }).toBuffer();
      expect(await inspect(bytes)).toMatchObject({ mimeType: `image/${format}`, ...SCENE });
      expect(await cellsOf(bytes)).toBe(2);
    }
  });

  it('another format', async () => {
    for (const text of ['GIF89a----------', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.4 0123456789'])
      expect(await inspect(text)).toMatchObject({ code: 'UNSUPPORTED_TYPE' });
  });

  it('a file that is cut or damaged', async () => {
    for (const format of ['png', 'jpeg', 'tiff', 'webp'] as const) {
      const noise = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24);
      const whole = await sharp(noise, { raw: { width: 96, height: 64, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      expect(await inspect(whole.subarray(0, Math.floor(whole.length * 0.6)))).toMatchObject({ code: 'INVALID_IMAGE' });
    }
    // The second page's strip lies behind the end of the file.
    const pages = tiffOf(...[0, 1].map(() => ({ width: 2, height: 1, samples: [1, 2] })));
    const second = pages.indexOf(Buffer.from([1, 2]), pages.indexOf(Buffer.from([1, 2])) + 2);
    const at = pages.lastIndexOf(Buffer.from([17, 1, 4, 0, 1, 0, 0, 0]));
    pages.writeUInt32LE(second + 1e6, at + 8);
    expect(await decoded(pages)).toEqual([1, 2]);
    await expect(decoded(pages, { page: 1 })).rejects.toMatchObject({ code: 'INVALID_IMAGE' });
  });

  it('1 x 1 to 16 x 16, and 15 x 300', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 9],
      [8, 8],
      [16, 16],
      [15, 300],
      [300, 15],
    ] as const) {
      const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 251);
      const bytes = await sharp(data, { raw: { width, height, channels: 1 } })
        .toColourspace('b-w')
        .png()
        .toBuffer();
      expect(await inspect(bytes)).toMatchObject({ width, height });
      const output = await segment(bytes);
      expect(output).toMatchObject({ imageWidth: width, imageHeight: height });
    }
    // One disc fills most of 16 x 16, and is found.
    const disc = sharp(discs(16, 16, [[8, 8, 7]]), { raw: { width: 16, height: 16, channels: 1 } });
    expect(await cellsOf(await disc.toColourspace('b-w').png().toBuffer(), threshold())).toBe(1);
  });

  it('up to 64 megapixels', async () => {
    const [side, spacing] = [8000, 500];
    const data = new Uint8Array(side * side);
    const bar = new Uint8Array(40).fill(200);
    for (let cy = 250; cy < side; cy += spacing)
      for (let cx = 250; cx < side; cx += spacing) for (let y = cy; y < cy + 30; y++) data.set(bar, y * side + cx);
    const bytes = await sharp(data, { raw: { width: side, height: side, channels: 1 } })
      .toColourspace('b-w')
      .png({ compressionLevel: 1 })
      .toBuffer();
    expect(await inspect(bytes)).toMatchObject({ width: side, height: side });
    expect(await cellsOf(bytes, threshold())).toBe((side / spacing) ** 2);
  });

  it('more than that', async () => {
    const bytes = await blank(8001, 8000);
    expect(await inspect(bytes)).toEqual({
      code: 'IMAGE_TOO_LARGE',
      message: '8001 x 8000 pixels: at most 64000000 are allowed',
    });
    const pool = createLocalPool({ workers: 1, modelDir: MODEL, provider: 'cpu', timeoutMs: 30_000 });
    await pool.load();
    const pages = tiffOf(
      { width: 1, height: 1, samples: [1] },
      { width: 8001, height: 8000, samples: new Uint8Array(8001 * 8000) },
    );
    for (const [one, page] of [
      [bytes, 0],
      [pages, 1],
    ] as const) {
      const request = {
        id: 'a',
        sha256: '0'.repeat(64),
        width: 8001,
        height: 8000,
        modelDir: MODEL,
        priority: 0,
        ...REQUEST,
        page,
        file: await save(one),
      };
      await expect(pool.infer(request, { deadlineMs: 30_000 })).rejects.toMatchObject({
        code: 'INVALID_IMAGE',
        retryable: false,
        message: '8001 x 8000 pixels: at most 64000000 are allowed',
      });
    }
    await pool.close();
  });

  it('8 bit', async () => {
    expect(await decoded(row([0, 10, 200, 255]))).toEqual([0, 10, 200, 255]);
  });
  it('16 bit, full range', async () => {
    expect(await decoded(row([0, 1, 40_000, 65_535], { bits: 16 }))).toEqual([0, 1, 40_000, 65_535]);
    const png = await sixteen([0, 1, 40_000, 65_535], 1).toColourspace('grey16').png().toBuffer();
    expect(await decoded(png)).toEqual([0, 1, 40_000, 65_535]);
  });

  it('12 bit data in 16', async () => {
    const deep = Array.from(scene(), (value) => value * 16);
    const bytes = tiffOf({ ...SCENE, samples: deep, bits: 16 });
    expect(Math.max(...(await decoded(bytes)))).toBeLessThan(4096);
    expect(await cellsOf(bytes)).toBe(2);
  });

  it('1, 2 and 4 bit', async () => {
    expect(await decoded(row([0, 1, 1, 0, 1], { bits: 1 }))).toEqual([0, 255, 255, 0, 255]);
    expect(await decoded(row([0, 1, 2, 3], { bits: 2 }))).toEqual([0, 85, 170, 255]);
    expect(await decoded(row([0, 1, 7, 15], { bits: 4 }))).toEqual([0, 17, 119, 255]);
    const png = await eight([0, 255, 255, 0], 1).toColourspace('b-w').png({ palette: true, colours: 2 }).toBuffer();
    expect(await decoded(png)).toEqual([0, 255, 255, 0]);
  });

  it('signed 8 bit', async () => {
    expect(await decoded(row([-128, -1, 0, 127], { sampleFormat: 2 }))).toEqual([-128, -1, 0, 127]);
  });

  it('signed 16 bit', async () => {
    const signed = { bits: 16, sampleFormat: 2 } as const;
    expect(await decoded(row([-32_768, -1, 0, 32_767], signed))).toEqual([0, 32_767, 32_768, 65_535]);
    const colours = row([-32_768, -32_768, -32_768, 5, 5, 5], { ...signed, samplesPerPixel: 3, photometric: 2 });
    expect(await decoded(colours)).toEqual([0, 32_773]);
    const bands = row([-7, 1, 300, 2], { ...signed, samplesPerPixel: 2, extraSamples: [0] });
    expect(await decoded(bands)).toEqual([0, 300]);
  });

  it('32 bit integers', async () => {
    const near = [4_000_000_000, 4_000_000_001, 4_000_000_002];
    expect(await decoded(row(near, { bits: 32 }))).toEqual([0, 1, 2]);
    expect(await decoded(row([-5, 0, 70_000], { bits: 32, sampleFormat: 2 }))).toEqual([0, 5, 70_005]);
  });

  it('32 bit float', async () => {
    expect(await decoded(row([-1.5, 0.25, 1e6, NaN], { bits: 32, sampleFormat: 3 }))).toEqual([-1.5, 0.25, 1e6, NaN]);
    const scaled = Array.from(scene(), (value, i) => (i % 97 === 0 && value < 100 ? NaN : value * 1e-4));
    expect(await cellsOf(tiffOf({ ...SCENE, samples: scaled, bits: 32, sampleFormat: 3 }))).toBe(2);
  });

  it('64 bit float', async () => {
    expect(await inspect(row([0, 1], { bits: 64, sampleFormat: 3 }))).toMatchObject({ code: 'INVALID_IMAGE' });
  });
});
