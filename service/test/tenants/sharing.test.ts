import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimItems } from '../../src/batches/claim.ts';
import { settle } from '../../src/batches/settle.ts';
import { createBatchStore } from '../../src/batches/store.ts';
import { collectBytes } from '../../src/deletion/collect.ts';
import { createStorage } from '../../src/storage.ts';
import { createFixture, fakeOutput, type Fixture } from '../batches/fixture.ts';

let fixture: Fixture;
let tenantId: string;
beforeEach(async () => {
  fixture = await createFixture();
  const { sql } = fixture;
  tenantId = randomUUID();
  await sql`insert into tenants (id, name) values (${tenantId}, 'other')`;
});
afterEach(() => fixture.close());

const SAME = () => 'the very same bytes';
async function theirProject() {
  const made = await fixture.project(1, SAME);
  await fixture.sql`update projects set tenant_id = ${tenantId} where id = ${made.projectId}`;
  return made;
}
const theirStore = () =>
  createBatchStore({
    sql: fixture.sql,
    tenantId,
    modelsDir: fixture.config.modelsDir,
    pool: 'local',
    resultCache: true,
    workers: async () => 2,
    changed: async () => {},
  });
/** Runs what waits, as a worker does. */
async function work(batchId: string): Promise<void> {
  const { sql } = fixture;
  const items = await sql<{ imageId: string; generation: number }[]>`
    select image_id as "imageId", generation from batch_items where batch_id = ${batchId} and status = 'queued'`;
  const claims = await claimItems(
    sql,
    items.map((item) => ({ batchId, ...item })),
    { worker: 'w', leaseMs: 60_000 },
  );
  for (const claim of claims) {
    expect(claim!.known).toBe(false);
    const result = { ...fakeOutput(), ...claim!, processingMs: 1, stages: { infer: 1 } };
    const outcome = { ...claim!, status: 'completed' as const, attempt: 1, worker: 'w', stages: [], result };
    await sql.begin((tx) => settle(tx, [outcome], { failurePauseRatio: 0.2 }));
  }
}
const rows = () => fixture.sql<{ tenantId: string }[]>`select tenant_id as "tenantId" from results order by created_at`;

it('answers nobody by a result of another tenant, and everybody by his own', async () => {
  const mine = await fixture.project(1, SAME);
  const first = await fixture.store.create(mine.projectId, { all: true });
  await work(first.id);
  expect((await fixture.store.create(mine.projectId, { all: true })).reused).toBe(1);

  const theirs = await theirProject();
  const batch = await theirStore().create(theirs.projectId, { all: true });
  expect([batch.status, batch.reused]).toEqual(['queued', 0]);
  await work(batch.id);
  expect((await theirStore().get(batch.id)).reused).toBe(0);
  expect((await theirStore().create(theirs.projectId, { all: true })).reused).toBe(1);
  expect(new Set((await rows()).map((row) => row.tenantId)).size).toBe(2);
});

it('forgets a tenant’s results with its last image of these bytes, though others have them still', async () => {
  const storage = createStorage(fixture.config.dataDir);
  await storage.open();
  const mine = await fixture.project(1, SAME);
  const theirs = await theirProject();
  await work((await fixture.store.create(mine.projectId, { all: true })).id);
  await work((await theirStore().create(theirs.projectId, { all: true })).id);
  const collect = () => collectBytes({ sql: fixture.sql, storage, graceMs: 0 });
  await fixture.sql`delete from batch_items where image_id = ${theirs.imageIds[0]!}`;
  await fixture.sql`delete from images where id = ${theirs.imageIds[0]!}`;
  await collect();
  const left = await rows();
  expect(left).toHaveLength(1);
  expect(left[0]!.tenantId).not.toBe(tenantId);
  // who comes back with them is told nothing by a quick answer
  const again = await theirProject();
  expect((await theirStore().create(again.projectId, { all: true })).reused).toBe(0);
});
