import sharp, { type Sharp } from 'sharp';
import { decodePolygons } from '#contract/polygons-format.ts';
import { MAX_SIDE, type MaskFormat, type PictureFormat } from './formats.ts';
import { rasterise } from './raster.ts';

/** Part of a picture: left, top, width and height in its pixels. */
export type Region = readonly [left: number, top: number, width: number, height: number];

interface Encoding {
  /** What it must fit into; never enlarged. */
  width: number | undefined;
  height: number | undefined;
  quality: number | undefined;
  format: PictureFormat;
}
/** What is drawn: a picture of a file, the whole of it as a file of tiles, a part of that, or the mask of a result. Sent to a child as it is. */
export type Drawing =
  | ({ kind: 'render'; file: string; maxPixels: number } & Encoding)
  | { kind: 'whole'; file: string; to: string; maxPixels: number }
  | ({ kind: 'region'; whole: string; region: Region } & Encoding)
  | { kind: 'overlay'; polygons: Uint8Array; width: number; height: number; scale: number; format: MaskFormat };

/** Lossy formats at a quality where thumbnails of cells show no blocks; AVIF with its quickest search. */
const QUALITY = { webp: 80, avif: 55, jpeg: 82, png: 100 } as const;

function encoded(image: Sharp, format: PictureFormat, quality: number): Sharp {
  switch (format) {
    case 'webp':
      return image.webp({ quality, effort: 2 });
    case 'avif':
      return image.avif({ quality, effort: 0 });
    case 'jpeg':
      return image.jpeg({ quality });
    case 'png':
      return image.png({ compressionLevel: 6 });
  }
}

const fitted = (image: Sharp, { width = MAX_SIDE, height = MAX_SIDE }: Pick<Encoding, 'width' | 'height'>): Sharp =>
  image.resize({ width, height, fit: 'inside', withoutEnlargement: true });

/** The first page of a file, scaled down to fit; samples over 8 bits are stretched to their range, or they would be black. */
async function render({ file, maxPixels, ...options }: Extract<Drawing, { kind: 'render' }>): Promise<Buffer> {
  const image = sharp(file, { limitInputPixels: maxPixels, failOn: 'truncated' });
  const { depth } = await image.metadata();
  const { format, quality = QUALITY[format] } = options;
  const scaled = fitted(image, options);
  const shown = depth === 'uchar' ? scaled : scaled.normalise();
  return encoded(shown.toColourspace('srgb'), format, quality).toBuffer();
}

/** Pixels of a tile's side, a multiple of 16 (TIFF 6.0, section 15); libvips reads none that is much larger than its image. */
const tileSide = (side: number): number => Math.min(512, Math.ceil(side / 16) * 16);

/**
 * The first page of a file in all its pixels, as it is shown, in tiles without loss: a PNG or JPEG has to be decoded from its beginning to
 * get at any part of it, this has not. It is read and written in strips; only samples over 8 bits, which are stretched to the range that
 * all of them have, and files that come in passes (interlaced, progressive) lie in memory as a whole.
 */
async function drawWhole({ file, to, maxPixels }: Extract<Drawing, { kind: 'whole' }>): Promise<Buffer> {
  const image = sharp(file, { limitInputPixels: maxPixels, failOn: 'truncated' });
  const { depth, channels, width, height } = await image.metadata();
  const shown = depth === 'uchar' ? image : image.normalise();
  await shown
    .toColourspace(channels <= 2 ? 'b-w' : 'srgb')
    .tiff({
      compression: 'lzw',
      tile: true,
      tileWidth: tileSide(width),
      tileHeight: tileSide(height),
      // The file's own offsets end at 4 GB.
      bigtiff: width * height * 4 > 2 ** 31,
    })
    .toFile(to);
  return Buffer.alloc(0);
}

/** @throws Error that says the file is missing, where the whole was taken away meanwhile */
function drawRegion({ whole, region, ...options }: Extract<Drawing, { kind: 'region' }>): Promise<Buffer> {
  const [left, top, width, height] = region;
  const { format, quality = QUALITY[format] } = options;
  const image = sharp(whole, { limitInputPixels: false, sequentialRead: false });
  const part = fitted(image.extract({ left, top, width, height }), options);
  return encoded(part.toColourspace('srgb'), format, quality).toBuffer();
}

/** RGBA pixels in a format with transparency (lossless: a mask has hard edges). */
const encodeRgba = (data: Uint8Array, width: number, height: number, format: MaskFormat): Promise<Buffer> => {
  const image = sharp(data, { raw: { width, height, channels: 4 } });
  if (format === 'avif') return image.avif({ lossless: true, effort: 0 }).toBuffer();
  return (format === 'png' ? image.png({ compressionLevel: 6 }) : image.webp({ lossless: true, effort: 0 })).toBuffer();
};

/** Milliseconds to seconds of one core: for a child process, never for one that answers requests. */
export function draw(drawing: Drawing): Promise<Buffer> {
  if (drawing.kind === 'render') return render(drawing);
  if (drawing.kind === 'whole') return drawWhole(drawing);
  if (drawing.kind === 'region') return drawRegion(drawing);
  const { polygons, width, height, scale, format } = drawing;
  return encodeRgba(rasterise(decodePolygons(polygons), width, height, scale), width, height, format);
}

export const DRAW_FAILURES = ['too-large', 'gone', 'full', 'damaged'] as const;
export type DrawFailure = (typeof DRAW_FAILURES)[number];

/** What libvips says, as what it means for who asked. */
export function failureOf(error: unknown): DrawFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (/exceeds pixel limit/i.test(message)) return 'too-large';
  if (/no space left|quota exceeded/i.test(message)) return 'full';
  return /file is missing/i.test(message) ? 'gone' : 'damaged';
}
