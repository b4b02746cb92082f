import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServers } from '../../../test/servers.ts';
import { createBatchStore } from '../../src/batches/store.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { createBatcher } from '../../src/inference/batcher/batcher.ts';
import type {
  InferenceBackend,
  InferenceOutput,
  InferenceRequest,
  PoolStats,
} from '../../src/inference/pool/backend.ts';
import { POOL_DEFAULTS } from '../../src/inference/pool/pool.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

const servers = testServers();

/** A database with tables, settings for roles, and what tests of batches ask of it. `close` drops it all. */
export async function createFixture(env: Record<string, string> = {}) {
  const database = await servers.createMigrated();
  const sql = createDatabase(database.url, { max: 5 });
  const dataDir = await mkdtemp(join(tmpdir(), 'segbench-batches-'));
  const config: Config = loadConfig({
    DATABASE_URL: database.url,
    QUEUE_REDIS_URL: servers.queueRedisUrl,
    CACHE_REDIS_URL: servers.cacheRedisUrl,
    QUEUE_PREFIX: servers.prefix(),
    DATA_DIR: dataDir,
    DATABASE_POOL: '4',
    LOG_LEVEL: 'error',
    ...env,
  });
  const store = createBatchStore({
    sql,
    tenantId: FIRST_TENANT,
    modelsDir: config.modelsDir,
    pool: 'local',
    resultCache: true,
    workers: async () => 2,
    changed: async () => {},
  });
  const ownedClosers: (() => Promise<void>)[] = [];

  return {
    sql,
    config,
    store,
    databaseUrl: database.url,
    /** Runs before the database goes, last registered first. */
    onClose: (close: () => Promise<void>) => void ownedClosers.unshift(close),
    project: (images: number, contents?: (index: number) => string) => insertProject(sql, images, contents),
    async close() {
      for (const close of ownedClosers) await close();
      await sql.end({ timeout: 2 });
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
export type Fixture = Awaited<ReturnType<typeof createFixture>>;

export async function insertProject(
  sql: Sql,
  images: number,
  contents: (index: number) => string = () => randomUUID(),
) {
  const projectId = randomUUID();
  await sql`INSERT INTO projects (id, name) VALUES (${projectId}, 'test')`;
  const rows = Array.from({ length: images }, (_, index) => ({
    id: randomUUID(),
    sha256: createHash('sha256').update(contents(index)).digest('hex'),
    name: `${String(index).padStart(6, '0')}.png`,
  }));
  await sql`
    INSERT INTO blobs (sha256, size_bytes, mime_type, width, height, channels, pages, average_colour)
    SELECT DISTINCT decode(s, 'hex'), 1, 'image/png', 8, 8, 1, 1, 0 FROM unnest(${rows.map((r) => r.sha256)}::text[]) AS s
    ON CONFLICT DO NOTHING`;
  await sql`
    INSERT INTO images (id, project_id, name, sha256)
    SELECT id, ${projectId}::uuid, name, decode(s, 'hex')
    FROM unnest(${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.name)}::text[], ${rows.map((r) => r.sha256)}::text[])
      AS w (id, name, s)`;
  return { projectId, imageIds: rows.map((row) => row.id), hashes: rows.map((row) => row.sha256) };
}

/** An inference without a model: one "cell" an image, and a log of what was asked. */
export function fakeBackend(answer: (request: InferenceRequest, nth: number) => Promise<void> | void = () => {}) {
  const asked: InferenceRequest[] = [];
  const backend: InferenceBackend = {
    async load() {},
    async infer(request) {
      asked.push(request);
      await answer(request, asked.filter((one) => one.sha256 === request.sha256).length);
      return fakeOutput();
    },
    health: () => ({ status: 'healthy', ready: 1, workers: 1, message: null }),
    async reload() {},
    stats: () => ({ ...fakeStats(), completed: asked.length }),
    async drain() {},
    async close() {},
  };
  return { backend, asked };
}
export const fakeStats = (): PoolStats => {
  const { stats } = createBatcher({ ...POOL_DEFAULTS, predictMs: () => 0 });
  const none = { queued: 0, running: 0, completed: 0, failed: 0, restarts: 0, workers: [] };
  return { ...none, batches: stats(), time: null, memory: null };
};
export const fakeOutput = (): InferenceOutput => ({
  imageWidth: 8,
  imageHeight: 8,
  polygonCount: 3,
  polygons: new Uint8Array([1, 2, 3]),
  warnings: [],
  stages: { decodeMs: 1, normaliseMs: 1, inferMs: 2, polygonsMs: 1, encodeMs: 1 },
  cpuStages: { decodeMs: 1, normaliseMs: 1, inferMs: 2, polygonsMs: 1, encodeMs: 1 },
  executionMs: 6,
  queueMs: 0,
  batchSize: 1,
  batchMs: 6,
  worker: 'fake',
});

/** Counters of batches that disagree with their rows; the invariant is that there are none. */
export const wrongCounters = (sql: Sql) => sql`
  SELECT b.id, b.status, b.total, b.queued, b.processing, b.completed, b.failed, b.cancelled, c.*
  FROM batches b, LATERAL (
    SELECT count(*) AS rows, count(*) FILTER (WHERE status = 'queued') AS q, count(*) FILTER (WHERE status = 'processing') AS p,
           count(*) FILTER (WHERE status = 'completed') AS c, count(*) FILTER (WHERE status = 'failed') AS f,
           count(*) FILTER (WHERE status = 'cancelled') AS x
    FROM batch_items WHERE batch_id = b.id
  ) c
  WHERE (b.total, b.queued, b.processing, b.completed, b.failed, b.cancelled) IS DISTINCT FROM (c.rows, c.q, c.p, c.c, c.f, c.x)`;

/** Waits until `check` holds; bounded by the test's own timeout. */
export async function until(check: () => Promise<boolean> | boolean, everyMs = 20): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}
