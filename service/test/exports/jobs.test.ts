import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createExportClaims } from '../../src/exports/claims.ts';
import { makeExport } from '../../src/exports/make.ts';
import { testServers } from '../../../test/servers.ts';
import { FAR, startExports } from './processes.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let f: Awaited<ReturnType<typeof startExports>>;
beforeAll(async () => {
  f = await startExports();
});
afterEach(() => f.clear());
afterAll(() => f.service.close());

describe('export jobs', () => {
  it('three processes write each of many exports once', async () => {
    const processes = [f.process(), f.process(), f.process()];
    const ids: string[] = [];
    for (let i = 0; i < 15; i++) ids.push((await f.reader.create(f.batchId, i % 2 ? 'labels-zip' : 'csv')).id);
    for (const { store } of processes) store.start();
    for (const id of ids) await f.untilStatus(id, 'ready');
    const placed = processes.map(({ made }) => made.placed);
    expect(placed.reduce((sum, count) => sum + count)).toBe(ids.length);
    expect(processes.flatMap(({ made }) => made.errors)).toEqual([]);
    for (const id of ids) expect((await f.rowOf(id))!.attempts).toBe(1);
    expect((await f.filesIn('exports')).filter((name) => ids.includes(name))).toHaveLength(ids.length);
    expect(await f.filesIn('tmp')).toEqual([]);
  });

  it('tells its progress while it writes, and 1 only when the file is there', async () => {
    await f.sql`create table told (progress real, status text, at serial)`;
    await f.sql.unsafe(`create function tell() returns trigger language plpgsql as
      $$ begin insert into told values (new.progress, new.status); return new; end $$;
      create trigger tell after update on exports for each row execute function tell()`);
    const claims = createExportClaims(f.sql, FAR);
    const allWritten = Promise.withResolvers<void>();
    const watched = {
      ...claims,
      async renew(...args: Parameters<typeof claims.renew>) {
        const kept = await claims.renew(...args);
        if (args[1] >= 0.99) allWritten.resolve();
        return kept;
      },
      async finish(...args: Parameters<typeof claims.finish>) {
        await allWritten.promise;
        return claims.finish(...args);
      },
    };
    const { storage } = f;
    const deps = { ownerOf: () => f.owner, storage, claims: watched, renewMs: 1, leaseMs: FAR };
    await makeExport(deps, await f.abandoned(FAR), new AbortController().signal);
    const told = await f.sql<{ progress: number; status: string }[]>`select progress, status from told order by at`;
    await f.sql.unsafe('drop trigger tell on exports; drop function tell; drop table told');
    expect(told.at(-1)).toEqual({ progress: 1, status: 'ready' });
    const running = told.slice(0, -1);
    expect(running.at(-1)!.progress).toBeCloseTo(0.99);
    expect(
      running.every(
        ({ status }, at) => status === 'running' && running[at]!.progress >= (running[at - 1]?.progress ?? 0),
      ),
    ).toBe(true);
  });

  it('a process that stops gives its export back; the next one finishes it', async () => {
    const release = await f.holdRows();
    const stopping = f.process(FAR);
    const { id } = await f.reader.create(f.batchId, 'csv');
    stopping.store.start();
    await f.untilStatus(id, 'running');
    const closed = stopping.store.close();
    await release();
    await closed;
    expect(await f.rowOf(id)).toMatchObject({ status: 'queued', claim: null, attempts: 0 });
    expect([stopping.made.placed, await f.filesIn('tmp')]).toEqual([0, []]);
    f.process().store.start();
    await f.untilStatus(id, 'ready');
  });

  it('a process that is killed loses its export to another one, once its lease is over', async () => {
    const leaseMs = 1500;
    const release = await f.holdRows();
    const { queueRedisUrl, cacheRedisUrl, prefix } = testServers();
    const env = {
      PATH: process.env['PATH'],
      SEGBENCH_ROLE: 'api',
      DATABASE_URL: f.config.databaseUrl,
      QUEUE_REDIS_URL: queueRedisUrl,
      CACHE_REDIS_URL: cacheRedisUrl,
      QUEUE_PREFIX: prefix(),
      DATA_DIR: f.service.dataDir,
      PORT: '0',
      LEASE_MS: String(leaseMs),
    };
    const child = fork(MAIN, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env });
    const exited = once(child, 'exit');
    const survivor = f.process(leaseMs);
    const { id } = await f.reader.create(f.batchId, 'csv');
    try {
      await f.untilStatus(id, 'running');
      const { claim } = (await f.rowOf(id))!;
      survivor.store.start();
      // The child renews its claim: as long as it lives, nobody else gets it.
      const renewals = new Set<string>();
      await expect
        .poll(
          async () => {
            const [row] = await f.sql<
              { lease: string }[]
            >`select lease_until::text as lease from exports where id = ${id}`;
            return renewals.add(row!.lease).size;
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThan(4);
      expect(await f.rowOf(id)).toMatchObject({ claim, attempts: 1 });
    } finally {
      child.kill('SIGKILL');
      await exited;
      await release();
    }
    await f.untilStatus(id, 'ready');
    expect(await f.rowOf(id)).toMatchObject({ attempts: 2, claim: null });
    expect(survivor.made).toEqual({ placed: 1, errors: [] });
    // What the dead process had written so far; the next start removes it once it is old.
    const pieces = await f.filesIn('tmp');
    expect(pieces).toHaveLength(2);
    for (const name of pieces) await rm(join(f.service.dataDir, 'tmp', name));
  });

  it('a process that was only thought dead places no file and changes no row', async () => {
    const release = await f.holdRows();
    const late = f.process(FAR);
    const { id } = await f.reader.create(f.batchId, 'csv');
    late.store.start();
    await f.untilStatus(id, 'running');
    const claim = randomUUID();
    await f.sql`update exports set claim = ${claim}, attempts = 2, lease_until = now() + interval '1 hour' where id = ${id}`;
    await release();
    await late.store.close();
    expect(await f.rowOf(id)).toMatchObject({ status: 'running', claim, attempts: 2 });
    expect(late.made).toEqual({ placed: 0, errors: [] });
    expect(await f.filesIn('tmp')).toEqual([]);
  });
});
