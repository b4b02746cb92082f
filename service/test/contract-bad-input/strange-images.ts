import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { picture } from '../support/pictures.ts';

/** A file of an upload, and what becomes of it: its size in pixels, or the code it is refused with. */
export interface StrangeImage {
  what: string;
  bytes: Buffer;
  becomes: { width: number; height: number; channels?: number } | { code: string; says?: string };
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  const check = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
function header(width: number, height: number, depth = 8, colour = 0): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width >>> 0, 0);
  data.writeUInt32BE(height >>> 0, 4);
  data[8] = depth;
  data[9] = colour;
  return chunk('IHDR', data);
}
/** A grey PNG that says one size and holds as many samples as it likes. */
const png = (width: number, height: number, samples: Buffer, depth = 8, colour = 0) =>
  Buffer.concat([
    SIGNATURE,
    header(width, height, depth, colour),
    chunk('IDAT', deflateSync(samples)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
const rows = (width: number, height: number) => Buffer.alloc((width + 1) * height, 0);

/** A GIF, SVG and PDF of the least that their readers take. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const SVG = Buffer.from(
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
);
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF');
/** A grey TIFF, its directory before its pixels, in one strip that lies where `offset` says. */
function tiff(width: number, height: number, offset = 110, entries = 8): Buffer {
  const tags = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 1, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [273, 4, 1, offset],
    [278, 4, 1, height],
    [279, 4, 1, width * height],
  ];
  const pixels = Buffer.alloc(Math.min(width * height, 4096), 7);
  const directory = Buffer.alloc(2 + tags.length * 12 + 4);
  directory.writeUInt16LE(entries, 0);
  for (const [at, [tag, type, count, value]] of tags.entries()) {
    directory.writeUInt16LE(tag!, 2 + at * 12);
    directory.writeUInt16LE(type!, 4 + at * 12);
    directory.writeUInt32LE(count!, 6 + at * 12);
    directory.writeUInt32LE(value! >>> 0, 10 + at * 12);
  }
  const start = Buffer.alloc(8);
  start.write('II*\0', 0, 'latin1');
  start.writeUInt32LE(8, 4);
  return Buffer.concat([start, directory, pixels]);
}

const INVALID = { code: 'INVALID_IMAGE', says: 'cannot be decoded' };
const TYPE = { code: 'UNSUPPORTED_TYPE', says: 'PNG, JPEG, TIFF, WebP' };
const LARGE = { code: 'IMAGE_TOO_LARGE', says: 'at most' };

export async function strangeImages(): Promise<StrangeImage[]> {
  const noise = (format: 'png' | 'jpeg' | 'tiff' | 'webp') => picture(3, { format, width: 64, height: 48 });
  const [goodPng, goodJpeg, goodTiff, goodWebp] = await Promise.all(
    (['png', 'jpeg', 'tiff', 'webp'] as const).map(noise),
  );
  const raw = (channels: 1 | 2 | 3 | 4, width = 40, height = 30) =>
    sharp(Buffer.alloc(width * height * channels, 90), { raw: { width, height, channels } });
  const wide = new Uint16Array(40 * 30).map((_, at) => at * 50);
  const cut = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));
  const list: [string, Buffer, StrangeImage['becomes']][] = [
    ['no bytes', Buffer.alloc(0), { code: 'EMPTY_FILE', says: 'no bytes' }],
    ['one byte', Buffer.from([0]), TYPE],
    ['text called a picture', Buffer.from('this is no picture'), TYPE],
    ['zero bytes', Buffer.alloc(10_000), TYPE],
    ['a GIF', GIF, TYPE],
    ['an SVG that asks for a file of the server', SVG, TYPE],
    ['a PDF', PDF, TYPE],
    ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>'), TYPE],
    ['an AVIF', await raw(3).avif().toBuffer(), TYPE],
    ['the signature of PNG alone', SIGNATURE, INVALID],
    ['the first bytes of JPEG alone', Buffer.from([0xff, 0xd8, 0xff]), INVALID],
    ['the first bytes of TIFF alone', Buffer.from('II*\0', 'latin1'), { code: 'INVALID_IMAGE' }],
    ['the first bytes of WebP alone', Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'), INVALID],
    ['a PNG cut in its header', goodPng!.subarray(0, 20), INVALID],
    ['a PNG cut in its middle', cut(goodPng!, 0.5), INVALID],
    ['a JPEG cut in its middle', cut(goodJpeg!, 0.5), INVALID],
    ['a TIFF cut in its middle', cut(goodTiff!, 0.5), { code: 'INVALID_IMAGE' }],
    ['a WebP cut in its middle', cut(goodWebp!, 0.5), INVALID],
    [
      'a PNG of wrong check sums',
      Buffer.concat([goodPng!.subarray(0, 60), Buffer.from([1, 2, 3, 4]), goodPng!.subarray(64)]),
      INVALID,
    ],
    ['a PNG without pixels', Buffer.concat([SIGNATURE, header(9, 9), chunk('IEND', Buffer.alloc(0))]), INVALID],
    ['a PNG of no width', png(0, 9, Buffer.alloc(9)), INVALID],
    ['a PNG of no height', png(9, 0, Buffer.alloc(9)), INVALID],
    ['a PNG of unknown depth', png(9, 9, rows(9, 9), 7), INVALID],
    ['a PNG of unknown colour', png(9, 9, rows(9, 9), 8, 5), INVALID],
    ['a tiny PNG that claims 50,000 x 50,000', png(50_000, 50_000, Buffer.alloc(2_000_000)), LARGE],
    [
      'a PNG of the greatest size there is',
      png(0x7fff_ffff, 0x7fff_ffff, Buffer.alloc(100)),
      { code: 'INVALID_IMAGE' },
    ],
    ['a PNG of negative size', png(-1, -1, Buffer.alloc(100)), INVALID],
    ['a TIFF of no width', tiff(0, 9), { code: 'INVALID_IMAGE' }],
    ['a TIFF that claims 60,000 x 60,000', tiff(60_000, 60_000), LARGE],
    ['a TIFF cut in its pixels, behind its directory', tiff(30, 30).subarray(0, 500), INVALID],
    ['a TIFF whose pixels lie behind its end', tiff(30, 30, 9_999_999), { code: 'INVALID_IMAGE' }],
    ['a TIFF with more entries than bytes', tiff(30, 30, 110, 60_000), { code: 'INVALID_IMAGE' }],
    [
      'a TIFF whose directory is itself',
      Buffer.concat([Buffer.from('II*\0\x08\0\0\0', 'latin1'), Buffer.alloc(64)]),
      { code: 'INVALID_IMAGE' },
    ],
    [
      'a JPEG of no height',
      Buffer.from(goodJpeg!).fill(
        0,
        goodJpeg!.indexOf(Buffer.from([0xff, 0xc0])) + 5,
        goodJpeg!.indexOf(Buffer.from([0xff, 0xc0])) + 7,
      ),
      INVALID,
    ],
    ['a TIFF whose directory is before its pixels', tiff(30, 30), { width: 30, height: 30, channels: 1 }],
    ['one pixel', await raw(1, 1, 1).png().toBuffer(), { width: 1, height: 1 }],
    ['one row', await raw(1, 3000, 1).png().toBuffer(), { width: 3000, height: 1 }],
    ['one column', await raw(1, 1, 3000).png().toBuffer(), { width: 1, height: 3000 }],
    ['two pixels in colour, of JPEG', await raw(3, 2, 1).jpeg().toBuffer(), { width: 2, height: 1, channels: 3 }],
    ['a CMYK JPEG', await raw(3).toColourspace('cmyk').jpeg().toBuffer(), { width: 40, height: 30, channels: 3 }],
    [
      'a PNG of 16 bits',
      await sharp(wide, { raw: { width: 40, height: 30, channels: 1 } })
        .toColourspace('grey16')
        .png()
        .toBuffer(),
      { width: 40, height: 30 },
    ],
    ['a PNG of 1 bit', png(16, 4, Buffer.alloc(12, 0), 1), { width: 16, height: 4 }],
    ['a PNG with a palette', await raw(3).png({ palette: true }).toBuffer(), { width: 40, height: 30 }],
    ['a transparent PNG', await raw(4).png().toBuffer(), { width: 40, height: 30, channels: 4 }],
    ['grey with alpha', await raw(2).png().toBuffer(), { width: 40, height: 30 }],
    ['an interlaced PNG', await raw(1).png({ progressive: true }).toBuffer(), { width: 40, height: 30 }],
    ['a progressive JPEG', await raw(3).jpeg({ progressive: true }).toBuffer(), { width: 40, height: 30 }],
    [
      'a JPEG that says it lies on its side',
      await raw(3).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      { width: 40, height: 30 },
    ],
    [
      'a moving WebP',
      await sharp(Buffer.alloc(40 * 60 * 3, 9), { raw: { width: 40, height: 60, channels: 3, pageHeight: 30 } })
        .webp({ loop: 0, delay: [90, 90] })
        .toBuffer(),
      { width: 40, height: 30 },
    ],
    [
      'a PNG with a megabyte behind its end',
      Buffer.concat([goodPng!, Buffer.alloc(1_000_000, 1)]),
      { width: 64, height: 48 },
    ],
    ['a PNG of one colour', await raw(1).png().toBuffer(), { width: 40, height: 30 }],
  ];
  return list.map(([what, bytes, becomes]) => ({ what, bytes, becomes }));
}
