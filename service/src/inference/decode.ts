import sharp, { type SharpOptions } from 'sharp';
import { InferenceFailure } from './failure.ts';

export type Samples = Uint8Array | Uint16Array | Float32Array;
/** One gray plane, row by row, in the file's own depth. */
export interface GrayImage {
  width: number;
  height: number;
  data: Samples;
}
export interface DecodeOptions {
  /** Band of the file; null = luma of RGB, or the only (first) band. */
  channel: number | null;
  /** Page of a TIFF, frame of a WebP; 0 elsewhere. */
  page: number;
  maxPixels: number;
}

/** Once a process: one thread an image (the pool is the parallelism), no cache, and none of libvips' loaders but four. */
export function prepareSharp(): void {
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg', 'VipsForeignLoadTiff', 'VipsForeignLoadWebp'],
  });
}

/** What libvips must not pass over. Of a TIFF that is cut it fills the rest with zeros, unless every error of libtiff counts. */
export const failOnFor = (format: string | undefined) => (format === 'tiff' ? 'error' : 'truncated');

const RGB_SPACES = new Set(['srgb', 'rgb', 'rgb16', 'scrgb']);
const KEPT_SPACES = new Set(['b-w', 'grey16', 'srgb', 'rgb16', 'scrgb']);

/**
 * Decodes PNG, JPEG, TIFF or WebP to one gray plane. 8 and 16 bit samples keep their depth, 32 bit ones become float32;
 * signed samples below 0 become 0. Colour profiles and EXIF orientation are ignored: polygons are in stored pixels.
 * Luma is ITU-R 601 in 16.16 fixed point, bit for bit Pillow's "L" (the model was trained on it); alpha is ignored.
 * @throws InferenceFailure INVALID_IMAGE when the image is damaged, cut, too large, of another format, or lacks the page or
 * channel; UNKNOWN when there is no file.
 */
export async function decodeGray(file: string, options: DecodeOptions): Promise<GrayImage> {
  const input = {
    page: options.page,
    ignoreIcc: true,
    limitInputPixels: options.maxPixels,
  } as const;
  const decoded = await read(file, input, options);
  const { width, height, channels, data, rgb } = decoded;
  const { channel } = options;
  if (decoded.isPicked) return { width, height, data };
  needChannel(channel, channels);
  if (channels === 1) return { width, height, data };
  if (channel === null && rgb && channels >= 3) return { width, height, data: luma(data, channels) };
  return { width, height, data: band(data, channels, channel ?? 0) };
}

function needChannel(channel: number | null, channels: number): void {
  if (channel !== null && channel >= channels)
    throw invalid(`channel ${channel} of an image with ${channels}: expected 0 to ${channels - 1}`);
}

async function read(file: string, input: SharpOptions, options: DecodeOptions) {
  try {
    // Asked of the first page, which is always there: libvips calls a page past the end a corrupt file.
    const { pages = 1, ...firstPage } = await sharp(file, { ...input, page: 0 }).metadata();
    const image = sharp(file, { ...input, failOn: failOnFor(firstPage.format) });
    if (options.page >= pages)
      throw invalid(`page ${options.page} of an image with ${pages}: expected 0 to ${pages - 1}`);
    const { space, depth, channels: bands } = options.page === 0 ? firstPage : await image.metadata();
    const kept = KEPT_SPACES.has(space) ? space : 'srgb';
    const bits = depth === 'uchar' ? 'uchar' : depth === 'ushort' || depth === 'short' ? 'ushort' : 'float';
    // Of gray with several bands sharp gives out the first one only, unless it is told which.
    const isPicked = kept === 'b-w' && bands > 1;
    if (isPicked) needChannel(options.channel, bands);
    // Its types end at 3; it takes all of the five that it reads.
    const raw = await (isPicked ? image.extractChannel((options.channel ?? 0) as 0) : image)
      .toColourspace(bits === 'ushort' && kept === 'srgb' ? 'rgb16' : kept)
      .raw({ depth: bits })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = raw.info;
    return { width, height, channels, data: samples(raw.data, bits), rgb: RGB_SPACES.has(kept), isPicked };
  } catch (error) {
    if (error instanceof InferenceFailure) throw error;
    const message = error instanceof Error ? error.message.trim() : String(error);
    // The image is not to blame when its file is gone; it may come back.
    if (/file is missing/i.test(message)) throw new InferenceFailure('UNKNOWN', message, { cause: error });
    throw invalid(message, error);
  }
}

function samples(bytes: Buffer, depth: 'uchar' | 'ushort' | 'float'): Samples {
  if (depth === 'uchar') return bytes;
  // Views need alignment, which a pooled Buffer does not promise.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  return depth === 'ushort'
    ? new Uint16Array(buffer, byteOffset, byteLength >> 1)
    : new Float32Array(buffer, byteOffset, byteLength >> 2);
}

const sameKind = (like: Samples, length: number): Samples =>
  like instanceof Float32Array
    ? new Float32Array(length)
    : like instanceof Uint16Array
      ? new Uint16Array(length)
      : new Uint8Array(length);

function luma(data: Samples, channels: number): Samples {
  const out = sameKind(data, data.length / channels);
  const round = data instanceof Float32Array ? 0 : 0x8000;
  for (let i = 0, j = 0; i < out.length; i++, j += channels)
    out[i] = (data[j]! * 19595 + data[j + 1]! * 38470 + data[j + 2]! * 7471 + round) / 65536;
  return out;
}

function band(data: Samples, channels: number, channel: number): Samples {
  const out = sameKind(data, data.length / channels);
  for (let i = 0, j = channel; i < out.length; i++, j += channels) out[i] = data[j]!;
  return out;
}

const invalid = (message: string, cause?: unknown) => new InferenceFailure('INVALID_IMAGE', message, { cause });
