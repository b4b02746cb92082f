import sharp from 'sharp';
import type { ImageFormat } from './plan.ts';

/** Cheap settings: the files should be quick to write and ordinary to read. WebP is lossless; JPEG is what a JPEG is. */
const PNG = { compressionLevel: 2, adaptiveFiltering: false } as const;

/** @param pixels one grey value a pixel, row-major; 16 bit only for PNG and TIFF. */
export async function encodeGrey(
  pixels: Uint8Array | Uint16Array,
  width: number,
  height: number,
  format: ImageFormat,
): Promise<Buffer> {
  const image = sharp(pixels, { raw: { width, height, channels: 1 } });
  const grey = image.toColourspace(pixels instanceof Uint16Array ? 'grey16' : 'b-w');
  switch (format) {
    case 'png':
      return await grey.png(PNG).toBuffer();
    case 'tiff':
      return await grey.tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer();
    case 'jpeg':
      return await grey.jpeg({ quality: 95 }).toBuffer();
    case 'webp':
      return await grey.webp({ lossless: true, effort: 0 }).toBuffer();
  }
}
