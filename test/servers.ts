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
    servers: ServerAddresses;
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

/**
 * Real servers for integration tests. The servers are shared by all files of a run, so a test takes a database of its own
 * (`createDatabase`, empty, dropped by `drop` even while connections are open) and names of its own in Redis (`prefix`).
 */
export function testServers() {
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = inject('servers');
  return {
    /** For what belongs to the whole server: roles. */
    adminUrl: databaseUrl,
    queueRedisUrl,
    cacheRedisUrl,
    /** A name unique to this call, fit for a BullMQ prefix or as the start of a key. */
    prefix: (): string => `t${randomBytes(6).toString('hex')}`,
    async createDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
      const name = `t${randomBytes(6).toString('hex')}`;
      await withAdmin(databaseUrl, (sql) => sql.unsafe(`create database ${name}`));
      const url = new URL(databaseUrl);
      url.pathname = `/${name}`;
      return {
        url: url.href,
        async drop() {
          await withAdmin(databaseUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
        },
      };
    },
  };
}
