import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readNow } from '../../src/batches/now.ts';
import { firstIdAt, uuidv7 } from '../../src/batches/uuid.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let projectId: string;
let imageIds: string[];
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  await fixture.sql`DELETE FROM event_outbox`;
  await fixture.sql`DELETE FROM batches`;
  await fixture.sql`DELETE FROM images`;
  await fixture.sql`DELETE FROM projects`;
  ({ projectId, imageIds } = await fixture.project(4));
});

const read = (tenantId: string = FIRST_TENANT) => readNow({ sql: fixture.sql, tenantId });
async function insertBatch(status: 'running' | 'completed', id: string = uuidv7()): Promise<string> {
  const { sql } = fixture;
  await sql`INSERT INTO batches (id, project_id, status, model, model_version, threshold, parameters, total, completed, created_at)
    VALUES (${id}, ${projectId}, ${status}, 'nuclei', '1', 0.5, 't', 4, 4, now())`;
  return id;
}
/** An item that ended `ageMs` ago; its stages in milliseconds. */
async function end(batchId: string, imageId: string, ageMs: number, stages: Record<string, number>): Promise<void> {
  const { sql } = fixture;
  await sql`INSERT INTO batch_items (batch_id, image_id, status, worker, finished_at)
    VALUES (${batchId}, ${imageId}, 'completed', 'w1', now() - ${ageMs}::float8 * interval '1 ms')`;
  for (const [stage, ms] of Object.entries(stages))
    await sql`INSERT INTO image_stages (image_id, batch_id, stage, started_at, duration_ms)
      VALUES (${imageId}, ${batchId}, ${stage}, now(), ${ms})`;
}

describe('readNow', () => {
  it('has nothing of an idle service', async () => {
    expect(await read()).toEqual({ finished: [], stages: null, eventLagMs: 0, openBatches: 0, batches: [] });
  });

  it('means stages over the images that ended just now, each try of each counted', async () => {
    const batch = await insertBatch('running');
    const run = { decode: 10, normalise: 1, infer: 80, polygons: 6, encode: 3 };
    await end(batch, imageIds[0]!, 100, { wait: 1000, ...run, save: 20, publish: 100 });
    await end(batch, imageIds[1]!, 200, { wait: 3000, ...run, infer: 180, save: 20, publish: 300 });
    await end(batch, imageIds[2]!, 60_000, { wait: 9e6, ...run, save: 9e6, publish: 9e6 });
    const { stages, eventLagMs } = await read();
    expect(stages).toMatchObject({ images: 2, waitMs: 2000, runMs: 150, publishMs: 220 });
    expect(stages!.runP95Ms).toBeCloseTo(195, 3);
    expect(eventLagMs).toBe(300);
  });

  it('has the images of each whole second of the last minute, over all batches', async () => {
    const { sql } = fixture;
    const [open, ended] = [await insertBatch('running'), await insertBatch('completed')];
    const [row] = await sql<{ now: number }[]>`SELECT floor(extract(epoch FROM now()))::int AS now`;
    const now = row!.now;
    await sql`INSERT INTO batch_progress (batch_id, second, done) VALUES (${open}, ${now - 10}, 5), (${ended}, ${now - 10}, 7),
      (${open}, ${now - 9}, 3), (${open}, ${now - 300}, 99), (${open}, ${now + 60}, 99)`;
    expect((await read()).finished).toEqual([
      { second: now - 10, done: 12 },
      { second: now - 9, done: 3 },
    ]);
  });

  it('lists open batches before those that ended, of the last day only, with the names of their projects', async () => {
    const old = await insertBatch('completed', firstIdAt(Date.now() - 48 * 3_600_000));
    const ended = await insertBatch('completed');
    const open = await insertBatch('running');
    const { batches, openBatches } = await read();
    expect([batches.map(({ id }) => id), openBatches]).toEqual([[open, ended], 1]);
    expect(batches[0]).toMatchObject({ projectName: 'test', total: 4, counts: { completed: 4 } });
    expect(batches.map(({ id }) => id)).not.toContain(old);
  });

  it('tells how long the oldest event waits that nobody numbered', async () => {
    await fixture.sql`INSERT INTO event_outbox (project_id, image_id, status, created_at)
      VALUES (${projectId}, ${imageIds[0]!}, 'completed', clock_timestamp() - interval '1 hour'),
             (${projectId}, ${imageIds[1]!}, 'completed', clock_timestamp())`;
    expect((await read()).eventLagMs).toBeGreaterThanOrEqual(3_600_000);
  });

  it('shows another tenant nothing of it', async () => {
    const batch = await insertBatch('running');
    await end(batch, imageIds[0]!, 100, { wait: 1000, infer: 80, publish: 100 });
    await fixture.sql`INSERT INTO event_outbox (project_id, image_id, status) VALUES (${projectId}, ${imageIds[0]!}, 'completed')`;
    expect(await read(randomUUID())).toEqual({
      finished: [],
      stages: null,
      eventLagMs: 0,
      openBatches: 0,
      batches: [],
    });
  });
});
