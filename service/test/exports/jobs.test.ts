import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import { createProjectStore } from '../../src/database/projects.ts';
import { createExportClaims, MAX_ATTEMPTS, type Claim } from '../../src/exports/claims.ts';
import { ClaimLost, makeExport } from '../../src/exports/make.ts';
import { exportRows } from '../../src/exports/rows.ts';
import { createExportStore, type ExportStore } from '../../src/exports/store.ts';
import { sweepExports } from '../../src/exports/sweep.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { testServers } from '../../../test/servers.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** More than a page of facts about images. */
const MANY = 450;
const FAR = 3_600_000;
let service: TestApp;
let databaseUrl: string;
let batchId: string;
/** A second project with a batch, for the tests that delete. */
let other: { projectId: string; batchId: string };
const stores: ExportStore[] = [];

const sql = () => service.app.sql;
const filesIn = (folder: 'exports' | 'tmp') => readdir(join(service.dataDir, folder));
const rowOf = async (id: string) => {
  const [row] = await sql()<
    { status: string; attempts: number; claim: string | null; progress: number; error: string }[]
  >`
    select status, attempts, claim, progress, error_message as error from exports where id = ${id}`;
  return row;
};
const untilStatus = (id: string, status: string) =>
  expect.poll(async () => (await rowOf(id))?.status, { timeout: 50_000 }).toBe(status);

