import { readFile, readdir } from 'node:fs/promises';
import { createDatabase, type Sql, type Transaction } from './client.ts';
import { buildWall, DEFAULT_ROLE, NO_WALL } from './wall.ts';

const FOLDER = new URL('../../migrations/', import.meta.url);
/** Any number, the same for every process: two that start together must not both migrate. */
const LOCK = 7_305_810_511;
/** From here on there are tenants, and roles that keep them apart. */
const TENANTS = 12;

interface Migration {
  version: number;
  name: string;
}

async function listMigrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.up.sql')).sort();
  return names.map((name) => ({ version: Number.parseInt(name, 10), name: name.slice(0, -'.up.sql'.length) }));
}

async function appliedVersion(sql: Sql | Transaction): Promise<number> {
  const [row] = await sql<
    { version: number }[]
  >`select coalesce(max(version), 0)::int as version from schema_migrations`;
  return row?.version ?? 0;
}

/**
 * Brings the database to the newest migration, or to `target`, backwards too. Each migration is one transaction, all of it under
 * an advisory lock, so any number of processes may call this at once. Then the roles of the API are there, unless `role` is `off`.
 * @returns the versions that were run, in order; negative for a step back.
 * @throws Error when the database is newer than this program knows; RangeError when the target is.
 */
export async function migrate(databaseUrl: string, target?: number, role: string = DEFAULT_ROLE): Promise<number[]> {
  const sql = createDatabase(databaseUrl, { max: 1, name: 'segbench-migrate' });
  const ran: number[] = [];
  try {
    await sql`select pg_advisory_lock(${LOCK})`;
    await sql`create table if not exists schema_migrations (version integer primary key, name text not null, at timestamptz not null default now())`;
    const migrations = await listMigrations();
    const newest = migrations.at(-1)?.version ?? 0;
    const goal = target ?? newest;
    if (goal > newest) throw new RangeError(`there is no migration ${goal}: this program knows ${newest}`);
    const current = await appliedVersion(sql);
    if (current > newest)
      throw new Error(`the database is at migration ${current}, this program knows ${newest}: use a newer program`);
    for (const { version, name } of migrations.filter((one) => one.version > current && one.version <= goal)) {
      const text = await readFile(new URL(`${name}.up.sql`, FOLDER), 'utf8');
      await sql.begin(async (tx) => {
        await tx.unsafe(text);
        await tx`insert into schema_migrations (version, name) values (${version}, ${name})`;
      });
      ran.push(version);
    }
    for (const { version, name } of migrations
      .filter((one) => one.version <= current && one.version > goal)
      .reverse()) {
      const text = await readFile(new URL(`${name}.down.sql`, FOLDER), 'utf8');
      await sql.begin(async (tx) => {
        await tx.unsafe(text);
        await tx`delete from schema_migrations where version = ${version}`;
      });
      ran.push(-version);
    }
    if (goal >= TENANTS && role !== NO_WALL) await buildWall(sql, role);
    return ran;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
