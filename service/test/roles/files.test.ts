import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startWorker } from '../../src/roles/worker.ts';
import { wrongCounters } from '../batches/fixture.ts';
import { uploadPictures } from '../support/results.ts';
import { startPath, type Path } from './path.ts';

let path: Path;
let projectId: string;
beforeEach(async () => {
  path = await startPath({ WORKERS: '1' });
  const reply = await path.server.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  projectId = ((await reply.json()) as { id: string }).id;
  await uploadPictures(path.server, projectId, 2);
});
afterEach(() => path.close());

it('a worker does not start on a folder that is not the one of its database', async () => {
  const start = startWorker({ ...path.server.app.config, role: 'worker', dataDir: tmpdir() });
  await expect(start).rejects.toThrow(`DATA_DIR is "${tmpdir()}", where no stored file can be read`);
});

it('a worker whose folder goes away fails no image: it gives them back, and says that it cannot go on', async () => {
  await path.relay();
  const worker = await path.worker();
  const { dataDir } = path.server.app.config;
  await rename(join(dataDir, 'blobs'), join(dataDir, 'unmounted'));
  const batch = await path.start(projectId);
  const cause = Promise.race([worker.lost, path.ended(batch.id).then(() => new Error('the batch ended'))]);
  expect((await cause)?.message).toContain('where no stored file can be read');
  await path.end(worker);
  expect((await path.get(batch.id)).counts).toMatchObject({ queued: 2, processing: 0, failed: 0 });
  expect(await path.sql`SELECT max(attempts) AS most FROM batch_items`).toEqual([{ most: 0 }]);
  await rename(join(dataDir, 'unmounted'), join(dataDir, 'blobs'));
  await path.worker();
  await path.ended(batch.id);
  expect((await path.get(batch.id)).counts).toMatchObject({ completed: 2, failed: 0 });
  expect(await wrongCounters(path.sql)).toEqual([]);
});

it.each([1, 2])('%d of two files that are missing fail their own images only', async (lost) => {
  await path.relay();
  const worker = await path.worker();
  const blobs = await path.sql<{ sha256: string }[]>`SELECT encode(sha256, 'hex') AS sha256 FROM blobs LIMIT ${lost}`;
  for (const { sha256 } of blobs) {
    const file = path.server.app.storage.path(sha256);
    await rename(file, `${file}.lost`);
  }
  const batch = await path.start(projectId);
  await path.ended(batch.id);
  expect((await path.get(batch.id)).counts).toMatchObject({ completed: 2 - lost, failed: lost });
  expect(await Promise.race([worker.lost, Promise.resolve('works')])).toBe('works');
});
