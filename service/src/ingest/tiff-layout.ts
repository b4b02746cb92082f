import { open, type FileHandle } from 'node:fs/promises';

const PHOTOMETRIC = 262;
const SAMPLES_PER_PIXEL = 277;
const ROWS_PER_STRIP = 278;
const PLANAR_CONFIGURATION = 284;
const WANTED = new Set([PHOTOMETRIC, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, PLANAR_CONFIGURATION]);
/** Of a page; more would be no picture. */
const MAX_ENTRIES = 4_096;
const MAX_PAGES = 10_000;

interface Form {
  little: boolean;
  big: boolean;
}
type Tags = Map<number, number>;

async function bytesAt(file: FileHandle, position: number, length: number): Promise<DataView | null> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytesRead === length ? new DataView(bytes.buffer) : null;
}
const offsetIn = (view: DataView, at: number, { little, big }: Form): number =>
  big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);

/** The first value of each wanted tag of one directory, and where the next directory is (0 after the last). */
async function readDirectory(file: FileHandle, position: number, form: Form) {
  const head = await bytesAt(file, position, form.big ? 8 : 2);
  if (!head) return null;
  const count = form.big ? offsetIn(head, 0, form) : head.getUint16(0, form.little);
  if (count > MAX_ENTRIES) return null;
  const size = form.big ? 20 : 12;
  const view = await bytesAt(file, position + head.byteLength, count * size + (form.big ? 8 : 4));
  if (!view) return null;
  const tags: Tags = new Map();
  for (let index = 0; index < count; index++) {
    const at = index * size;
    const tag = view.getUint16(at, form.little);
    if (!WANTED.has(tag)) continue;
    const isShort = view.getUint16(at + 2, form.little) === 3;
    const value = at + (form.big ? 12 : 8);
    tags.set(tag, isShort ? view.getUint16(value, form.little) : view.getUint32(value, form.little));
  }
  return { tags, next: offsetIn(view, count * size, form) };
}

/** Gray samples, each a plane of its own, in strips of several rows. */
function isMisread(tags: Tags): boolean {
  const of = (tag: number, absent: number) => tags.get(tag) ?? absent;
  return (
    of(PLANAR_CONFIGURATION, 1) === 2 &&
    of(SAMPLES_PER_PIXEL, 1) > 1 &&
    of(PHOTOMETRIC, 1) <= 1 &&
    of(ROWS_PER_STRIP, 2 ** 32 - 1) > 1
  );
}

/** Calls `see` with the tags of each page in turn, until it gives something other than null, which is the result. */
async function searchPages<T>(path: string, see: (tags: Tags, page: number) => T | null): Promise<T | null> {
  const file = await open(path, 'r');
  try {
    const head = await bytesAt(file, 0, 16);
    if (!head) return null;
    const little = head.getUint8(0) === 0x49;
    const big = head.getUint16(2, little) === 43;
    const form = { little, big };
    let position = offsetIn(head, big ? 8 : 4, form);
    const seen = new Set<number>();
    for (let page = 0; position > 0 && page < MAX_PAGES && !seen.has(position); page++) {
      seen.add(position);
      const directory = await readDirectory(file, position, form);
      if (!directory) return null;
      const found = see(directory.tags, page);
      if (found !== null) return found;
      position = directory.next;
    }
    return null;
  } finally {
    await file.close();
  }
}

/** Whether a page of a TIFF shows its least value as white (PhotometricInterpretation 0). */
export const isMinIsWhite = async (path: string, page: number): Promise<boolean> =>
  (await searchPages(path, (tags, at) => (at === page ? tags.get(PHOTOMETRIC) === 0 : null))) ?? false;

/**
 * Finds the one layout of a TIFF that libvips (8.18) decodes without an error into other pixels than those of the file: its
 * lines are taken as long as all samples together. Everything else that it cannot read it says itself.
 * @returns what is wrong, or null
 */
export const findMisreadLayout = (path: string): Promise<string | null> =>
  searchPages(path, (tags, page) =>
    isMisread(tags)
      ? `page ${page} keeps ${tags.get(SAMPLES_PER_PIXEL)} gray samples in separate planes (PlanarConfiguration 2): expected interleaved samples, or a page for each`
      : null,
  );
