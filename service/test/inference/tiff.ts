/** What a TIFF page says and holds. Samples are interleaved, in file order, one number a sample. */
export interface TiffPage {
  width: number;
  height: number;
  samples: ArrayLike<number>;
  samplesPerPixel?: number;
  /** Bits a sample; below 8, the samples of a row are packed, and the row is filled to whole bytes. */
  bits?: 1 | 2 | 4 | 8 | 16 | 32 | 64;
  /** 1 unsigned, 2 signed, 3 floating point. */
  sampleFormat?: 1 | 2 | 3;
  /** 0 min-is-white, 1 min-is-black, 2 RGB, 3 palette, 5 CMYK, 8 CIELAB. */
  photometric?: 0 | 1 | 2 | 3 | 5 | 8;
  /** One for each sample past the colours: 0 unspecified, 1 premultiplied alpha, 2 alpha. */
  extraSamples?: number[];
  orientation?: number;
  /** Red, green and blue of each index, one after the other in 16 bits. */
  colourMap?: number[];
}

function write(view: DataView, at: number, value: number, bits: number, format: number): void {
  if (bits === 8 && format === 2) view.setInt8(at, value);
  else if (bits === 8) view.setUint8(at, value);
  else if (bits === 16 && format === 2) view.setInt16(at, value, true);
  else if (bits === 16) view.setUint16(at, value, true);
  else if (bits === 32 && format === 3) view.setFloat32(at, value, true);
  else if (bits === 32 && format === 2) view.setInt32(at, value, true);
  else if (bits === 32) view.setUint32(at, value, true);
  else view.setFloat64(at, value, true);
}

function pixelsOf({ width, height, samples, samplesPerPixel = 1, bits = 8, sampleFormat = 1 }: TiffPage): Buffer {
  const perRow = width * samplesPerPixel;
  const rowBytes = Math.ceil((perRow * bits) / 8);
  const out = Buffer.alloc(rowBytes * height);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let y = 0; y < height; y++)
    for (let i = 0; i < perRow; i++) {
      const value = samples[y * perRow + i]!;
      if (bits >= 8) write(view, y * rowBytes + (i * bits) / 8, value, bits, sampleFormat);
      else out[y * rowBytes + ((i * bits) >> 3)]! |= value << (8 - bits - ((i * bits) & 7));
    }
  return out;
}

/** Little-endian TIFF 6.0 without compression, one strip a page: what other programs write and sharp cannot. */
export function tiffOf(...pages: TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0', 'latin1'), Buffer.alloc(4)];
  let length = 8;
  let link = { buffer: parts[1]!, at: 0 };
  const add = (part: Buffer): number => {
    const at = length;
    parts.push(part, Buffer.alloc(part.length % 2));
    length += part.length + (part.length % 2);
    return at;
  };
  for (const page of pages) {
    const { width, height, samplesPerPixel = 1, bits = 8, sampleFormat = 1, photometric = 1, orientation } = page;
    const strip = pixelsOf(page);
    const offset = add(strip);
    const shorts = (values: number[]) => Buffer.from(Uint16Array.from(values).buffer);
    const tags: [tag: number, type: 3 | 4, values: number[]][] = [
      [256, 4, [width]],
      [257, 4, [height]],
      [258, 3, Array.from({ length: samplesPerPixel }, () => bits)],
      [259, 3, [1]],
      [262, 3, [photometric]],
      [273, 4, [offset]],
      ...(orientation === undefined ? [] : [[274, 3, [orientation]] as [number, 3, number[]]]),
      [277, 3, [samplesPerPixel]],
      [278, 4, [height]],
      [279, 4, [strip.length]],
      ...(page.colourMap === undefined ? [] : [[320, 3, page.colourMap] as [number, 3, number[]]]),
      ...(page.extraSamples === undefined ? [] : [[338, 3, page.extraSamples] as [number, 3, number[]]]),
      [339, 3, Array.from({ length: samplesPerPixel }, () => sampleFormat)],
    ];
    const directory = Buffer.alloc(2 + tags.length * 12 + 4);
    directory.writeUInt16LE(tags.length, 0);
    tags.forEach(([tag, type, values], i) => {
      const at = 2 + i * 12;
      directory.writeUInt16LE(tag, at);
      directory.writeUInt16LE(type, at + 2);
      directory.writeUInt32LE(values.length, at + 4);
      if (type === 4) directory.writeUInt32LE(values[0]!, at + 8);
      else if (values.length <= 2) values.forEach((value, j) => directory.writeUInt16LE(value, at + 8 + 2 * j));
      else directory.writeUInt32LE(add(shorts(values)), at + 8);
    });
    link.buffer.writeUInt32LE(add(directory), link.at);
    link = { buffer: directory, at: directory.length - 4 };
  }
  return Buffer.concat(parts);
}
