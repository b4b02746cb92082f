import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { mayRemoveBytes } from '../database/bytes-lock.ts';
import type { Sql, Transaction } from '../database/client.ts';
import type { Folder, Storage } from '../storage.ts';
import type { CollectDeps } from './collect.ts';

const HASH = /^[0-9a-f]{64}/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const FOLDERS: readonly Folder[] = ['blobs', 'derived', 'exports'];

/** Which of these owners of files still have a row. */
async function living(sql: Sql, owners: readonly string[]): Promise<Set<string>> {
  const hashes = owners.filter((owner) => HASH.test(owner));
  const ids = owners.filter((owner) => UUID.test(owner));
  const rows = await sql<{ owner: string }[]>`
    select encode(sha256, 'hex') as owner from blobs
      where sha256 = any(array(select decode(h, 'hex') from unnest(${hashes}::text[]) as h))
    union all select id::text from results where id = any(${ids}::uuid[])
    union all select id::text from exports where id = any(${ids}::uuid[])`;
  return new Set(rows.map(({ owner }) => owner));
}

const isOlder = async (file: string, ageMs: number): Promise<boolean> => {
  const info = await stat(file).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs >= ageMs;
};

/** An upload that is storing these bytes now relies on the file; one that has stored them has a row. */
async function discardUnused(tx: Transaction, storage: Storage, sha256: string, file: string): Promise<boolean> {
  if (!(await mayRemoveBytes(tx, sha256))) return false;
  const [row] = await tx`select 1 as one from blobs where sha256 = ${Buffer.from(sha256, 'hex')}`;
  if (row) return false;
  await storage.discard(file);
  return true;
}

/** Removes files that no row leads to: of an upload or export that was killed, or a picture drawn while its source was removed. */
async function sweepShard({ sql, storage, graceMs }: CollectDeps, folder: Folder, shard: string): Promise<number> {
  const files = await storage.files(folder, shard);
  const ownerOf = (file: string) => HASH.exec(basename(file))?.[0] ?? UUID.exec(basename(file))?.[0];
  const owners = new Set(files.flatMap((file) => ownerOf(file) ?? []));
  const known = await living(sql, [...owners]);
  let removed = 0;
  for (const file of files) {
    const owner = ownerOf(file);
    if (owner === undefined || known.has(owner) || !(await isOlder(file, graceMs))) continue;
    if (!HASH.test(owner)) await storage.discard(file);
    else if (!(await sql.begin((tx) => discardUnused(tx, storage, owner, file)))) continue;
    removed++;
  }
  return removed;
}

/** Goes through all files, one folder a call, and begins again after the last. */
export function createSweep(deps: CollectDeps) {
  const left: { folder: Folder; shard: string }[] = [];
  return {
    /** @returns how many files were removed, and whether this round is over. */
    async step(): Promise<{ removed: number; over: boolean }> {
      if (left.length === 0)
        for (const folder of FOLDERS)
          left.push(...(await deps.storage.shards(folder)).map((shard) => ({ folder, shard })));
      const next = left.pop();
      const removed = next ? await sweepShard(deps, next.folder, next.shard) : 0;
      return { removed, over: left.length === 0 };
    },
  };
}
