import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Sql } from '../database/client.ts';
import type { Storage } from '../storage.ts';

/** A younger file may belong to a row that is not there yet. */
const STALE_MS = 3_600_000;
const PAGE = 1000;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Removes exports that were written, or have failed, this long ago. Their rows first: a row that is there has its file. */
export async function expireExports(sql: Sql, storage: Storage, keepMs: number): Promise<number> {
  const expired = await sql<{ id: string }[]>`
    delete from exports where finished_at < clock_timestamp() - ${keepMs}::float8 * interval '1 ms' returning id`;
  for (const { id } of expired) await storage.discard(storage.exportPath(id));
  return expired.length;
}

/** Removes files of exports that are gone: a process may die between the deletion of a project and that of its files. */
export async function sweepExports(sql: Sql, storage: Storage, now: number = Date.now()): Promise<number> {
  const folder = dirname(storage.exportPath('any'));
  const names = (await readdir(folder)).filter((name) => ID.test(name));
  let removed = 0;
  for (let at = 0; at < names.length; at += PAGE) {
    const page = names.slice(at, at + PAGE);
    const rows = await sql<{ id: string }[]>`select id from exports where id = any(${page}::uuid[])`;
    const known = new Set(rows.map(({ id }) => id));
    for (const name of page) {
      if (known.has(name)) continue;
      const info = await stat(join(folder, name)).catch(() => null);
      if (!info || now - info.mtimeMs < STALE_MS) continue;
      await storage.discard(join(folder, name));
      removed++;
    }
  }
  return removed;
}
