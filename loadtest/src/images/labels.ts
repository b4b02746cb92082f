import sharp from 'sharp';

export interface Labels {
  width: number;
  height: number;
  /** Row-major: 0 background, any other number one object. */
  data: Uint16Array;
}

/** Reads a grey label picture of 8 or 16 bit. @throws Error that names the file when it cannot be decoded. */
export async function readLabels(path: string): Promise<Labels> {
  try {
    const { data, info } = await sharp(path, { limitInputPixels: 64e6 })
      .toColourspace('grey16')
      .extractChannel(0)
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const { depth } = await sharp(path).metadata();
    const words = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    // Turning 8 bit into 16 scales by 257 or 256; the labels themselves are wanted.
    if (depth === 'uchar') words.forEach((value, i) => (words[i] = value >> 8));
    return { width: info.width, height: info.height, data: words };
  } catch (error) {
    throw new Error(`labels ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
