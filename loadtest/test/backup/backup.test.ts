import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Image } from '#contract/images.ts';
import type { Project } from '#contract/images.ts';
import { testServers } from '../../../test/servers.ts';
import { backUp, finishRestore } from '../../src/backup/backup.ts';
import { createHttpClient } from '../../src/drivers/http-client.ts';
import { uploadFiles } from '../../src/drivers/upload.ts';
import { startPostgres } from '../../src/environment/postgres.ts';
import { generateImages } from '../../src/images/generator.ts';
import { startFleet } from '../../src/load/fleet.ts';
import { openResumingSocket } from '../../src/load/resuming-socket.ts';
import { timerPool, wrongCounters } from '../../src/load/simulated.ts';
import { startBatch } from '../../src/load/traffic.ts';
import { createStop } from '../../src/run/stop.ts';

const TIMEOUT_MS = 120_000;
const IMAGES = 60;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function openDatabase(dir: string, tempDir: string) {
  const server = await startPostgres({ dir, tempDir, persistent: true, env: process.env, log: () => {} });
  closers.push(() => server.stop());
  return server;
}

/** Its own Redis names: an empty Redis, as far as it can see. */
async function openService(databaseUrl: string, tempDir: string, dataDir: string, pool: string) {
  const servers = testServers();
  const { queueRedisUrl, cacheRedisUrl } = servers;
  const fleet = await startFleet({
    ground: { databaseUrl, queueRedisUrl, cacheRedisUrl, tempDir, env: {}, watchGroup: () => {} },
    settings: { POOL: pool, WORKERS: '1', QUEUE_PREFIX: servers.prefix() },
    log: () => {},
    stop: createStop(),
    dataDir,
  });
  closers.push(() => fleet.close());
  const [api] = await Promise.all([fleet.start('api'), fleet.start('relay'), fleet.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 4 });
  closers.push(async () => client.close());
  return { fleet, target, client };
}

it(
  'goes on from a backup that was taken during a batch: nothing acknowledged is lost, and the batch ends by itself',
  async () => {
    const tempDir = await mkdtemp('/tmp/segbench-backup-');
    await chmod(tempDir, 0o711);
    closers.push(() => rm(tempDir, { recursive: true, force: true }));
    const pool = await timerPool(tempDir, 100);
    const [first, second] = [join(tempDir, 'first'), join(tempDir, 'second')];
    await mkdir(first, { mode: 0o711 });
    const limits = { minSide: 64, maxSide: 64, medianSide: 64, maxCells: 3 };
    const set = await generateImages({ count: IMAGES, seed: 1, directory: join(tempDir, 'images'), labels: 0, limits });

    const database = await openDatabase(first, tempDir);
    const before = await openService(database.url, tempDir, join(first, 'files'), pool);
    const project = await before.client.json<Project>('/api/projects', { method: 'POST', body: { name: 'p' } });
    const { uploaded } = await uploadFiles({ client: before.client, projectId: project.id, files: set.images });
    const reader = openResumingSocket({ ...before.target, projectId: project.id });
    const batch = await startBatch(before.target, project.id);
    const doneIn = async ({ fleet }: typeof before) => {
      const [row] = await fleet.sql<{ completed: number }[]>`SELECT completed FROM batches WHERE id = ${batch.id}`;
      return row?.completed ?? 0;
    };
    await until(async () => (await doneIn(before)) >= 10);
    const acknowledged = await doneIn(before);
    await backUp({ dataDir: first, to: second });
    const seen = reader.position()!;
    reader.close();
    await before.fleet.close();
    await database.stop();

    const restored = await openDatabase(second, tempDir);
    expect(await finishRestore({ dataDir: second, databaseUrl: restored.url })).toBe(true);
    expect(await finishRestore({ dataDir: second, databaseUrl: restored.url })).toBe(false);
    const after = await openService(restored.url, tempDir, join(second, 'files'), pool);
    const atRestore = await doneIn(after);
    expect(atRestore).toBeGreaterThanOrEqual(acknowledged);
    expect(atRestore).toBeLessThan(IMAGES);
    // a client of the old server comes back with what it knew
    const returned = openResumingSocket({ ...after.target, projectId: project.id, at: seen });
    await until(() => returned.log.snapshots() > 0);
    await until(async () => (await doneIn(after)) === IMAGES);
    returned.close();

    for (const { image, file } of uploaded) {
      const known = await after.client.json<Image>(`/api/images/${image.id}`);
      expect(known).toMatchObject({ status: 'completed', sha256: file.sha256 });
      const { body } = await after.client.request(`/api/images/${image.id}/file`);
      expect(createHash('sha256').update(body).digest('hex')).toBe(file.sha256);
    }
    expect(await after.fleet.sql`SELECT 1 FROM results`).toHaveLength(
      new Set(set.images.map((one) => one.sha256)).size,
    );
    expect(await wrongCounters(after.fleet.sql)).toBe(0);
  },
  TIMEOUT_MS,
);
