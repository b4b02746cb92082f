import { open, utimes, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Metrics } from '../metrics.ts';
import type { Storage } from '../storage.ts';
import type { Artists } from './artists.ts';
import type { Drawing } from './draw.ts';
import type { PictureIndex } from './index.ts';
import type { Shelf } from './shelf.ts';

/** A file's time is its last use, this finely: enough to know what is old when the index is lost. */
const TOUCH_MS = 600_000;

async function readKept(path: string): Promise<Buffer | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return null;
  try {
    const { mtimeMs } = await handle.stat();
    const bytes = await handle.readFile();
    const now = new Date();
    if (now.getTime() - mtimeMs > TOUCH_MS) await utimes(path, now, now).catch(() => {});
    return bytes;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
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
  shelf: Pick<Shelf, 'added'>;
}) {
  const { storage, metrics, artists, index, shelf } = deps;
  const running = new Map<string, Promise<Buffer>>();

  async function make(path: string, describe: () => Promise<Drawing>): Promise<Buffer> {
    const bytes = await artists.draw(await describe());
    const temporary = storage.temporaryPath();
    try {
      await writeFile(temporary, bytes);
      await storage.place(temporary, path, false);
      index.use(basename(path));
      shelf.added(bytes.length);
    } catch {
      // A full disk costs the copy, not the picture.
      await storage.discard(temporary).catch(() => {});
    }
    return bytes;
  }

  /** @param describe is only asked where the picture is not kept. */
  return async function picture(path: string, describe: () => Promise<Drawing>): Promise<Buffer> {
    const other = running.get(path);
    if (other) {
      metrics.cacheHit('picture');
      return other;
    }
    const making = readKept(path).then((kept) => {
      if (kept) {
        metrics.cacheHit('picture');
        index.use(basename(path));
        return kept;
      }
      metrics.cacheMiss('picture');
      return make(path, describe);
    });
    running.set(path, making);
    return making.finally(() => running.delete(path));
  };
}
