import sharp from 'sharp';
import type { Crafted } from './corpus.ts';
import type { Base } from './bases.ts';
import { piecesOf } from './structure.ts';

const INVALID = ['INVALID_IMAGE'];
const EITHER = ['accepted', 'INVALID_IMAGE'];
const LARGE = ['IMAGE_TOO_LARGE', 'INVALID_IMAGE'];
const latin = (text: string) => Buffer.from(text, 'latin1');

function baseOf(bases: readonly Base[], name: string): Base {
  const found = bases.find((base) => base.name === name);
  if (!found) throw new Error(`no base ${name}`);
  return found;
}
const segment = (marker: number, data: Uint8Array) =>
  Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data]);

function craftedJpeg(bases: readonly Base[]): [string, Buffer, string[]][] {
  const { bytes } = baseOf(bases, 'JPEG, RGB');
  const progressive = baseOf(bases, 'JPEG, progressive');
  const frame = (base: Buffer, marker = 0xc0) => base.indexOf(Buffer.from([0xff, marker]));
  const changed = (write: (out: Buffer, at: number) => void) => {
    const out = Buffer.from(bytes);
    write(out, frame(out));
    return out;
  };
  const sized = (height: number, width: number) =>
    changed((out, at) => {
      out.writeUInt16BE(height, at + 5);
      out.writeUInt16BE(width, at + 7);
    });
  const after = (...parts: Uint8Array[]) => Buffer.concat([bytes.subarray(0, 2), ...parts, bytes.subarray(2)]);
  // A scan costs its reader all of the picture: many small ones are a bomb of time.
  const scans = piecesOf(progressive).filter(({ start }) => progressive.bytes[start + 1] === 0xda);
  const last = progressive.bytes.subarray(scans.at(-1)!.start, scans.at(-1)!.end);
  const big = Buffer.from(progressive.bytes);
  big.writeUInt16BE(960, frame(big, 0xc2) + 5);
  big.writeUInt16BE(960, frame(big, 0xc2) + 7);
  const scanBomb = Buffer.concat([
    big.subarray(0, scans.at(-1)!.end),
    ...Array.from({ length: 3000 }, () => last),
    latin('\xff\xd9'),
  ]);
  return [
    ['JPEG of 65,500 x 65,500', sized(65_500, 65_500), LARGE],
    ['JPEG of no height', sized(0, 48), INVALID],
    ['JPEG of no width', sized(40, 0), INVALID],
    ['JPEG of 960 x 960, pixels for 48 x 40', sized(960, 960), EITHER],
    ['JPEG of 3,000 scans', scanBomb, EITHER],
    ['JPEG of 12 bits', changed((out, at) => (out[at + 4] = 12)), INVALID],
    ['JPEG of 0 bits', changed((out, at) => (out[at + 4] = 0)), INVALID],
    ['JPEG of 5 components', changed((out, at) => (out[at + 9] = 5)), INVALID],
    ['JPEG of 0 components', changed((out, at) => (out[at + 9] = 0)), INVALID],
    ['JPEG of sampling 15 x 15', changed((out, at) => (out[at + 11] = 0xff)), INVALID],
    ['JPEG of sampling 0', changed((out, at) => (out[at + 11] = 0)), INVALID],
    ['JPEG, lossless', changed((out, at) => (out[at + 1] = 0xc3)), INVALID],
    ['JPEG, arithmetic', changed((out, at) => (out[at + 1] = 0xc9)), EITHER],
    ['JPEG, hierarchical', changed((out, at) => (out[at + 1] = 0xc5)), INVALID],
    ['JPEG of two frames', after(bytes.subarray(frame(bytes), frame(bytes) + 19)), INVALID],
    ['JPEG of its first bytes alone', bytes.subarray(0, 3), INVALID],
    ['JPEG that ends at once', latin('\xff\xd8\xff\xd9'), INVALID],
    [
      'JPEG of a profile that is none',
      after(segment(0xe2, Buffer.concat([latin('ICC_PROFILE\0\x01\x01'), Buffer.alloc(200, 255)]))),
      EITHER,
    ],
    [
      'JPEG of a profile in 255 parts that do not come',
      after(segment(0xe2, latin('ICC_PROFILE\0\x01\xffabc'))),
      EITHER,
    ],
    [
      'JPEG of EXIF that leads to itself',
      after(segment(0xe1, latin('Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0'))),
      EITHER,
    ],
    ['JPEG of EXIF behind its end', after(segment(0xe1, latin('Exif\0\0II*\0\xff\xff\xff\x7f'))), EITHER],
    [
      'JPEG of 500 comments',
      after(...Array.from({ length: 500 }, () => segment(0xfe, Buffer.alloc(5000, 65)))),
      EITHER,
    ],
    [
      'JPEG of a million fill bytes',
      Buffer.concat([bytes.subarray(0, 2), Buffer.alloc(1_000_000, 255), bytes.subarray(2)]),
      EITHER,
    ],
    ['JPEG of a restart at each block', after(segment(0xdd, Buffer.from([0, 1]))), EITHER],
    ['JPEG with another behind it', Buffer.concat([bytes, bytes]), EITHER],
  ];
}

