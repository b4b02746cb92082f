import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodePolygons } from '#contract/polygons-format.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { migrate } from '../../src/database/migrate.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import { testServers } from '../../../test/servers.ts';
import { startTestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { newTenant } from './kit.ts';

const servers = testServers();
const BEFORE_TENANTS = 11;
const OLD_KEY = `sb_${'k'.repeat(43)}`;
let database: Awaited<ReturnType<typeof servers.createDatabase>>;
let sql: Sql;
beforeEach(async () => {
  database = await servers.createDatabase();
  sql = createDatabase(database.url, { max: 2 });
});
afterEach(async () => {
  await sql.end({ timeout: 5 });
  await database.drop();
});

/** What a service of the version before left in its database. */
async function oldRows(): Promise<{ projectId: string; imageId: string; batchId: string }> {
  const [projectId, imageId, batchId, resultId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const sha256 = createHash('sha256').update('old').digest();
  await sql`insert into projects (id, name, created_by) values (${projectId}, 'old', 'bootstrap')`;
  await sql`insert into blobs values (${sha256}, 1, 'image/png', 8, 8, 1, 1, 0)`;
  await sql`insert into results (id, sha256, model, model_version, parameters, threshold, image_width, image_height, polygon_count, processing_ms, stages, polygons)
    values (${resultId}, ${sha256}, 'nuclei', '1', 't=0.5', 0.5, 8, 8, 0, 1, '{}', ${Buffer.from(encodePolygons([]))})`;
  await sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total, completed)
    values (${batchId}, ${projectId}, 'completed', 'nuclei', '1', 0.5, 't=0.5', 1, 1)`;
  await sql`insert into images (id, project_id, name, sha256, status, batch_id, result_id, polygon_count)
    values (${imageId}, ${projectId}, 'old.png', ${sha256}, 'completed', ${batchId}, ${resultId}, 0)`;
  await sql`insert into batch_items (batch_id, image_id, status, result_id) values (${batchId}, ${imageId}, 'completed', ${resultId})`;
  await sql`insert into api_keys (id, name, token_sha256, scopes)
    values (${randomUUID()}, 'old', ${createHash('sha256').update(OLD_KEY).digest()}, array['read', 'write', 'admin', 'metrics'])`;
  await sql`insert into audit (key_name, action, target_type) values ('old', 'POST /api/projects', 'projects')`;
  return { projectId, imageId, batchId };
}

it('makes what a service of the version before left the operator’s, and serves it as before', async () => {
  await migrate(database.url, BEFORE_TENANTS);
  const { projectId, imageId, batchId } = await oldRows();
  expect(await migrate(database.url)).toContain(BEFORE_TENANTS + 1);
  const app = await startTestApp({}, { databaseUrl: database.url });
  const as = { key: OLD_KEY };
  for (const path of [
    `projects/${projectId}`,
    `images/${imageId}`,
    `batches/${batchId}`,
    `images/${imageId}/segmentation`,
  ])
    expect([path, (await app.call(`/api/${path}`, as)).status]).toEqual([path, 200]);
  const listed = async (path: string, key: string) =>
    ((await (await app.call(`/api/${path}`, { key })).json()) as { total: number }).total;
  expect([await listed('projects', OLD_KEY), await listed(`projects/${projectId}/images`, OLD_KEY)]).toEqual([1, 1]);
  expect(await listed('audit', OLD_KEY)).toBeGreaterThan(0);
  const other = await newTenant(app, 'other');
  expect(await listed('projects', other.token)).toBe(0);
  // it goes on growing
  const images = await uploadPictures(app, projectId, 2);
  await finishBatch(app, projectId, images, [1, 2]);
  expect(await listed(`projects/${projectId}/images`, OLD_KEY)).toBe(3);
  await app.close();
});

it('goes back while there is one tenant, and refuses to while there are others', async () => {
  await migrate(database.url);
  await migrate(database.url, BEFORE_TENANTS);
  await oldRows();
  await migrate(database.url);
  const [row] = await sql<{ owners: number; tables: number }[]>`
    select (select count(*) from projects where tenant_id = ${FIRST_TENANT}) as owners,
      (select count(*) from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity) as tables`;
  expect(row).toMatchObject({ owners: 1 });
  expect(row!.tables).toBeGreaterThan(20);
  await sql`insert into tenants (id, name) values (${randomUUID()}, 'other')`;
  await expect(migrate(database.url, BEFORE_TENANTS)).rejects.toThrow('there are other tenants');
});
