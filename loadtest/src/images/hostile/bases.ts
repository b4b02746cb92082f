import sharp, { type Sharp } from 'sharp';

/** A file that a reader of its format takes. */
export interface Base {
  name: string;
  format: 'png' | 'jpeg' | 'tiff' | 'webp';
  bytes: Buffer;
}

const WIDTH = 48;
const HEIGHT = 40;

function pixels(channels: 1 | 2 | 3 | 4, height = HEIGHT): Sharp {
  const data = Buffer.from(
    Array.from({ length: WIDTH * height * channels }, (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 13) & 255),
  );
  return sharp(data, { raw: { width: WIDTH, height, channels } });
}
const gray16 = () =>
  sharp(
    new Uint16Array(WIDTH * HEIGHT).map((_, at) => (at * 977) & 0xffff),
    { raw: { width: WIDTH, height: HEIGHT, channels: 1 } },
  ).toColourspace('grey16');
/** Frames below each other, as sharp takes an animation; no two alike, or an encoder makes one of them. */
function frames(count: number): Sharp {
  const data = Buffer.from(
    Array.from({ length: WIDTH * HEIGHT * count * 3 }, (_, at) => (at * (1 + (at >> 13))) & 255),
  );
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT * count, channels: 3, pageHeight: HEIGHT } });
}

const MAKERS: [string, Base['format'], () => Sharp][] = [
  ['gray', 'png', () => pixels(1).toColourspace('b-w').png()],
  ['gray and alpha', 'png', () => pixels(2).png()],
  ['RGB', 'png', () => pixels(3).png()],
  ['RGBA', 'png', () => pixels(4).png()],
  ['palette', 'png', () => pixels(3).png({ palette: true, colours: 16 })],
  ['16 bit', 'png', () => gray16().png()],
  ['interlaced', 'png', () => pixels(3).png({ progressive: true })],
  [
    'with a profile and EXIF',
    'png',
    () =>
      pixels(3)
        .withIccProfile('srgb')
        .withExif({ IFD0: { Copyright: 'x' } })
        .png(),
  ],
  ['gray', 'jpeg', () => pixels(1).toColourspace('b-w').jpeg()],
  ['RGB', 'jpeg', () => pixels(3).jpeg()],
  ['progressive', 'jpeg', () => pixels(3).jpeg({ progressive: true })],
  ['CMYK', 'jpeg', () => pixels(3).toColourspace('cmyk').jpeg()],
  ['4:4:4, optimised', 'jpeg', () => pixels(3).jpeg({ chromaSubsampling: '4:4:4', optimiseCoding: true })],
  [
    'with a profile and EXIF',
    'jpeg',
    () =>
      pixels(3)
        .withIccProfile('p3')
        .withExif({ IFD0: { Make: 'x' } })
        .jpeg(),
  ],
  ['gray', 'tiff', () => pixels(1).toColourspace('b-w').tiff({ compression: 'none' })],
  ['RGB, LZW', 'tiff', () => pixels(3).tiff({ compression: 'lzw' })],
  ['16 bit, deflate, predictor', 'tiff', () => gray16().tiff({ compression: 'deflate', predictor: 'horizontal' })],
  ['JPEG inside', 'tiff', () => pixels(3).tiff({ compression: 'jpeg' })],
  ['tiles', 'tiff', () => pixels(3).tiff({ tile: true, tileWidth: 16, tileHeight: 16, compression: 'packbits' })],
  [
    'pyramid',
    'tiff',
    () => pixels(3).tiff({ tile: true, pyramid: true, tileWidth: 16, tileHeight: 16, compression: 'deflate' }),
  ],
  ['1 bit, CCITT', 'tiff', () => pixels(1).toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 })],
  ['BigTIFF', 'tiff', () => pixels(3).tiff({ bigtiff: true, compression: 'deflate' })],
  ['several pages', 'tiff', () => frames(3).tiff({ compression: 'deflate' })],
  ['lossy', 'webp', () => pixels(3).webp()],
  ['lossless', 'webp', () => pixels(3).webp({ lossless: true })],
  ['lossy with alpha', 'webp', () => pixels(4).webp()],
  ['moving', 'webp', () => frames(3).webp({ loop: 0, delay: [40, 40, 40] })],
  [
    'with a profile and EXIF',
    'webp',
    () =>
      pixels(3)
        .withIccProfile('srgb')
        .withExif({ IFD0: { Make: 'x' } })
        .webp(),
  ],
];

/** One of each kind of file that uploads may be; the same bytes each time. */
export const hostileBases = (): Promise<Base[]> =>
  Promise.all(
    MAKERS.map(async ([what, format, make]) => ({
      name: `${format.toUpperCase()}, ${what}`,
      format,
      bytes: await make().toBuffer(),
    })),
  );
