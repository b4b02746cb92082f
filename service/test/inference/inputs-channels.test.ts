import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { eight, prepareInputs, row, SCENE, scene, sixteen } from './inputs-kit.ts';
import { tiffOf, type TiffPage } from './tiff.ts';

const { inspect, segment, cellsOf, decoded } = prepareInputs();
const LUMA = { red: 76, green: 150, blue: 29, gray: 9 };
const COLOURS = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];

describe('channels, pages, and what a file says about its pixels', () => {
  it('RGB', async () => {
    const png = await eight(COLOURS, 3).png().toBuffer();
    expect(await decoded(png)).toEqual(Object.values(LUMA));
    expect(await decoded(png, { channel: 1 })).toEqual([0, 255, 0, 9]);
    expect(await decoded(row(COLOURS, { samplesPerPixel: 3, photometric: 2 }))).toEqual(Object.values(LUMA));
  });

  it('RGB of 16 bit', async () => {
    const deep = row([65_535, 0, 0, 0, 65_535, 0, 0, 0, 65_535], { samplesPerPixel: 3, photometric: 2, bits: 16 });
    expect(await decoded(deep)).toEqual([19_595, 38_469, 7471]);
  });

  it('RGBA', async () => {
    const transparent = [255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 255, 3, 9, 9, 9, 0];
    expect(await decoded(await eight(transparent, 4).png().toBuffer())).toEqual(Object.values(LUMA));
    const tiff = row(transparent, { samplesPerPixel: 4, photometric: 2, extraSamples: [2] });
    expect(await decoded(tiff)).toEqual(Object.values(LUMA));
    expect(await decoded(tiff, { channel: 3 })).toEqual([0, 255, 3, 0]);
  });

  it('premultiplied RGBA', async () => {
    const half = row([100, 50, 20, 128, 9, 9, 9, 255], { samplesPerPixel: 4, photometric: 2, extraSamples: [1] });
    // (100, 50, 20) / (128 / 255) = (199, 99.6, 39.8)
    expect(await decoded(half)).toEqual([Math.round(199 * 0.299 + 99 * 0.587 + 39 * 0.114), 9]);
  });

  it('gray and alpha', async () => {
    const values = [0, 255, 10, 255, 200, 0, 255, 128];
    expect(await decoded(await eight(values, 2).toColourspace('b-w').png().toBuffer())).toEqual([0, 10, 200, 255]);
    expect(await decoded(row(values, { samplesPerPixel: 2, extraSamples: [2] }))).toEqual([0, 10, 200, 255]);
    const deep = await sixteen([0, 65_535, 300, 0, 65_535, 7], 2).toColourspace('grey16').png().toBuffer();
    expect(await decoded(deep)).toEqual([0, 300, 65_535]);
  });

  it('palette', async () => {
    const png = await eight(COLOURS, 3).png({ palette: true }).toBuffer();
    expect(await sharp(png).metadata()).toMatchObject({ isPalette: true });
    expect(await decoded(png)).toEqual(Object.values(LUMA));
    const colourMap = Array.from({ length: 768 }, (_, i) => (i === 1 ? 65_535 : i === 256 + 2 ? 65_535 : 0));
    expect(await decoded(row([0, 1, 2], { photometric: 3, colourMap }))).toEqual([0, LUMA.red, LUMA.green]);
  });

  it('CMYK', async () => {
    const cmyk = row([0, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 0], { samplesPerPixel: 4, photometric: 5 });
    const [white, black, red] = await decoded(cmyk);
    expect([white! > 240, black! < 60, red! > 50 && red! < 130]).toEqual([true, true, true]);
    expect(await inspect(cmyk)).toMatchObject({ channels: 3 });
    await expect(decoded(cmyk, { channel: 3 })).rejects.toThrow('channel 3 of an image with 3');
  });

  it('more gray bands', async () => {
    for (const bits of [8, 16] as const) {
      const five = row([1, 2, 3, 4, 5, 11, 12, 13, 14, 15], { samplesPerPixel: 5, bits, extraSamples: [0, 0, 0, 0] });
      expect(await inspect(five)).toMatchObject({ channels: 5 });
      expect(await decoded(five)).toEqual([1, 11]);
      expect(await decoded(five, { channel: 3 })).toEqual([4, 14]);
    }
  });

  it('several pages', async () => {
    const pages = tiffOf(
      { width: 2, height: 1, samples: [1, 2] },
      { width: 3, height: 1, samples: [7, 8, 9], bits: 16 },
    );
    expect(await inspect(pages)).toMatchObject({ pages: 2, width: 2 });
    expect(await decoded(pages)).toEqual([1, 2]);
    expect(await decoded(pages, { page: 1 })).toEqual([7, 8, 9]);
  });

  it('a page or channel that is not there', async () => {
    const one = row([1, 2]);
    const says = (message: string) => ({ code: 'INVALID_IMAGE', message });
    await expect(decoded(one, { page: 1 })).rejects.toMatchObject(says('page 1 of an image with 1: expected 0 to 0'));
    await expect(decoded(one, { channel: 2 })).rejects.toMatchObject(
      says('channel 2 of an image with 1: expected 0 to 0'),
    );
  });

  it('MinIsWhite', async () => {
    const white = { photometric: 0 } as const;
    expect(await decoded(row([0, 10, 255], white))).toEqual([255, 245, 0]);
    expect(await decoded(row([0, 10, 65_535], { ...white, bits: 16 }))).toEqual([65_535, 65_525, 0]);
    expect(await decoded(row([0, 1, 1], { ...white, bits: 1 }))).toEqual([255, 0, 0]);
    const order = async (rest: Partial<TiffPage>) => {
      const [least, middle, most] = await decoded(row([1, 50, 100], { ...white, ...rest }));
      return [least! - middle!, middle! - most!];
    };
    for (const rest of [
      { bits: 8, sampleFormat: 2 },
      { bits: 16, sampleFormat: 2 },
      { bits: 32 },
      { bits: 32, sampleFormat: 2 },
      { bits: 32, sampleFormat: 3 },
    ] as const)
      expect(await order(rest)).toEqual([49, 50]);
    // A fluorescence image that was stored with white as its least value is found as it would be otherwise.
    for (const [bits, top] of [
      [8, 255],
      [16, 4095],
    ] as const) {
      const turned = Array.from(scene(), (value) => top - value * (top > 255 ? 16 : 1));
      expect(await cellsOf(tiffOf({ ...SCENE, samples: turned, bits, ...white }))).toBe(2);
    }
    // Of two pages, each is what it says.
    const pages = tiffOf(
      { width: 2, height: 1, samples: [0.5, 1], bits: 32, sampleFormat: 3 },
      { width: 2, height: 1, samples: [0.5, 1], bits: 32, sampleFormat: 3, photometric: 0 },
    );
    expect([await decoded(pages), await decoded(pages, { page: 1 })]).toEqual([
      [0.5, 1],
      [-0.5, -1],
    ]);
  });

  it('inverted in its pixels', async () => {
    const turned = scene().map((value) => 255 - value);
    const bytes = tiffOf({ ...SCENE, samples: turned });
    expect(await decoded(bytes)).toEqual([...turned]);
    expect(await segment(bytes)).toMatchObject({ warnings: ['UNLIKE_TRAINING_DATA'] });
    expect(await segment(tiffOf({ ...SCENE, samples: turned, photometric: 0 }))).toMatchObject({ warnings: [] });
  });

  it('a colour profile', async () => {
    const plain = await eight(COLOURS, 3).png().toBuffer();
    const tagged = await sharp(plain).keepIccProfile().withIccProfile('p3', { attach: true }).png().toBuffer();
    expect((await sharp(tagged).metadata()).icc).toBeDefined();
    const stored = await sharp(tagged, { ignoreIcc: true } as object)
      .raw()
      .toBuffer();
    expect(await decoded(tagged, { channel: 0 })).toEqual([...stored].filter((_, i) => i % 3 === 0));
  });

  it('EXIF or TIFF orientation', async () => {
    const samples = [1, 2, 3, 4, 5, 6];
    for (const orientation of [3, 6, 8]) {
      const turned = tiffOf({ width: 3, height: 2, samples, orientation });
      expect(await inspect(turned)).toMatchObject({ width: 3, height: 2 });
      expect(await decoded(turned)).toEqual(samples);
    }
    const jpeg = await eight(
      Array.from({ length: 40 * 3 }, () => 90),
      3,
    )
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await inspect(jpeg)).toMatchObject({ width: 40, height: 1 });
  });
});
