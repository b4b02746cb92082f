import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Project } from '#contract/images.ts';
import type { Claim } from '../../src/exports/claims.ts';
import { createExportReader } from '../../src/exports/reader.ts';
import { createExportStore, type ExportStore } from '../../src/exports/store.ts';
import { startTestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

/** More than a page of facts about images. */
export const MANY = 450;
/** A lease that no test outlives. */
export const FAR = 3_600_000;

/** A database with a finished batch of 450 images, and export stores on it like those of several API processes. */
export async function startExports() {
  const service = await startTestApp({ DATABASE_POOL: '10' });
  const { sql } = service;
  const { storage, config } = service.app;
  const stores: ExportStore[] = [];

  async function prepare() {
    const json = { name: 'p' };
    const { id: projectId } = (await (await service.call('/api/projects', { method: 'POST', json })).json()) as Project;
    const images = await uploadPictures(service, projectId, 3);
    return { projectId, images, batchId: await finishBatch(service, projectId, images, [2, 0, null]) };
  }
  const { projectId, images, batchId } = await prepare();
  const [image] = images;
  const ids = Array.from({ length: MANY - 3 }, () => randomUUID());
  await sql`
    insert into images (id, project_id, name, sha256, status)
    select id, ${projectId}, id || '.png', ${Buffer.from(image!.sha256, 'hex')}, 'completed' from unnest(${ids}::uuid[]) id`;
  await sql`
    insert into batch_items (batch_id, image_id, status, result_id)
    select ${batchId}, id, 'completed', (select result_id from images where id = ${image!.id}) from unnest(${ids}::uuid[]) id`;
  await sql`update batches set total = ${MANY}, completed = ${MANY - 1} where id = ${batchId}`;
  /** A second project with a batch, for the tests that delete. */
  const other = await prepare();
  // Only the stores of the tests write exports: the app's own is closed with it, its database is not.
  await service.app.close();

  const rowOf = async (id: string) => {
    const [row] = await sql<
      { status: string; attempts: number; claim: string | null; progress: number; error: string | null }[]
    >`select status, attempts, claim, progress, error_message as error from exports where id = ${id}`;
    return row;
  };
  const owner = { sql, tenantId: FIRST_TENANT };
  const asked = () => stores.at(-1)?.wake();
  return {
    sql,
    owner,
    /** What the API asks for and shows. */
    reader: createExportReader({ ...owner, storage, asked }),
    storage,
    config,
    service,
    batchId,
    other,
    rowOf,
    filesIn: (folder: 'exports' | 'tmp') => readdir(join(service.dataDir, folder)),
    async untilStatus(id: string, status: string): Promise<void> {
      await expect.poll(async () => (await rowOf(id))?.status, { timeout: 50_000 }).toBe(status);
    },
    /** An export store like that of one API process; `placed` counts the files that it made. */
    process(leaseMs = 30_000) {
      const made = { placed: 0, errors: [] as unknown[] };
      const place: typeof storage.place = async (...args) => {
        await storage.place(...args);
        made.placed++;
      };
      const log = (error: unknown) => made.errors.push(error);
      const setting = { leaseMs, keepMs: FAR, renewMs: 20, pollMs: 50 };
      const store = createExportStore({ sql, ownerOf: () => owner, storage: { ...storage, place }, ...setting, log });
      stores.push(store);
      return { store, made };
    },
    /** An export as a process left it that was killed while it wrote, `leaseMs` before its lease is over. */
    async abandoned(leaseMs: number, attempts = 1, batch = batchId): Promise<Claim> {
      const claimed = {
        id: randomUUID(),
        claim: randomUUID(),
        batchId: batch,
        tenantId: FIRST_TENANT,
        format: 'csv' as const,
      };
      await sql`
        insert into exports (id, batch_id, format, status, claim, lease_until, attempts)
        values (${claimed.id}, ${batch}, 'csv', 'running', ${claimed.claim}, now() + ${leaseMs} * interval '1 millisecond', ${attempts})`;
      return { ...claimed, total: MANY, pixelSizeUm: null };
    },
    /** While it holds, whoever writes an export waits for its first row. @returns what ends that */
    async holdRows(): Promise<() => Promise<void>> {
      const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const ended = sql.begin(async (tx) => {
        await tx`lock table batch_items in access exclusive mode`;
        locked.resolve();
        await release.promise;
      });
      await locked.promise;
      return async () => {
        release.resolve();
        await ended;
      };
    },
    /** Ends the stores and forgets all exports. */
    async clear(): Promise<void> {
      await Promise.all(stores.splice(0).map((store) => store.close()));
      await sql`delete from exports`;
    },
  };
}
