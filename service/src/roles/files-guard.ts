import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sql } from '../database/client.ts';
import type { InferenceBackend } from '../inference/pool/backend.ts';
import type { Storage } from '../storage.ts';

/** Some may be on their way out; all of them are not. */
const LOOKED_AT = 8;

const isReadable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

/**
 * Tells a file that is missing from a folder that is wrong, or not mounted: in that every image would fail, and a worker that fails
 * at once takes more of them than those that work.
 * @param onLost called before an image fails for want of the folder
 */
export function guardFiles(sql: Sql, storage: Storage, onLost: () => void) {
  const { promise: lost, resolve } = Promise.withResolvers<Error>();

  async function whyForeign(): Promise<Error | null> {
    const stored = await sql<
      { sha256: string }[]
    >`SELECT encode(sha256, 'hex') AS sha256 FROM blobs LIMIT ${LOOKED_AT}`;
    const seen = await Promise.all(stored.map(({ sha256 }) => isReadable(storage.path(sha256))));
    if (stored.length === 0 || seen.includes(true)) return null;
    // The few files of a small service may be lost for themselves: their folders are still there.
    const folders = await Promise.all(stored.map(({ sha256 }) => isReadable(dirname(storage.path(sha256)))));
    if (stored.length < LOOKED_AT && !folders.includes(false)) return null;
    return new Error(
      `DATA_DIR is "${storage.dataDir}", where no stored file can be read (of ${stored.length} looked for): expected the service's folder, mounted and readable`,
    );
  }
  return {
    /** Resolves with the cause once the folder is not the service's any more. */
    lost,
    /** @throws Error where the folder is not the one of this database */
    async check(): Promise<void> {
      const foreign = await whyForeign();
      if (foreign) throw foreign;
    },
    guard: (backend: InferenceBackend): InferenceBackend => ({
      ...backend,
      infer: (request, options) =>
        backend.infer(request, options).catch(async (error: unknown) => {
          const foreign = (await isReadable(request.file)) ? null : await whyForeign();
          if (foreign) {
            resolve(foreign);
            onLost();
          }
          throw error;
        }),
    }),
  };
}
