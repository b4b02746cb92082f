import { open, stat, utimes, writeFile, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { ApiError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Storage } from '../storage.ts';
import type { Artists } from './artists.ts';
import type { Drawing } from './draw.ts';
import type { PictureIndex } from './index.ts';
import type { Shelf } from './shelf.ts';

/** A file's time is its last use, this finely: enough to know what is old when the index is lost. */
const TOUCH_MS = 600_000;

/** Hands an open kept file to `read`, and notes that it was used; null where there is none. */
async function withKept<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { mtimeMs } = await handle.stat();
    const found = await read(handle);
    const now = new Date();
    if (now.getTime() - mtimeMs > TOUCH_MS) await utimes(path, now, now).catch(() => {});
    return found;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/** A picture that is kept as a file for others to be drawn from. */
export interface Whole {
  path: string;
  /** @param to where it is written first */
  describe: (to: string) => Drawing;
}

/**
 * Pictures made from what never changes, kept on disk under a name that says how they were made. Equal requests at the same time
 * make one.
 */
export function createPictureStore(deps: {
  storage: Storage;
  metrics: Metrics;
  artists: Pick<Artists, 'draw'>;
  index: PictureIndex;
  shelf: Pick<Shelf, 'added' | 'holding'>;
}) {
  const { storage, metrics, artists, index, shelf } = deps;
  const running = new Map<string, Promise<unknown>>();

  async function shelve(temporary: string, path: string, size: number): Promise<void> {
    await storage.place(temporary, path, false);
    index.use(basename(path));
    shelf.added(size);
  }
  async function make(path: string, describe: () => Promise<Drawing>): Promise<Buffer> {
    const bytes = await artists.draw(await describe());
    const temporary = storage.temporaryPath();
    try {
      await writeFile(temporary, bytes);
      await shelve(temporary, path, bytes.length);
    } catch {
      // A full disk costs the copy, not the picture.
      await storage.discard(temporary).catch(() => {});
    }
    return bytes;
  }
  async function makeWhole({ path, describe }: Whole): Promise<true> {
    const temporary = storage.temporaryPath();
    try {
      await artists.draw(describe(temporary));
      await shelve(temporary, path, (await stat(temporary)).size);
      return true;
    } catch (error) {
      await storage.discard(temporary).catch(() => {});
      throw error;
    }
  }
  /** What is kept, else what `work` makes. */
  function once<T>(path: string, read: (handle: FileHandle) => Promise<T>, work: () => Promise<T>): Promise<T> {
    const other = running.get(path);
    if (other) {
      metrics.cacheHit('picture');
      return other as Promise<T>;
    }
    const making = withKept(path, read).then((kept) => {
      if (kept === null) {
        metrics.cacheMiss('picture');
        return work();
      }
      metrics.cacheHit('picture');
      index.use(basename(path));
      return kept;
    });
    running.set(path, making);
    return making.finally(() => running.delete(path));
  }
  /** @param describe is only asked where the picture is not kept. */
  const picture = (path: string, describe: () => Promise<Drawing>): Promise<Buffer> =>
    once(
      path,
      (handle) => handle.readFile(),
      () => make(path, describe),
    );

  return {
    picture,
    /** What is kept already; null where it would have to be drawn. */
    async kept(path: string): Promise<Buffer | null> {
      const bytes = await withKept(path, (handle) => handle.readFile());
      if (bytes) {
        metrics.cacheHit('picture');
        index.use(basename(path));
      }
      return bytes;
    },
    /** A picture that is drawn from a whole one, which is made before where it is not kept. */
    part: (path: string, whole: Whole, drawing: Drawing): Promise<Buffer> =>
      shelf.holding(whole.path, () => {
        const cut = () =>
          picture(path, async () => {
            await once(
              whole.path,
              async () => true,
              () => makeWhole(whole),
            );
            return drawing;
          });
        return cut().catch((error: unknown) => {
          // A clearing had begun to take the whole away just before it was held: it is made anew. Where the image is gone, so is that.
          if (error instanceof ApiError && error.code === 'NOT_FOUND') return cut();
          throw error;
        });
      }),
  };
}
export type PictureStore = ReturnType<typeof createPictureStore>;
