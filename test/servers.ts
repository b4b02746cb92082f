import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

/** Addresses of the servers that `global-setup.ts` started once for the whole run. */
export interface ServerAddresses {
  databaseUrl: string;
  queueRedisUrl: string;
  cacheRedisUrl: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** `migrated` is a database that nobody connects to, as `migrate` leaves an empty one. */
    servers: ServerAddresses & { migrated: string };
  }
}

async function withAdmin<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** A database of its own, empty or a copy of `template`; `drop` drops it even while connections are open. */
export async function databaseOf(serverUrl: string, template = 'template1') {
  const name = `t${randomBytes(6).toString('hex')}`;
  await withAdmin(serverUrl, (sql) => sql.unsafe(`create database ${name} template ${template}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    async drop(): Promise<void> {
      await withAdmin(serverUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

/**
 * Real servers for integration tests. The servers are shared by all files of a run, so a test takes a database of its own
 * (`createDatabase`, empty; `createMigrated`) and names of its own in Redis (`prefix`).
 */
export function testServers() {
  const { databaseUrl, queueRedisUrl, cacheRedisUrl, migrated } = inject('servers');
  return {
    /** For what belongs to the whole server: roles. */
    adminUrl: databaseUrl,
    queueRedisUrl,
    cacheRedisUrl,
    /** A name unique to this call, fit for a BullMQ prefix or as the start of a key. */
    prefix: (): string => `t${randomBytes(6).toString('hex')}`,
    createDatabase: () => databaseOf(databaseUrl),
    /** With all tables and the API's roles. */
    createMigrated: () => databaseOf(databaseUrl, migrated),
  };
}
