import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTransient } from '../../src/batches/locks.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { startProxy, targetOf, through } from '../../../loadtest/src/faults/proxy.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createMetrics } from '../../src/metrics.ts';
import { testServers } from '../../../test/servers.ts';

const metrics = createMetrics('test');
let database: Awaited<ReturnType<ReturnType<typeof testServers>['createDatabase']>>;
let sql: Sql;
const observed = async () =>
  (await metrics.dbQueryDuration.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;

beforeAll(async () => {
  database = await testServers().createDatabase();
  sql = createDatabase(database.url, { max: 2, metrics });
});
afterAll(async () => {
  await sql.end({ timeout: 5 });
  await database.drop();
});

describe('migrate', () => {
  it('goes forward once, also when two start together, and all the way back', async () => {
    const [one, two] = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect([...one, ...two].length).toBe(Math.max(one.length, two.length));
    expect(await migrate(database.url)).toEqual([]);
    const count = one.length + two.length;
    expect(await migrate(database.url, 0)).toHaveLength(count);
    const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
    expect(tables.map((row) => row['tablename'] as string)).toEqual(['schema_migrations']);
    expect(await migrate(database.url)).toHaveLength(count);
  });
});

describe('a pool whose connections are cut', () => {
  it('is connected again soon, however many were cut at once', async () => {
    const proxy = await startProxy(targetOf(database.url));
    const pool = createDatabase(through(database.url, proxy), { max: 10 });
    try {
      const busy = Promise.allSettled(Array.from({ length: 10 }, () => pool`select pg_sleep(30)`));
      // one that is cut while it starts is another matter: postgres.js then lets go of a promise
      const asleep = () => sql`
        select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(30)' and wait_event = 'PgSleep'`;
      while ((await asleep()).length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
      const cutAt = performance.now();
      proxy.cut();
      await busy;
      await Promise.all(Array.from({ length: 10 }, () => pool`select 1`));
      // as postgres.js does it by default: 10 to 20 s
      expect(performance.now() - cutAt).toBeLessThan(7_000);
    } finally {
      await pool.end({ timeout: 1 });
      await proxy.close();
    }
  });
});

describe('a transaction whose connection ends in the middle', () => {
  it('leaves a pool whose connections can be made again', async () => {
    const pool = createDatabase(database.url, { max: 1 });
    const codes: unknown[] = [];
    const noted = (error: { code?: string }) => void codes.push(error.code);
    try {
      for (let round = 0; round < 3; round++) {
        const ended = pool.begin((tx) => tx`select pg_sleep(31)`).catch(noted);
        const end = () => sql`
          select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(31)'`;
        while ((await end()).length === 0);
        await ended;
        // the first one still hears of the connection before
        await pool`select 1`.catch(noted);
        expect((await pool`select 1 as one`)[0]).toEqual({ one: 1 });
      }
      expect(codes.length).toBeGreaterThanOrEqual(3);
      expect(codes.every((code) => code === '57P01' || code === 'CONNECTION_CLOSED')).toBe(true);
    } finally {
      await pool.end({ timeout: 1 });
    }
  });
});

describe('a transaction that goes on after its connection ended', () => {
  it('says nothing in the middle of the next one', async () => {
    const pool = createDatabase(database.url, { max: 1 });
    const [waiting, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    try {
      await sql`create table fenced (who text)`;
      const first = pool.begin(async (tx) => {
        const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
        await sql`select pg_terminate_backend(${row!.pid})`;
        waiting.resolve();
        await gate.promise;
        await tx`insert into fenced values ('first')`;
      });
      await waiting.promise;
      await expect(first).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      await pool`select 1`.catch(() => {});
      const second = pool.begin(async (tx) => {
        await tx`insert into fenced values ('second')`;
        gate.resolve();
        await new Promise((resolve) => setTimeout(resolve, 200));
        throw new Error('changed its mind');
      });
      await expect(second).rejects.toThrow('changed its mind');
      expect(await sql`select who from fenced`).toEqual([]);
    } finally {
      await sql`drop table fenced`;
      await pool.end({ timeout: 1 });
    }
  });
});

describe('a transaction that stops in the middle', () => {
  it('loses its locks, and fails for a reason that passes', async () => {
    const pool = createDatabase(database.url, { max: 1, idleInTransactionMs: 300 });
    const other = createDatabase(database.url, { max: 1 });
    try {
      const stopped = pool.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(7)`;
        await new Promise(() => {});
      });
      stopped.catch(() => {});
      const held = () => other`select 1 from pg_locks where locktype = 'advisory' and objid = 7`;
      while ((await held()).length === 0);
      while ((await held()).length > 0);
      const error: unknown = await stopped.catch((cause: unknown) => cause);
      expect(isTransient(error)).toBe(true);
    } finally {
      await Promise.all([pool.end({ timeout: 1 }), other.end({ timeout: 1 })]);
    }
  });
});

it.each([
  ['createDatabase', ['rejected true']],
  // the listener and the leader have a connection by themselves, and no transaction
  ['postgres', ['rejected true', 'TypeError true']],
])(
  '%s tells who waits for a transaction that was cut; postgres.js itself throws at nobody, too',
  async (maker, said) => {
    const source = (file: string) => JSON.stringify(fileURLToPath(new URL(`../../src/${file}`, import.meta.url)));
    const script = `
    import postgres from 'postgres';
    import { createDatabase } from ${source('database/client.ts')};
    import { isTransient } from ${source('batches/locks.ts')};
    const [pool, other] = [1, 2].map(() => ${maker}(${JSON.stringify(database.url)}, { max: 1 }));
    process.on('uncaughtException', (error) => {
      console.log(error.constructor.name, isTransient(error));
      process.exit(0);
    });
    await pool.begin(async (tx) => {
      const [{ pid }] = await tx\`select pg_backend_pid() as pid\`;
      await other\`select pg_terminate_backend(\${pid})\`;
      await new Promise((resolve) => setTimeout(resolve, 300));
      await tx\`select 1\`;
    }).catch((error) => console.log('rejected', isTransient(error)));
    setTimeout(() => process.exit(0), 1_000);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim().split('\n')).toEqual(said);
  },
);

describe('a pool of one', () => {
  it('counts who waits while its connection is busy', async () => {
    const own = createMetrics('test');
    const [pool, holder] = [
      createDatabase(database.url, { max: 1, metrics: own }),
      createDatabase(database.url, { max: 1 }),
    ];
    try {
      await holder`select pg_advisory_lock(1)`;
      const slow = pool`select pg_advisory_lock(1)`.then(() => 0);
      const waiting = Array.from({ length: 3 }, () => pool`select 1`.then(() => 0));
      while (own.databasePool(1).waitingCount < 3 || own.databasePool(1).idleCount > 0)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(own.databasePool(1)).toEqual({ totalCount: 1, idleCount: 0, waitingCount: 3 });
      await holder`select pg_advisory_unlock(1)`;
      await Promise.all([slow, ...waiting]);
      expect(own.databasePool(1)).toEqual({ totalCount: 1, idleCount: 1, waitingCount: 0 });
    } finally {
      await Promise.all([pool.end({ timeout: 1 }), holder.end({ timeout: 1 })]);
    }
  });
});

describe('createDatabase', () => {
  it('observes each query, inside of transactions and when it fails, and no fragment', async () => {
    const before = await observed();
    await sql`select 1 ${sql`where true`}`;
    await sql.begin(async (tx) => {
      await tx`select 2`;
      await tx.savepoint((inner) => inner`select 3`);
    });
    await expect(sql`select nothing`).rejects.toThrow('does not exist');
    await sql.unsafe('select 4');
    expect((await observed()) - before).toBe(5);
    expect(metrics.databasePool(2)).toEqual({ totalCount: 2, idleCount: 2, waitingCount: 0 });
  });

  it('counts the wait for a connection apart from the query', async () => {
    await Promise.all(Array.from({ length: 6 }, () => sql`select pg_sleep(0.03)`));
    const { values } = await metrics.dbPoolWait.get();
    expect(values.find(({ metricName }) => metricName?.endsWith('_sum'))!.value).toBeGreaterThan(0.05);
  });

  it('gives counts and bigints as numbers', async () => {
    const [row] = await sql`select count(*) as count, 5000000000::bigint as big`;
    expect(row).toEqual({ count: 1, big: 5_000_000_000 });
  });
});
