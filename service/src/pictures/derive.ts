import { readFile, writeFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import type { Metrics } from '../metrics.ts';
import type { Storage } from '../storage.ts';
import { createLimiter } from '../ingest/limiter.ts';

export const PICTURE_FORMATS = ['webp', 'avif', 'jpeg', 'png'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];
export interface RenderOptions {
  width: number | undefined;
  height: number | undefined;
  quality: number | undefined;
  format: PictureFormat;
}

/** Lossy formats at a quality where thumbnails of cells show no blocks; AVIF with its quickest search. */
const QUALITY = { webp: 80, avif: 55, jpeg: 82, png: 100 } as const;

/**
 * `auto`: what the client likes best of what it names (RFC 9110 section 12.5.1), WebP where it names nothing of ours but takes all.
 * Of formats that it likes alike WebP comes first: AVIF encodes ten times slower.
 */
export function formatFor<T extends PictureFormat>(accept: string | undefined, able: readonly T[], otherwise: T): T {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '*/*').toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    weights.set(type, Number.isNaN(weight) ? 0 : weight);
  }
  const any = weights.get('image/*') ?? weights.get('*/*') ?? 0;
  const weightOf = (format: T) => weights.get(`image/${format}`) ?? any;
  const isNamed = (format: T) => (weights.has(`image/${format}`) ? 1 : 0);
  const [best] = able
    .filter((format) => weightOf(format) > 0)
    .sort((a, b) => weightOf(b) - weightOf(a) || isNamed(b) - isNamed(a));
  return best ?? otherwise;
}

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
export async function renderPicture(file: string, options: RenderOptions, maxPixels: number): Promise<Buffer> {
  const image = sharp(file, { limitInputPixels: maxPixels, failOn: 'truncated' });
  const { depth } = await image.metadata();
  const { width, height, format, quality = QUALITY[format] } = options;
  const scaled =
    width === undefined && height === undefined
      ? image
      : image.resize({ width, height, fit: 'inside', withoutEnlargement: true });
  const shown = depth === 'uchar' ? scaled : scaled.normalise();
  return encoded(shown.toColourspace('srgb'), format, quality).toBuffer();
}

export const MASK_FORMATS = ['png', 'webp', 'avif'] as const;
export type MaskFormat = (typeof MASK_FORMATS)[number];

/** RGBA pixels in a format with transparency (lossless: a mask has hard edges). */
export const encodeRgba = (data: Uint8Array, width: number, height: number, format: MaskFormat): Promise<Buffer> => {
  const image = sharp(data, { raw: { width, height, channels: 4 } });
  if (format === 'avif') return image.avif({ lossless: true, effort: 0 }).toBuffer();
  return (format === 'png' ? image.png({ compressionLevel: 6 }) : image.webp({ lossless: true, effort: 0 })).toBuffer();
};

/**
 * Pictures made from what never changes, kept on disk under a name that says how they were made. Equal requests at the same time
 * make one; two are made at once, the others wait.
 */
export function createPictureCache({ storage, metrics }: { storage: Storage; metrics: Metrics }) {
  const limited = createLimiter(2);
  const running = new Map<string, Promise<Buffer>>();

  async function make(path: string, create: () => Promise<Buffer>): Promise<Buffer> {
    const bytes = await limited(create);
    const temporary = storage.temporaryPath();
    try {
      await writeFile(temporary, bytes);
      await storage.place(temporary, path, false);
    } catch {
      // A full disk costs the copy, not the picture.
      await storage.discard(temporary).catch(() => {});
    }
    return bytes;
  }

  return async function picture(path: string, create: () => Promise<Buffer>): Promise<Buffer> {
    const kept = await readFile(path).catch(() => null);
    if (kept) {
      metrics.cacheHit('picture');
      return kept;
    }
    metrics.cacheMiss('picture');
    const other = running.get(path);
    if (other) return other;
    const making = make(path, create).finally(() => running.delete(path));
    running.set(path, making);
    return making;
  };
}
