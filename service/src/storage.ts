import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasTag } from './tenants/first.ts';

const FOLDERS = ['blobs', 'exports', 'derived', 'tmp'] as const;
export type Folder = Exclude<(typeof FOLDERS)[number], 'tmp'>;

/** Temporary files older than this belong to a process that died. */
const STALE_TEMPORARY_MS = 3_600_000;

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Files under one folder: `blobs/ab/cd/<sha256>` by content, `exports/<id>`, `derived/…` (pictures, rebuilt at will), `tmp/…`.
 * A file appears under its name only once it is complete and synced: written to `tmp`, fsync, rename, fsync of the folder.
 */
export function createStorage(dataDir: string) {
  const temporaryDir = join(dataDir, 'tmp');
  const path = (sha256: string) => join(dataDir, 'blobs', sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  const exportPath = (exportId: string) => join(dataDir, 'exports', exportId);
  const derivedDir = (id: string) => join(dataDir, 'derived', id.slice(0, 2), id.slice(2, 4));
  const derivedPath = (id: string, name: string) => join(derivedDir(id), `${id}-${name}`);

  return {
    dataDir,
    temporaryDir,
    /** Absolute path of the bytes with this hash (64 hex digits), there or not. */
    path,
    exportPath,
    derivedPath,
    /** Creates the folders and removes what a dead process left in `tmp`. */
    async open(): Promise<void> {
      for (const name of FOLDERS) await mkdir(join(dataDir, name), { recursive: true });
      const now = Date.now();
      for (const name of await readdir(temporaryDir)) {
        const file = join(temporaryDir, name);
        const info = await stat(file).catch(() => null);
        if (info && now - info.mtimeMs > STALE_TEMPORARY_MS) await rm(file, { force: true });
      }
    },
    temporaryPath: (): string => join(temporaryDir, randomUUID()),
    /**
     * Moves synced temporary files to their content's name, also over the same bytes: then it takes the same time whether somebody
     * has stored them before or not.
     * Folders are synced once each, before this resolves.
     */
    async commit(files: readonly { temporary: string; sha256: string }[]): Promise<void> {
      const folders = new Set<string>();
      await Promise.all(
        files.map(async ({ temporary, sha256 }) => {
          const target = path(sha256);
          const folder = dirname(target);
          const created = await mkdir(folder, { recursive: true });
          await rename(temporary, target);
          folders.add(folder);
          if (created !== undefined)
            for (let up = dirname(folder); up.length >= dataDir.length; up = dirname(up)) folders.add(up);
        }),
      );
      await Promise.all([...folders].map(syncFolder));
    },
    /** Writes a whole derived or export file: temporary, rename. `durable` also syncs. */
    async place(temporary: string, target: string, durable: boolean): Promise<void> {
      await mkdir(dirname(target), { recursive: true });
      await rename(temporary, target);
      if (durable) await syncFolder(dirname(target));
    },
    discard: (file: string): Promise<void> => rm(file, { force: true }),
    /** Removes all pictures made from these bytes (by hash) or this result (by id); with `tag` those of one tenant. */
    async discardDerived(id: string, tag?: string): Promise<void> {
      const names = await readdir(derivedDir(id)).catch(() => []);
      for (const name of names)
        if (name.startsWith(`${id}-`) && (tag === undefined || hasTag(name.slice(id.length + 1), tag)))
          await rm(join(derivedDir(id), name), { force: true });
    },
    /** Folders directly under one of ours that hold files, for who goes through all of them: `''` is the folder itself. */
    async shards(folder: Folder): Promise<string[]> {
      if (folder === 'exports') return [''];
      return readdir(join(dataDir, folder)).catch(() => []);
    },
    /** Paths of all files in a shard. */
    async files(folder: Folder, shard: string): Promise<string[]> {
      const options = { recursive: true, withFileTypes: true } as const;
      const entries = await readdir(join(dataDir, folder, shard), options).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    },
  };
}
export type Storage = ReturnType<typeof createStorage>;
