import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { purgeStep } from '../../src/deletion/purge.ts';
import { createExportClaims, MAX_ATTEMPTS } from '../../src/exports/claims.ts';
import { ClaimLost, makeExport } from '../../src/exports/make.ts';
import { exportRows } from '../../src/exports/rows.ts';
import { expireExports, sweepExports } from '../../src/exports/sweep.ts';
import { FAR, startExports } from './processes.ts';

let f: Awaited<ReturnType<typeof startExports>>;
beforeAll(async () => {
  f = await startExports();
});
afterEach(() => f.clear());
afterAll(() => f.service.close());

describe('claims', () => {
  it('two at once never get the same export', async () => {
    const ids = (await Promise.all(Array.from({ length: 12 }, () => f.abandoned(-1)))).map(({ id }) => id);
    const claims = [createExportClaims(f.sql, FAR), createExportClaims(f.sql, FAR)];
    const taken = await Promise.all(claims.flatMap((one) => Array.from({ length: 8 }, () => one.next())));
    // A claim may find every row it could take locked by the others: those come with the next.
    for (let claim = await claims[0]!.next(); claim; claim = await claims[0]!.next()) taken.push(claim);
    expect(taken.flatMap((claim) => claim?.id ?? []).sort()).toEqual(ids.sort());
  });

  it('fence: who lost the claim can neither renew, finish, fail nor release', async () => {
    const claims = createExportClaims(f.sql, FAR);
    const claimed = await f.abandoned(FAR);
    const stale = { ...claimed, claim: randomUUID() };
    let placed = 0;
    const file = { sizeBytes: 1, sha256: 'x', mimeType: 'text/csv', fileName: 'x' };
    expect(await claims.renew(stale, 0.5)).toBe(false);
    expect(await claims.finish(stale, file, async () => void placed++)).toBe(false);
    await claims.fail(stale, 'no');
    await claims.release(stale);
    expect(placed).toBe(0);
    expect(await f.rowOf(claimed.id)).toMatchObject({ status: 'running', progress: 0, error: null, attempts: 1 });
    expect(await claims.renew(claimed, 0.5)).toBe(true);
  });

  it('waits for the lease of another process; gives an export up that has killed three', async () => {
    const claims = createExportClaims(f.sql, FAR);
    await f.abandoned(FAR);
    expect(await claims.next()).toBeUndefined();
    const { id } = await f.abandoned(-1, MAX_ATTEMPTS);
    expect(await claims.next()).toBeUndefined();
    expect(await f.rowOf(id)).toMatchObject({ status: 'failed', claim: null });
    expect((await f.rowOf(id))?.error).toContain('died 3 times');
  });
});

describe('rows of an export', () => {
  it('leaves out an image that is deleted meanwhile, and no other', async () => {
    const ids = (
      await f.sql<
        { id: string }[]
      >`select image_id as id from batch_items where batch_id = ${f.batchId} order by image_id`
    ).map(({ id }) => id);
    const gone = ids[249]!;
    const seen: string[] = [];
    for await (const row of exportRows(f.owner, f.batchId)) {
      // It is on a page of facts that is not read yet, and in the plan already.
      if (seen.length === 0) await f.sql`delete from images where id = ${gone}`;
      seen.push(row.imageId);
    }
    expect(seen).toEqual(ids.filter((id) => id !== gone));
  });
});

describe('files of exports that are gone', () => {
  it('go with their project, and none appears for one that was being made', async () => {
    const { store } = f.process();
    const { id } = await f.reader.create(f.other.batchId, 'csv');
    store.start();
    await f.untilStatus(id, 'ready');
    expect(await f.filesIn('exports')).toContain(id);
    const making = await f.abandoned(FAR, 1, f.other.batchId);
    const { storage } = f;
    const claims = createExportClaims(f.sql, FAR);
    const deleted = {
      ...claims,
      async finish(...args: Parameters<typeof claims.finish>) {
        await f.service.tenant.projects.remove(f.other.projectId);
        return claims.finish(...args);
      },
    };
    const deps = { ownerOf: () => f.owner, storage, claims: deleted, renewMs: FAR, leaseMs: FAR };
    await expect(makeExport(deps, making, new AbortController().signal)).rejects.toThrow(ClaimLost);
    while (await purgeStep({ sql: f.sql, storage }));
    const left = await f.filesIn('exports');
    expect([left.includes(id), left.includes(making.id)]).toEqual([false, false]);
    expect(await f.filesIn('tmp')).toEqual([]);
  });

  it('are removed with their row when they were kept long enough; a younger one and one that is being written stay', async () => {
    const keepMs = 60_000;
    const [old, failed, young] = [await f.abandoned(FAR), await f.abandoned(FAR), await f.abandoned(FAR)];
    const { id: written } = await f.abandoned(FAR);
    const age = async ({ id }: { id: string }, status: string, ms: number) => {
      await f.sql`update exports set status = ${status}, finished_at = now() - ${ms} * interval '1 ms' where id = ${id}`;
      await writeFile(f.storage.exportPath(id), 'x');
    };
    await age(old, 'ready', keepMs + 1000);
    await age(failed, 'failed', keepMs + 1000);
    await age(young, 'ready', keepMs - 30_000);
    expect(await expireExports(f.sql, f.storage, keepMs)).toBe(2);
    await expect(f.reader.file(old.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await f.reader.file(young.id)).toMatchObject({ path: f.storage.exportPath(young.id) });
    expect(await f.rowOf(written)).toMatchObject({ status: 'running' });
    const left = await f.filesIn('exports');
    expect([old, failed, young].map(({ id }) => left.includes(id))).toEqual([false, false, true]);
  });

  it('are swept when nobody deleted them; young ones, those with a row and foreign ones are left alone', async () => {
    const { id: known } = await f.abandoned(FAR);
    const [old, young] = [randomUUID(), randomUUID()];
    const pathOf = (name: string) => join(f.service.dataDir, 'exports', name);
    for (const name of [old, young, known, 'README']) await writeFile(pathOf(name), 'x');
    const past = new Date(Date.now() - 2 * FAR);
    for (const name of [old, known, 'README']) await utimes(pathOf(name), past, past);
    expect(await sweepExports(f.sql, f.storage)).toBe(1);
    const left = await f.filesIn('exports');
    expect(left).not.toContain(old);
    expect(left).toEqual(expect.arrayContaining([young, known, 'README']));
  });
});
