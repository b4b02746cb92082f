import sharp, { type SharpOptions } from 'sharp';
import { isMinIsWhite } from '../ingest/tiff-layout.ts';
import { InferenceFailure } from './failure.ts';

export type Samples = Uint8Array | Uint16Array | Float32Array;
/** One gray plane, row by row, bright on dark as the file means it, up to a constant: normalisation takes that away. */
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
 * Decodes PNG, JPEG, TIFF or WebP to one gray plane (docs/inputs.md). 8 and 16 bit samples keep their depth (signed 16 bit
 * ones are counted from -32768); 32 bit integers become float32, counted from their least; other samples float32 as they are.
 * Colour profiles and EXIF orientation are ignored: polygons are in stored pixels.
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

/** How samples are taken out of libvips: by the depth of the file, `float` for all others. */
const RAW_DEPTHS = { uchar: 'uchar', ushort: 'ushort', short: 'short', uint: 'uint', int: 'int' } as const;
type RawDepth = (typeof RAW_DEPTHS)[keyof typeof RAW_DEPTHS] | 'float';
const rawDepthOf = (depth: string): RawDepth =>
  Object.hasOwn(RAW_DEPTHS, depth) ? RAW_DEPTHS[depth as keyof typeof RAW_DEPTHS] : 'float';
/** Depths whose MinIsWhite samples libvips (8.18) turns round by itself. */
const TURNED = new Set(['uchar', 'ushort', 'uint']);

async function read(file: string, input: SharpOptions, options: DecodeOptions) {
  try {
    // Asked of the first page, which is always there: libvips calls a page past the end a corrupt file.
    const first = await sharp(file, { ...input, page: 0, limitInputPixels: false }).metadata();
    const { pages = 1, format } = first;
    const image = sharp(file, { ...input, failOn: failOnFor(format) });
    if (options.page >= pages)
      throw invalid(`page ${options.page} of an image with ${pages}: expected 0 to ${pages - 1}`);
    const asked = options.page === 0 ? first : await sharp(file, { ...input, limitInputPixels: false }).metadata();
    const { space, depth, channels: bands } = asked;
    if (asked.width * asked.height > options.maxPixels)
      throw invalid(`${asked.width} x ${asked.height} pixels: at most ${options.maxPixels} are allowed`);
    const kept = KEPT_SPACES.has(space) ? space : 'srgb';
    // On its way to 16 bit gray sharp cuts what is below 0. It lifts all bands but the last: with several, they stay cut.
    const isLifted = depth === 'short' && kept === 'grey16' && bands === 1;
    const bits = depth === 'short' && kept === 'grey16' ? 'ushort' : rawDepthOf(depth);
    // Of gray with several bands sharp gives out the first one or two only, unless it is told which.
    const isPicked = !RGB_SPACES.has(kept) && bands > 1;
    if (isPicked) needChannel(options.channel, bands);
    // Its types end at 3; it takes all of the five that it reads.
    const picked = isPicked ? image.extractChannel((options.channel ?? 0) as 0) : image;
    const raw = await (isLifted ? picked.linear(1, 32_768) : picked)
      .toColourspace(depth === 'ushort' && kept === 'srgb' ? 'rgb16' : kept)
      .raw({ depth: bits })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = raw.info;
    const data = samples(raw.data, bits);
    if (format === 'tiff' && !TURNED.has(depth) && (await isMinIsWhite(file, options.page))) turn(data);
    return { width, height, channels, data, rgb: RGB_SPACES.has(kept), isPicked };
  } catch (error) {
    if (error instanceof InferenceFailure) throw error;
    const message = error instanceof Error ? error.message.trim() : String(error);
    // The image is not to blame when its file is gone; it may come back.
    if (/file is missing/i.test(message)) throw new InferenceFailure('UNKNOWN', message, { cause: error });
    throw invalid(message, error);
  }
}

function samples(bytes: Buffer, depth: RawDepth): Samples {
  if (depth === 'uchar') return bytes;
  // Views need alignment, which a pooled Buffer does not promise.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  if (depth === 'float') return new Float32Array(buffer, byteOffset, byteLength >> 2);
  if (depth === 'ushort' || depth === 'short') {
    const words = new Uint16Array(buffer, byteOffset, byteLength >> 1);
    // Two's complement with its sign turned round counts from the least value.
    if (depth === 'short') for (let i = 0; i < words.length; i++) words[i]! ^= 0x8000;
    return words;
  }
  const count = byteLength >> 2;
  return fromLeast(
    depth === 'uint' ? new Uint32Array(buffer, byteOffset, count) : new Int32Array(buffer, byteOffset, count),
  );
}

/** A float32 holds 24 bits: large values that lie close together keep apart when they are counted from the least. */
function fromLeast(values: Uint32Array | Int32Array): Float32Array {
  let least = Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! < least) least = values[i]!;
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = values[i]! - least;
  return out;
}

/** The least sample becomes the greatest and the other way round. */
function turn(data: Samples): void {
  const greatest = data instanceof Float32Array ? 0 : data instanceof Uint16Array ? 65_535 : 255;
  for (let i = 0; i < data.length; i++) data[i] = greatest - data[i]!;
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
