import sharp from 'sharp';

/** A PNG of noise that differs by `seed`, so that its bytes do. */
export function picture(
  seed: number,
  options: { width?: number; height?: number; format?: 'png' | 'jpeg' | 'tiff' | 'webp' } = {},
) {
  const { width = 64, height = 48, format = 'png' } = options;
  const data = Buffer.alloc(width * height);
  let state = seed * 2654435761 + 1;
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = state >>> 24;
  }
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .toFormat(format)
    .toBuffer();
}

export function form(files: { name: string; bytes: Uint8Array; field?: string }[]): FormData {
  const body = new FormData();
  for (const { name, bytes, field = 'files' } of files) body.append(field, new Blob([new Uint8Array(bytes)]), name);
  return body;
}
