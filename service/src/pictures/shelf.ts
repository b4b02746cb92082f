import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { startLoop, type Loop } from '../batches/loop.ts';
import type { Storage } from '../storage.ts';
import type { PictureIndex } from './index.ts';

/** Below the bound after a clearing, so that not every further picture needs one. */
const KEPT_SHARE = 0.9;
/** Other processes add to the same folder; what they did is seen this often, or when this one alone is over the bound. */
const LOOK_AGAIN_MS = 300_000;

/**
 * Keeps drawn pictures on disk within a bound: those that were not used for longest go, in the background. What is there is read
 * from the folder itself, so that nothing is forgotten by a restart, and several processes may share it.
 */
export function createShelf(deps: {
  storage: Storage;
  index: PictureIndex;
  maxBytes: number;
  onError: (error: unknown) => void;
}) {
  const { storage, index, maxBytes, onError } = deps;
  let bytes = 0;
  /** Files that somebody draws from, and how many do. */
  const held = new Map<string, number>();
  const counts = { removedFiles: 0, removedBytes: 0, clearings: 0 };
  let loop: Loop | undefined;

  async function look(): Promise<{ file: string; name: string; size: number; usedAt: number }[]> {
    const found = [];
    for (const shard of await storage.shards('derived'))
      for (const file of await storage.files('derived', shard)) {
        const info = await stat(file).catch(() => null);
        if (info) found.push({ file, name: basename(file), size: info.size, usedAt: info.mtimeMs });
      }
    return found;
  }

  /** Removes what is over the bound. Someone may be reading a file that goes: he has it open, or draws it anew. */
  async function clear(): Promise<void> {
    const files = await look();
    let total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > maxBytes) {
      counts.clearings++;
      const used = await index.lastUses(files.map(({ name }) => name));
      const recent = (at: { name: string; usedAt: number }) => Math.max(at.usedAt, used.get(at.name) ?? 0);
      const gone: string[] = [];
      for (const each of files.toSorted((a, b) => recent(a) - recent(b))) {
        if (total <= maxBytes * KEPT_SHARE) break;
        if (held.has(each.file)) continue;
        await storage.discard(each.file);
        gone.push(each.name);
        total -= each.size;
        counts.removedBytes += each.size;
      }
      counts.removedFiles += gone.length;
      await index.forget(gone);
    }
    await index.shrink(files.length);
    bytes = total;
  }

  return {
    added(size: number): void {
      bytes += size;
      if (bytes > maxBytes) loop?.wake();
    },
    /** Nothing takes the file away while `work` reads it; other processes of the same folder don't know of it. */
    async holding<T>(file: string, work: () => Promise<T>): Promise<T> {
      held.set(file, (held.get(file) ?? 0) + 1);
      try {
        return await work();
      } finally {
        const left = held.get(file)! - 1;
        if (left > 0) held.set(file, left);
        else {
          held.delete(file);
          if (bytes > maxBytes) loop?.wake();
        }
      }
    },
    clear,
    stats: () => ({ ...counts, bytes }),
    start(): void {
      loop = startLoop({ everyMs: LOOK_AGAIN_MS, step: clear, onError });
    },
    async close(): Promise<void> {
      await loop?.stop();
    },
  };
}
export type Shelf = ReturnType<typeof createShelf>;
