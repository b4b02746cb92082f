import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBulk } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/results.ts';
import { entriesByIds } from '../../src/results/query.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { finishedProject } from '../support/finished.ts';
import { countQueries, PATIENT } from '../support/queries.ts';

let service: TestApp;
let queries: () => Promise<number>;
beforeAll(async () => {
  service = await startTestApp(PATIENT);
  queries = await countQueries(service);
});
afterAll(() => service.close());

const finished = (count: number, cells: number) => finishedProject(service.sql, count, cells);

describe('bulk results', () => {
  it('asks the database twice for 1 or 100 sparse results, and at most four times for 1,000, by ids and by batch', async () => {
    const { imageIds, batchId } = await finished(1000, 20);
    await service.call('/api/session');
    for (const body of [...[1, 100, 1000].map((n) => ({ imageIds: imageIds.slice(0, n) })), { batchId }]) {
      const before = await queries();
      const reply = await service.call('/api/segmentation/batch/results', {
        method: 'POST',
        json: body,
        headers: { accept: POLYGONS_MIME },
      });
      const { results } = decodeBulk(new Uint8Array(await reply.arrayBuffer()));
      expect(results.size).toBe('imageIds' in body ? body.imageIds.length : 1000);
      expect((await queries()) - before).toBeLessThanOrEqual('imageIds' in body && body.imageIds.length <= 100 ? 2 : 4);
    }
  });

  it('has the first of many ids before it reads the others', async () => {
    const { imageIds } = await finished(300, 2);
    const entries = entriesByIds(service.tenant, imageIds.toReversed(), undefined, true);
    const before = await queries();
    const { value: first } = await entries.next();
    expect(first).toMatchObject({ imageId: imageIds.at(-1), missing: false });
    expect((await queries()) - before).toBe(2);
    for (let read = 1; read < 100; read++) await entries.next();
    expect((await queries()) - before).toBe(2);
    const rest = [];
    for await (const { imageId } of entries) rest.push(imageId);
    expect(rest).toEqual(imageIds.toReversed().slice(100));
    expect((await queries()) - before).toBe(4);
  });

  it('stops reading for a client that does not read, goes on with it, and ends when it leaves', async () => {
    const { imageIds } = await finished(1000, 2000);
    await service.call('/api/session');
    const body = JSON.stringify({ imageIds });
    const begin = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${TEST_KEY}`,
          'content-type': 'application/json',
          accept: 'application/x-ndjson',
        };
        request(`${service.url}/api/segmentation/batch/results`, { method: 'POST', headers }, resolve)
          .on('error', reject)
          .end(body);
      });
    /** The number of queries once it does not change any more. */
    const settled = async () => {
      let last = -1;
      let same = 0;
      await until(async () => {
        const now = await queries();
        same = now === last ? same + 1 : 0;
        last = now;
        return same >= 25;
      });
      return last;
    };
    const before = await queries();
    const slow = await begin();
    slow.on('error', () => {});
    const whileWaiting = (await settled()) - before;
    // What was read ahead is a page or two of some dozen: the rest waits in the database.
    expect(whileWaiting).toBeLessThanOrEqual(5);
    expect(service.app.metrics.databasePool(4)).toMatchObject({ idleCount: 4, waitingCount: 0 });
    const first = await new Promise<number>((resolve) => slow.once('data', (chunk: Buffer) => resolve(chunk.length)));
    expect(first).toBeGreaterThan(0);
    slow.destroy();
    const afterLeaving = (await settled()) - before;
    expect(afterLeaving).toBeLessThanOrEqual(whileWaiting + 3);
    const whole = await begin();
    let lines = 0;
    for await (const chunk of whole) for (const byte of chunk as Buffer) if (byte === 10) lines++;
    expect(lines).toBe(1001);
    expect((await queries()) - before - afterLeaving).toBeGreaterThan(whileWaiting);
  });
});
