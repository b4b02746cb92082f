import { open } from 'node:fs/promises';
import sharp from 'sharp';
import { failOnFor, prepareSharp } from '../inference/decode.ts';
import type { ImageFacts, Refusal } from './refusal.ts';
import { findMisreadLayout } from './tiff-layout.ts';

prepareSharp();

const startsWith = (head: Buffer, text: string, at = 0) => head.toString('latin1', at, at + text.length) === text;
/** First bytes → type; the client's file name and content type are not believed. */
const TYPES: { mimeType: string; matches: (head: Buffer) => boolean }[] = [
  { mimeType: 'image/png', matches: (head) => startsWith(head, '\x89PNG\r\n\x1a\n') },
  { mimeType: 'image/jpeg', matches: (head) => startsWith(head, '\xff\xd8\xff') },
  {
    mimeType: 'image/tiff',
    matches: (head) => ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => startsWith(head, magic)),
  },
  { mimeType: 'image/webp', matches: (head) => startsWith(head, 'RIFF') && startsWith(head, 'WEBP', 8) },
];

async function sniff(file: string): Promise<string | undefined> {
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(16);
    await handle.read(head, 0, 16, 0);
    return TYPES.find((type) => type.matches(head))?.mimeType;
  } finally {
    await handle.close();
  }
}

/** Side of the picture whose mean is the average colour; dark 16-bit pictures are stretched first, as thumbnails are. */
const SAMPLE = 16;

async function averageColour(
  file: string,
  options: { limitInputPixels: number; failOn: 'truncated' | 'error' },
  stretch: boolean,
): Promise<number> {
  let image = sharp(file, options).resize(SAMPLE, SAMPLE, { fit: 'fill' }).flatten();
  if (stretch) image = image.normalise();
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const sums = [0, 0, 0];
  for (let at = 0; at < data.length; at += info.channels)
    for (const band of [0, 1, 2]) sums[band]! += data[at + Math.min(band, info.channels - 1)]!;
  const mean = (band: number) => Math.round(sums[band]! / (SAMPLE * SAMPLE));
  return (mean(0) << 16) | (mean(1) << 8) | mean(2);
}

/** Decodes the whole file once, so that what is accepted can be segmented. Facts, or why it is refused; throws only on I/O errors. */
export async function inspectImage(file: string, maxPixels: number): Promise<ImageFacts | Refusal> {
  const mimeType = await sniff(file);
  if (mimeType === undefined)
    return { code: 'UNSUPPORTED_TYPE', message: 'the file is none of PNG, JPEG, TIFF, WebP by its first bytes' };
  const misread = mimeType === 'image/tiff' ? await findMisreadLayout(file) : null;
  if (misread !== null) return { code: 'INVALID_IMAGE', message: misread };
  try {
    const {
      width,
      height,
      channels,
      pages = 1,
      depth,
      space,
      format,
    } = await sharp(file, { limitInputPixels: false }).metadata();
    if (width * height > maxPixels)
      return { code: 'IMAGE_TOO_LARGE', message: `${width} x ${height} pixels: at most ${maxPixels} are allowed` };
    const colour = await averageColour(
      file,
      { limitInputPixels: maxPixels, failOn: failOnFor(format) },
      depth !== 'uchar',
    );
    // CMYK is decoded to RGB.
    const bands = space === 'cmyk' ? channels - 1 : channels;
    return { mimeType, width, height, channels: bands, pages, averageColour: colour };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { code: 'INVALID_IMAGE', message: `cannot be decoded: ${text.replaceAll(file, 'file').split('\n')[0]}` };
  }
}