function craftedWebp(bases: readonly Base[]): [string, Buffer, string[]][] {
  const { bytes } = baseOf(bases, 'WEBP, lossy');
  const lossless = baseOf(bases, 'WEBP, lossless').bytes;
  const moving = baseOf(bases, 'WEBP, moving');
  const withSize = (size: number) => {
    const out = Buffer.from(bytes);
    out.writeUInt32LE(size >>> 0, 4);
    return out;
  };
  const riff = (body: Buffer) => {
    const head = Buffer.alloc(12);
    head.write('RIFF', 0, 'latin1');
    head.writeUInt32LE(body.length + 4, 4);
    head.write('WEBP', 8, 'latin1');
    return Buffer.concat([head, body]);
  };
  const part = (type: string, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(type, 0, 'latin1');
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  };
  const canvas = (side: number, flags = 0) => {
    const data = Buffer.alloc(10);
    data[0] = flags;
    data.writeUIntLE(side - 1, 4, 3);
    data.writeUIntLE(side - 1, 7, 3);
    return part('VP8X', data);
  };
  const image = bytes.subarray(12);
  const frames = piecesOf(moving).filter(({ start }) => moving.bytes.toString('latin1', start, start + 4) === 'ANMF');
  const frame = moving.bytes.subarray(frames[0]!.start, frames[0]!.end);
  const far = Buffer.from(frame);
  far.writeUIntLE(0xff_ffff, 8, 3);
  const start = moving.bytes.subarray(12, frames[0]!.start);
  const badBits = Buffer.from(lossless);
  badBits.fill(255, 25);
  return [
    [
      'WebP of 16,383 x 16,383, lossless, in 40 bytes',
      riff(part('VP8L', Buffer.from([0x2f, 0xff, 0xff, 0xff, 0x0f, ...Array.from({ length: 20 }, () => 0)]))),
      LARGE,
    ],
    ['WebP of a canvas of 16,777,216', riff(Buffer.concat([canvas(16_777_216), image])), LARGE],
    ['WebP of a canvas of 5000 around 48 pixels', riff(Buffer.concat([canvas(5000), image])), LARGE],
    ['WebP that says 0 bytes', withSize(0), EITHER],
    ['WebP that says 4 GB', withSize(0xffff_ffff), INVALID],
    ['WebP that says too few bytes', withSize(40), INVALID],
    ['WebP of its first bytes alone', bytes.subarray(0, 12), INVALID],
    ['WebP of nonsense in lossless', badBits, INVALID],
    [
      'WebP of a profile that is none',
      riff(Buffer.concat([canvas(48, 0x20), part('ICCP', Buffer.alloc(99, 255)), image])),
      EITHER,
    ],
    [
      'WebP of EXIF that is none',
      riff(Buffer.concat([canvas(48, 0x08), image, part('EXIF', latin('II*\0\xff\xff\xff\x7f'))])),
      EITHER,
    ],
    [
      'WebP of alpha that is none',
      riff(Buffer.concat([canvas(48, 0x10), part('ALPH', Buffer.alloc(30, 255)), image])),
      EITHER,
    ],
    ['WebP of 2,000 frames', riff(Buffer.concat([start, ...Array.from({ length: 2000 }, () => frame)])), EITHER],
    ['WebP of a frame outside of its canvas', riff(Buffer.concat([start, far])), INVALID],
    ['WebP that moves, without frames', riff(start), INVALID],
    [
      'WebP of 5,000 unknown parts',
      riff(Buffer.concat([...Array.from({ length: 5000 }, () => part('abcd', Buffer.alloc(10))), image])),
      EITHER,
    ],
  ];
}

