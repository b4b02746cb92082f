import { createHash } from 'node:crypto';

export interface SourceImage {
  /** Relative path with `/`, as it is sent in the upload. */
  name: string;
  /** Where the file lies. */
  path: string;
  sizeBytes: number;
  sha256: string;
  mimeType: string;
  /** Pixels and cells, as far as a manifest tells; the service decodes for itself. */
  width: number | null;
  height: number | null;
  cells: number | null;
  /** PNG of ground truth: 0 background, one number a cell. */
  labelsPath: string | null;
}

export interface ImageSet {
  source: 'synthetic' | 'directory';
  /** Names the set in the accuracy report. */
  dataset: string;
  split: string | null;
  /** In the order of upload. */
  images: SourceImage[];
  bytes: number;
  sha256OfSet: string;
  /** Files of the folder that are no images, each with the reason. */
  ignored: { name: string; reason: string }[];
  /** Images that cannot be read from disk: reported among the rejected ones. */
  unreadable: { name: string; code: string; message: string }[];
}

/** SHA-256 over `<sha256>  <name>\n` a file, sorted by name: what `sha256sum` prints for the set, hashed. Independent of order. */
export function sha256OfSet(images: readonly { name: string; sha256: string }[]): string {
  const lines = images.map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
  return createHash('sha256').update(lines.join('')).digest('hex');
}

export const MIME_BY_EXTENSION: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  webp: 'image/webp',
};

/** Undefined where the name ends in none of the extensions above. */
export function mimeOf(name: string): string | undefined {
  const extension = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  return extension === undefined ? undefined : MIME_BY_EXTENSION[extension];
}
