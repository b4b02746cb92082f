import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable, pipeline } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { refuseUnsafeName } from './entry-name.ts';

/** One file of an archive: its bytes, stored as they are, or pieces of it, which are deflated on the way. */
export interface ZipEntry {
  name: string;
  content: Uint8Array | Iterable<Uint8Array>;
}
/** From `entries` on, and above `bytes`, a field holds all ones and the value stands in the zip64 part (APPNOTE 4.4.1.4). */
interface Limits {
  bytes: number;
  entries: number;
}
const LIMITS: Limits = { bytes: 0xffff_ffff, entries: 0xffff };

const UTF8_NAME = 1 << 11;
const SIZES_FOLLOW = 1 << 3;
const STORED = 0;
const DEFLATED = 8;
const SPOOL_BYTES = 64 * 1024;
/** Label images are mostly zeros: more effort costs CPU and gains next to nothing. */
const LEVEL = 1;

interface Written {
  name: Buffer;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

type Put = (value: number) => void;
/** Little-endian numbers one after the other. */
function record(bytes: number, fill: (put: { u16: Put; u32: Put; u64: Put }) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  let at = 0;
  fill({
    u16: (value) => (at = buffer.writeUInt16LE(value, at)),
    u32: (value) => (at = buffer.writeUInt32LE(value, at)),
    u64: (value) => (at = buffer.writeBigUInt64LE(BigInt(value), at)),
  });
  return buffer;
}
/** 1 January 1980, the earliest that the format knows: the same results give the same bytes. */
const NO_DATE = 0x0021_0000;

function localHeader({ name, flags, method, crc, packed, size }: Written): Buffer {
  const header = record(30, ({ u16, u32 }) => {
    u32(0x0403_4b50);
    u16(20);
    u16(flags);
    u16(method);
    u32(NO_DATE);
    u32(crc);
    u32(packed);
    u32(size);
    u16(name.length);
    u16(0);
  });
  return Buffer.concat([header, name]);
}

function descriptor({ crc, packed, size }: Written, limits: Limits): Buffer {
  const large = Math.max(packed, size) > limits.bytes;
  return record(large ? 24 : 16, ({ u32, u64 }) => {
    u32(0x0807_4b50);
    u32(crc);
    (large ? u64 : u32)(packed);
    (large ? u64 : u32)(size);
  });
}

function centralHeader({ name, flags, method, crc, packed, size, offset }: Written, limits: Limits): Buffer {
  const large = [size, packed, offset].filter((value) => value > limits.bytes);
  const capped = (value: number) => (value > limits.bytes ? 0xffff_ffff : value);
  const extra = large.length === 0 ? 0 : 4 + 8 * large.length;
  const header = record(46, ({ u16, u32 }) => {
    u32(0x0201_4b50);
    u16(45);
    u16(extra > 0 ? 45 : 20);
    u16(flags);
    u16(method);
    u32(NO_DATE);
    u32(crc);
    u32(capped(packed));
    u32(capped(size));
    u16(name.length);
    u16(extra);
    // Comment, disk, attributes inside and outside: none.
    for (let i = 0; i < 3; i++) u16(0);
    u32(0);
    u32(capped(offset));
  });
  const zip64 = record(extra, ({ u16, u64 }) => {
    if (extra === 0) return;
    u16(1);
    u16(extra - 4);
    for (const value of large) u64(value);
  });
  return Buffer.concat([header, name, zip64]);
}

function ending(entries: number, bytes: number, offset: number, limits: Limits): Buffer {
  const large = entries >= limits.entries || bytes > limits.bytes || offset > limits.bytes;
  const end64 = record(large ? 76 : 0, ({ u16, u32, u64 }) => {
    if (!large) return;
    u32(0x0606_4b50);
    u64(44);
    u16(45);
    u16(45);
    u32(0);
    u32(0);
    u64(entries);
    u64(entries);
    u64(bytes);
    u64(offset);
    u32(0x0706_4b50);
    u32(0);
    u64(offset + bytes);
    u32(1);
  });
  const end = record(22, ({ u16, u32 }) => {
    u32(0x0605_4b50);
    u16(0);
    u16(0);
    for (let i = 0; i < 2; i++) u16(large ? 0xffff : entries);
    u32(large ? 0xffff_ffff : bytes);
    u32(large ? 0xffff_ffff : offset);
    u16(0);
  });
  return Buffer.concat([end64, end]);
}

/**
 * A ZIP archive as a stream. Neither the files nor the table at its end are held in memory: the table of a million small files
 * waits in `spoolPath`, which the caller removes.
 */
export async function* zip(
  entries: AsyncIterable<ZipEntry>,
  spoolPath: string,
  limits: Limits = LIMITS,
): AsyncGenerator<Buffer> {
  const spool = await open(spoolPath, 'wx');
  let table: Buffer[] = [];
  let tableBytes = 0;
  let count = 0;
  let offset = 0;
  const spill = async () => {
    if (table.length > 0) await spool.appendFile(Buffer.concat(table));
    table = [];
  };
  let held = 0;
  try {
    for await (const { name, content } of entries) {
      refuseUnsafeName(name);
      const entry: Written = {
        name: Buffer.from(name),
        flags: UTF8_NAME,
        method: STORED,
        crc: 0,
        packed: 0,
        size: 0,
        offset,
      };
      if (content instanceof Uint8Array) {
        entry.crc = crc32(content);
        entry.packed = entry.size = content.length;
        const header = localHeader(entry);
        yield Buffer.concat([header, content]);
        offset += header.length + content.length;
      } else {
        entry.flags |= SIZES_FOLLOW;
        entry.method = DEFLATED;
        const header = localHeader(entry);
        yield header;
        const packer = createDeflateRaw({ level: LEVEL });
        // An error reaches the loop below through the packer.
        pipeline(Readable.from(metered(entry, content)), packer, () => {});
        for await (const piece of packer as AsyncIterable<Buffer>) {
          entry.packed += piece.length;
          yield piece;
        }
        const trailer = descriptor(entry, limits);
        yield trailer;
        offset += header.length + entry.packed + trailer.length;
      }
      const central = centralHeader(entry, limits);
      table.push(central);
      tableBytes += central.length;
      held += central.length;
      count++;
      if (held < SPOOL_BYTES) continue;
      held = 0;
      await spill();
    }
    await spill();
  } finally {
    await spool.close();
  }
  for await (const piece of createReadStream(spoolPath) as AsyncIterable<Buffer>) yield piece;
  yield ending(count, tableBytes, offset, limits);
}

function* metered(entry: Written, content: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of content) {
    entry.crc = crc32(piece, entry.crc);
    entry.size += piece.length;
    yield piece;
  }
}