const SVG_BOMB = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "${'a'.repeat(99)}">${Array.from({ length: 9 }, (_, i) => `<!ENTITY ${'bcdefghij'[i]} "${`&${'abcdefghi'[i]};`.repeat(10)}">`).join('')}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&j;</text></svg>`;
/** First bytes of formats that libvips, or a library near it, would read when it is asked. */
const FOREIGN: [string, string][] = [
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'],
  ['SVG of a milliard laughs', SVG_BOMB],
  ['SVG behind blanks and a byte order mark', '\xef\xbb\xbf   \n<svg width="99999" height="99999"/>'],
  ['PDF', '%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF'],
  ['HTML', '<!doctype html><script>alert(1)</script>'],
  ['BMP', 'BM\x9a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\0\x18\0'],
  ['ICO', '\0\0\x01\0\x01\0\0\0\0\0\x01\0\x20\0\xff\xff\xff\xff\x16\0\0\0'],
  ['OpenEXR', 'v/1\x01\x02\0\0\0channels\0chlist\0\xff\xff\xff\x7f'],
  ['Radiance', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 99999\n'],
  ['HEIF', '\0\0\0\x18ftypheic\0\0\0\0mif1heic\xff\xff\xff\xff'],
  ['JPEG XL', '\xff\x0a\xfa\x1f\x01\x91\x08\x06\x01\0'],
  ['JPEG XL in its box', '\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl '],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 '],
  ['PNM', 'P6 99999 99999 255\n'],
  ['PFM', 'PF\n99999 99999\n-1.0\n'],
  ['FITS', `SIMPLE  =                    T${' '.repeat(200)}`],
  ['PSD', '8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\xff\xff\0\0\xff\xff'],
  ['NIfTI', '\x5c\x01\0\0' + '\0'.repeat(340) + 'n+1\0'],
  ['MATLAB', 'MATLAB 5.0 MAT-file, Platform: x' + ' '.repeat(100)],
  ['libvips', '\x08\xf2\xa6\xb6\0\0\xff\xff\0\0\xff\xff'],
  ['CSV', '1,2,3\n4,5,6\n'],
  ['ZIP', 'PK\x03\x04\x14\0\0\0\x08\0'],
  ['gzip', '\x1f\x8b\x08\0\0\0\0\0\0\x03'],
  ['ELF', '\x7fELF\x02\x01\x01\0'],
  ['MP4', '\0\0\0\x18ftypmp42\0\0\0\0mp42isom'],
  [
    'ImageMagick script',
    'push graphic-context\nviewbox 0 0 640 480\nfill \'url(https://example.org/"|ls "-la)\'\npop graphic-context',
  ],
  ['one byte', '\xff'],
  ['zeros', '\0'.repeat(5000)],
  ['RIFF that is sound', 'RIFF\x24\0\0\0WAVEfmt '],
];

export async function craftedOthers(bases: readonly Base[]): Promise<Crafted[]> {
  const picture = (pages: number) =>
    sharp(Buffer.alloc(20 * 20 * 3 * pages, 90), {
      raw: { width: 20, height: 20 * pages, channels: 3, pageHeight: 20 },
    });
  const foreign: [string, Buffer, string[]][] = [
    ['GIF', await picture(1).gif().toBuffer(), ['UNSUPPORTED_TYPE']],
    ['GIF that moves', await picture(3).gif().toBuffer(), ['UNSUPPORTED_TYPE']],
    ['AVIF', await picture(1).avif({ effort: 0 }).toBuffer(), ['UNSUPPORTED_TYPE']],
    ...FOREIGN.map(([what, text]): [string, Buffer, string[]] => [what, latin(text), ['UNSUPPORTED_TYPE']]),
    ['no bytes', Buffer.alloc(0), ['EMPTY_FILE']],
  ];
  return [...craftedJpeg(bases), ...craftedWebp(bases), ...foreign].map(([what, bytes, becomes]) => ({
    what,
    bytes,
    becomes,
  }));
}
