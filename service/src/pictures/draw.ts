import sharp, { type Sharp } from 'sharp';
import { decodePolygons } from '#contract/polygons-format.ts';
import { MAX_SIDE, type MaskFormat, type PictureFormat } from './formats.ts';
import { rasterise } from './raster.ts';

/** What is drawn: a picture of a file, or the mask of a result. Sent to a child as it is. */
export type Drawing =
  | {
      kind: 'render';
      file: string;
      width: number | undefined;
      height: number | undefined;
      quality: number | undefined;
      format: PictureFormat;
      maxPixels: number;
    }
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

/** The first page of a file, scaled down to fit; samples over 8 bits are stretched to their range, or they would be black. */
async function render({ file, maxPixels, ...options }: Extract<Drawing, { kind: 'render' }>): Promise<Buffer> {
  const image = sharp(file, { limitInputPixels: maxPixels, failOn: 'truncated' });
  const { depth } = await image.metadata();
  const { width = MAX_SIDE, height = MAX_SIDE, format, quality = QUALITY[format] } = options;
  const scaled = image.resize({ width, height, fit: 'inside', withoutEnlargement: true });
  const shown = depth === 'uchar' ? scaled : scaled.normalise();
  return encoded(shown.toColourspace('srgb'), format, quality).toBuffer();
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
  const { polygons, width, height, scale, format } = drawing;
  return encodeRgba(rasterise(decodePolygons(polygons), width, height, scale), width, height, format);
}

export const DRAW_FAILURES = ['too-large', 'gone', 'damaged'] as const;
export type DrawFailure = (typeof DRAW_FAILURES)[number];

/** What libvips says, as what it means for who asked. */
export function failureOf(error: unknown): DrawFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (/exceeds pixel limit/i.test(message)) return 'too-large';
  return /file is missing/i.test(message) ? 'gone' : 'damaged';
}