/** An export store like that of one API process; `placed` counts the files that it made. */
function process(leaseMs = 30_000) {
  const made = { placed: 0, errors: [] as unknown[] };
  const { storage: real } = service.app;
  const place: typeof real.place = async (...args) => {
    await real.place(...args);
    made.placed++;
  };
  const log = (error: unknown) => made.errors.push(error);
  const store = createExportStore({ sql: sql(), storage: { ...real, place }, leaseMs, renewMs: 20, pollMs: 50, log });
  stores.push(store);
  return { store, made };
}
/** An export as a process left it that was killed while it wrote, `leaseMs` before its lease is over. */
async function abandoned(leaseMs: number, attempts = 1, batch = batchId): Promise<Claim> {
  const claimed = { id: randomUUID(), claim: randomUUID(), batchId: batch, format: 'csv' as const };
  await sql()`
    insert into exports (id, batch_id, format, status, claim, lease_until, attempts)
    values (${claimed.id}, ${batch}, 'csv', 'running', ${claimed.claim}, now() + ${leaseMs} * interval '1 millisecond', ${attempts})`;
  return { ...claimed, total: MANY, pixelSizeUm: null };
}
/** While it holds, whoever writes an export waits for its first row. */
async function holdRows() {
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ended = sql().begin(async (tx) => {
    await tx`lock table batch_items in access exclusive mode`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  return async () => {
    release.resolve();
    await ended;
  };
}

beforeAll(async () => {
  service = await startTestApp({ DATABASE_POOL: '10' });
  const prepare = async () => {
    const json = { name: 'p' };
    const { id: projectId } = (await (await service.call('/api/projects', { method: 'POST', json })).json()) as Project;
    const images = await uploadPictures(service, projectId, 3);
    return { projectId, images, batchId: await finishBatch(service, projectId, images, [2, 0, null]) };
  };
  const first = await prepare();
  ({ batchId } = first);
  other = await prepare();
  const ids = Array.from({ length: MANY - 3 }, () => randomUUID());
  await sql()`
    insert into images (id, project_id, name, sha256, status)
    select id, ${first.projectId}, id || '.png', ${Buffer.from(first.images[0]!.sha256, 'hex')}, 'completed' from unnest(${ids}::uuid[]) id`;
  await sql()`
    insert into batch_items (batch_id, image_id, status, result_id)
    select ${batchId}, id, 'completed', (select result_id from images where id = ${first.images[0]!.id}) from unnest(${ids}::uuid[]) id`;
  await sql()`update batches set total = ${MANY}, completed = ${MANY - 1} where id = ${batchId}`;
  databaseUrl = service.app.config.databaseUrl;
  // Only the stores of these tests write exports: the app's own is closed with it, its database is not.
  await service.app.close();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await sql()`delete from exports`;
});
afterAll(() => service.close());

describe('claims', () => {
  it('two at once never get the same export', async () => {
    const ids = (await Promise.all(Array.from({ length: 12 }, () => abandoned(-1)))).map(({ id }) => id);
    const claims = [createExportClaims(sql(), FAR), createExportClaims(sql(), FAR)];
    const taken = await Promise.all(claims.flatMap((one) => Array.from({ length: 8 }, () => one.next())));
    // A claim may find every row it could take locked by the others: those come with the next.
    for (let claim = await claims[0]!.next(); claim; claim = await claims[0]!.next()) taken.push(claim);
    expect(taken.flatMap((claim) => claim?.id ?? []).sort()).toEqual(ids.sort());
  });

  it('fence: who lost the claim can neither renew, finish, fail nor release', async () => {
    const claims = createExportClaims(sql(), FAR);
    const claimed = await abandoned(FAR);
    const stale = { ...claimed, claim: randomUUID() };
    let placed = 0;
    const file = { sizeBytes: 1, sha256: 'x', mimeType: 'text/csv', fileName: 'x' };
    expect(await claims.renew(stale, 0.5)).toBe(false);
    expect(await claims.finish(stale, file, async () => void placed++)).toBe(false);
    await claims.fail(stale, 'no');
    await claims.release(stale);
    expect(placed).toBe(0);
    expect(await rowOf(claimed.id)).toMatchObject({ status: 'running', progress: 0, error: null, attempts: 1 });
    expect(await claims.renew(claimed, 0.5)).toBe(true);
  });

  it('waits for the lease of another process; gives an export up that has killed three', async () => {
    const claims = createExportClaims(sql(), FAR);
    await abandoned(FAR);
    expect(await claims.next()).toBeUndefined();
    const { id } = await abandoned(-1, MAX_ATTEMPTS);
    expect(await claims.next()).toBeUndefined();
    expect(await rowOf(id)).toMatchObject({ status: 'failed', claim: null });
    expect((await rowOf(id))?.error).toContain('died 3 times');
  });
});

describe('export jobs', () => {
  it('three processes write each of many exports once', async () => {
    const processes = [process(), process(), process()];
    const ids: string[] = [];
    for (let i = 0; i < 15; i++) ids.push((await processes[0]!.store.create(batchId, i % 2 ? 'labels-zip' : 'csv')).id);
    for (const { store } of processes) store.start();
    for (const id of ids) await untilStatus(id, 'ready');
    const placed = processes.map(({ made }) => made.placed);
    expect(placed.reduce((sum, count) => sum + count)).toBe(ids.length);
    expect(processes.flatMap(({ made }) => made.errors)).toEqual([]);
    for (const id of ids) expect((await rowOf(id))!.attempts).toBe(1);
    expect((await filesIn('exports')).filter((name) => ids.includes(name))).toHaveLength(ids.length);
    expect(await filesIn('tmp')).toEqual([]);
  });

  it('tells its progress while it writes, and 1 only when the file is there', async () => {
    await sql()`create table told (progress real, status text, at serial)`;
    await sql().unsafe(`create function tell() returns trigger language plpgsql as
      $$ begin insert into told values (new.progress, new.status); return new; end $$;
      create trigger tell after update on exports for each row execute function tell()`);
    const claims = createExportClaims(sql(), FAR);
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
    const { storage } = service.app;
    const deps = { sql: sql(), storage, claims: watched, renewMs: 1, leaseMs: FAR };
    await makeExport(deps, await abandoned(FAR), new AbortController().signal);
    const told = await sql()<{ progress: number; status: string }[]>`select progress, status from told order by at`;
    await sql().unsafe('drop trigger tell on exports; drop function tell; drop table told');
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
    const release = await holdRows();
    const stopping = process(FAR);
    const { id } = await stopping.store.create(batchId, 'csv');
    stopping.store.start();
    await untilStatus(id, 'running');
    const closed = stopping.store.close();
    await release();
    await closed;
    expect(await rowOf(id)).toMatchObject({ status: 'queued', claim: null, attempts: 0 });
    expect([stopping.made.placed, await filesIn('tmp')]).toEqual([0, []]);
    process().store.start();
    await untilStatus(id, 'ready');
  });

  it('a process that is killed loses its export to another one, once its lease is over', async () => {
    const leaseMs = 1500;
    const release = await holdRows();
    const { queueRedisUrl, cacheRedisUrl, prefix } = testServers();
    const env = {
      PATH: globalThis.process.env['PATH'],
      SEGBENCH_ROLE: 'api',
      DATABASE_URL: databaseUrl,
      QUEUE_REDIS_URL: queueRedisUrl,
      CACHE_REDIS_URL: cacheRedisUrl,
      QUEUE_PREFIX: prefix(),
      DATA_DIR: service.dataDir,
      PORT: '0',
      LEASE_MS: String(leaseMs),
    };
    const child = fork(MAIN, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env });
    const exited = once(child, 'exit');
    const survivor = process(leaseMs);
    const { id } = await survivor.store.create(batchId, 'csv');
    try {
      await untilStatus(id, 'running');
      const { claim } = (await rowOf(id))!;
      survivor.store.start();
      // The child renews its claim: as long as it lives, nobody else gets it.
      const renewals = new Set<string>();
      await expect
        .poll(
          async () => {
            const [row] = await sql()<
              { lease: string }[]
            >`select lease_until::text as lease from exports where id = ${id}`;
            return renewals.add(row!.lease).size;
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThan(4);
      expect(await rowOf(id)).toMatchObject({ claim, attempts: 1 });
    } finally {
      child.kill('SIGKILL');
      await exited;
      await release();
    }
    await untilStatus(id, 'ready');
    expect(await rowOf(id)).toMatchObject({ attempts: 2, claim: null });
    expect(survivor.made).toEqual({ placed: 1, errors: [] });
    // What the dead process had written so far; the next start removes it once it is old.
    const pieces = await filesIn('tmp');
    expect(pieces).toHaveLength(2);
    for (const name of pieces) await rm(join(service.dataDir, 'tmp', name));
  });

  it('a process that was only thought dead places no file and changes no row', async () => {
    const release = await holdRows();
    const late = process(FAR);
    const { id } = await late.store.create(batchId, 'csv');
    late.store.start();
    await untilStatus(id, 'running');
    const claim = randomUUID();
    await sql()`update exports set claim = ${claim}, attempts = 2, lease_until = now() + interval '1 hour' where id = ${id}`;
    await release();
    await late.store.close();
    expect(await rowOf(id)).toMatchObject({ status: 'running', claim, attempts: 2 });
    expect(late.made).toEqual({ placed: 0, errors: [] });
    expect(await filesIn('tmp')).toEqual([]);
  });

  it('leaves out an image that is deleted meanwhile, and no other', async () => {
    const ids = (
      await sql()<
        { id: string }[]
      >`select image_id as id from batch_items where batch_id = ${batchId} order by image_id`
    ).map(({ id }) => id);
    const gone = ids[249]!;
    const seen: string[] = [];
    for await (const row of exportRows(sql(), batchId)) {
      // It is on a page of facts that is not read yet, and in the plan already.
      if (seen.length === 0) await sql()`delete from images where id = ${gone}`;
      seen.push(row.imageId);
    }
    expect(seen).toEqual(ids.filter((id) => id !== gone));
  });
});

describe('files of exports that are gone', () => {
  it('go with their project, and none appears for one that was being made', async () => {
    const { store } = process();
    const { id } = await store.create(other.batchId, 'csv');
    store.start();
    await untilStatus(id, 'ready');
    expect(await filesIn('exports')).toContain(id);
    const making = await abandoned(FAR, 1, other.batchId);
    const { storage } = service.app;
    const claims = createExportClaims(sql(), FAR);
    const deleted = {
      ...claims,
      async finish(...args: Parameters<typeof claims.finish>) {
        await createProjectStore(service.app).remove(other.projectId);
        return claims.finish(...args);
      },
    };
    const deps = { sql: sql(), storage, claims: deleted, renewMs: FAR, leaseMs: FAR };
    await expect(makeExport(deps, making, new AbortController().signal)).rejects.toThrow(ClaimLost);
    const left = await filesIn('exports');
    expect([left.includes(id), left.includes(making.id)]).toEqual([false, false]);
    expect(await filesIn('tmp')).toEqual([]);
  });

  it('are swept when nobody deleted them; young ones, those with a row and foreign ones are left alone', async () => {
    const { id: known } = await abandoned(FAR);
    const [old, young] = [randomUUID(), randomUUID()];
    const pathOf = (name: string) => join(service.dataDir, 'exports', name);
    for (const name of [old, young, known, 'README']) await writeFile(pathOf(name), 'x');
    const past = new Date(Date.now() - 2 * FAR);
    for (const name of [old, known, 'README']) await utimes(pathOf(name), past, past);
    expect(await sweepExports(sql(), service.app.storage)).toBe(1);
    const left = await filesIn('exports');
    expect(left).not.toContain(old);
    expect(left).toEqual(expect.arrayContaining([young, known, 'README']));
  });
});
