import { crc32, deflateSync } from 'node:zlib';
import type { Crafted } from './corpus.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const chunk = (type: string, data: Uint8Array): Buffer => {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
};
function header(width: number, height: number, depth = 8, colour = 0, interlace = 0): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width >>> 0, 0);
  data.writeUInt32BE(height >>> 0, 4);
  data.set([depth, colour, 0, 0, interlace], 8);
  return chunk('IHDR', data);
}
const END = chunk('IEND', Buffer.alloc(0));
const idat = (bytes: Uint8Array) => chunk('IDAT', deflateSync(bytes));
const rows = (width: number, height: number, samples = 1) => Buffer.alloc((width * samples + 1) * height, 0);
const file = (...chunks: Uint8Array[]) => Buffer.concat([SIGNATURE, ...chunks]);
const keyword = Buffer.from('Comment\0\0', 'latin1');
const packed = (megabytes: number) => deflateSync(Buffer.alloc(megabytes * 1_000_000), { level: 9 });
const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const INVALID = ['INVALID_IMAGE'];
const LARGE = ['IMAGE_TOO_LARGE'];
/** It is either read or refused: which, is the library's own judgement. */
const EITHER = ['accepted', 'INVALID_IMAGE'];

export function craftedPng(): Crafted[] {
  const image = (...between: Uint8Array[]) => file(header(20, 20), ...between, idat(rows(20, 20)), END);
  const badHeader = Buffer.from(idat(rows(20, 20)));
  badHeader[8] = 0x00;
  const apng = Buffer.concat([number(2), number(0)]);
  const filter = Buffer.alloc(21 * 20, 9);
  return [
    ['PNG of 50,000 x 50,000', file(header(50_000, 50_000), idat(Buffer.alloc(1000)), END), LARGE],
    ['PNG bomb: 8000 x 8000 in 64 KB', file(header(8000, 8000), idat(rows(8000, 8000)), END), LARGE],
    ['PNG bomb: 960 x 960, 16 bit RGBA', file(header(960, 960, 16, 6), idat(rows(960, 960, 8)), END), EITHER],
    [
      'PNG of one row of 4,000,000',
      file(header(4_000_000, 1), idat(rows(4_000_000, 1)), END),
      ['accepted', 'INVALID_IMAGE', 'IMAGE_TOO_LARGE'],
    ],
    ['PNG whose text unpacks to 500 MB', image(chunk('zTXt', Buffer.concat([keyword, packed(500)]))), EITHER],
    ['PNG whose profile unpacks to 300 MB', image(chunk('iCCP', Buffer.concat([keyword, packed(300)]))), EITHER],
    ['PNG with 6,000 texts', image(...Array.from({ length: 6000 }, () => chunk('tEXt', Buffer.from('a\0b')))), EITHER],
    [
      'PNG with 20,000 empty IDAT',
      image(...Array.from({ length: 20_000 }, () => chunk('IDAT', Buffer.alloc(0)))),
      EITHER,
    ],
    ['PNG whose pixels unpack to 200 MB too many', file(header(20, 20), chunk('IDAT', packed(200)), END), EITHER],
    ['PNG with too few pixels', file(header(20, 20), idat(Buffer.alloc(30)), END), INVALID],
    ['PNG whose zlib header is wrong', file(header(20, 20), badHeader, END), INVALID],
    ['PNG of unknown filters', file(header(20, 20), idat(filter), END), INVALID],
    ['PNG without pixels', file(header(20, 20), END), INVALID],
    ['PNG without an end', file(header(20, 20), idat(rows(20, 20))), EITHER],
    ['PNG without a header', file(idat(rows(20, 20)), END), INVALID],
    ['PNG with two headers', image(header(90, 90)), EITHER],
    ['PNG of no width', file(header(0, 20), idat(rows(0, 20)), END), INVALID],
    ['PNG of no height', file(header(20, 0), idat(Buffer.alloc(1)), END), INVALID],
    ['PNG of depth 3', file(header(20, 20, 3), idat(rows(20, 20)), END), INVALID],
    ['PNG of colour 5', file(header(20, 20, 8, 5), idat(rows(20, 20)), END), INVALID],
    ['PNG of interlace 9', file(header(20, 20, 8, 0, 9), idat(rows(20, 20)), END), INVALID],
    ['PNG of a palette that is not there', file(header(20, 20, 8, 3), idat(rows(20, 20)), END), INVALID],
    [
      'PNG of a palette of one colour, and others used',
      file(header(20, 20, 8, 3), chunk('PLTE', Buffer.alloc(3)), idat(Buffer.alloc(420, 0).fill(200, 1, 20)), END),
      EITHER,
    ],
    [
      'PNG of a palette of 300 colours',
      file(header(20, 20, 8, 3), chunk('PLTE', Buffer.alloc(900)), idat(rows(20, 20)), END),
      EITHER,
    ],
    [
      'PNG whose transparency is longer than its palette',
      file(
        header(20, 20, 8, 3),
        chunk('PLTE', Buffer.alloc(6)),
        chunk('tRNS', Buffer.alloc(256)),
        idat(rows(20, 20)),
        END,
      ),
      EITHER,
    ],
    ['PNG of gamma 0', image(chunk('gAMA', number(0))), EITHER],
    ['PNG of nonsense colours', image(chunk('cHRM', Buffer.alloc(32, 255))), EITHER],
    [
      'PNG of a profile that is none',
      image(chunk('iCCP', Buffer.concat([keyword, deflateSync(Buffer.from('not a profile'))]))),
      EITHER,
    ],
    ['PNG of EXIF that is none', image(chunk('eXIf', Buffer.from('II*\0\xff\xff\xff\xff', 'latin1'))), EITHER],
    ['PNG that moves (APNG)', file(header(20, 20), chunk('acTL', apng), idat(rows(20, 20)), END), EITHER],
    ['PNG of the signature alone', SIGNATURE, INVALID],
    ['PNG with 3 MB behind its end', Buffer.concat([image(), Buffer.alloc(3_000_000, 7)]), EITHER],
    ['PNG of one pixel', file(header(1, 1), idat(Buffer.alloc(2)), END), ['accepted']],
    ['PNG of 1 bit', file(header(16, 4, 1), idat(Buffer.alloc(12)), END), ['accepted']],
  ].map(([what, bytes, becomes]) => ({ what, bytes, becomes }) as Crafted);
}
