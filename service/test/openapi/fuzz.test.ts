import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Document } from '../../src/openapi/document.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { fuzz } from './fuzz/run.ts';

/** More, or others: `node test/figures/fuzz.mjs --count 10000 --seed 7`. */
const COUNT = Number(process.env['SEGBENCH_FUZZ_COUNT'] ?? 500);
const SEED = Number(process.env['SEGBENCH_FUZZ_SEED'] ?? 20_260_302);
/** A socket is no request. */
const LEFT_OUT = new Set(['openEvents']);
const SHOWN = 20;
/** Every operation is sent once in each way in which it can be wrong, whatever the seed. */
const KINDS = ['valid', 'bad path', 'bad query', 'bad header', 'multipart'];

let service: TestApp;
let document: Document;
const ids: Record<string, string[]> = {};
let onlyRead: string;
let onlyMetrics: string;

async function made<T>(path: string, json: unknown): Promise<T> {
  return (await (await service.call(path, { method: 'POST', json })).json()) as T;
}
const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);

beforeAll(async () => {
  service = await startTestApp();
  document = (await (await service.call('/openapi.json')).json()) as Document;
  const project = await made<{ id: string }>('/api/projects', { name: 'fuzzed' });
  const empty = await made<{ id: string }>('/api/projects', { name: 'empty' });
  const images = await uploadPictures(service, project.id, 6);
  const finished = await finishBatch(service, project.id, images.slice(0, 4), [3, 0, null, 5]);
  await service.sql`update batch_items set finished_at = now() where finished_at is null`;
  const running = await made<{ id: string }>(`/api/projects/${project.id}/batches`, { all: true });
  const exported = await made<{ id: string }>(`/api/batches/${finished}/exports`, { format: 'csv' });
  ids['projects:id'] = ids['projectId'] = [project.id, empty.id];
  ids['images:id'] = ids['imageIds'] = idsOf(images);
  ids['batches:id'] = ids['batchId'] = [finished, running.id];
  ids['exports:id'] = ids['exportId'] = [exported.id];
  const spare = await Promise.all(
    Array.from({ length: 3 }, (_, index) => made<{ id: string }>('/api/projects', { name: `spare ${index}` })),
  );
  ids['expendable:projects:id'] = idsOf(spare);
  ids['expendable:images:id'] = idsOf(await uploadPictures(service, spare[0]!.id, 2, 50));
  ids['expendable:keys:id'] = [(await made<{ id: string }>('/api/keys', { name: 'spare', scopes: ['read'] })).id];
  const token = async (scope: string) =>
    (await made<{ token: string }>('/api/keys', { name: `only ${scope}`, scopes: [scope] })).token;
  onlyRead = await token('read');
  onlyMetrics = await token('metrics');
});
afterAll(() => service.close());

describe('the service under a fuzzer', () => {
  it(
    `gives no 5xx and nothing outside of its document in ${COUNT} requests of seed ${SEED}`,
    async () => {
      const without = (scope: string) => (scope === 'metrics' ? onlyRead : onlyMetrics);
      const keys = { full: TEST_KEY, without };
      const report = await fuzz({
        url: service.url,
        document,
        keys,
        seed: SEED,
        count: COUNT,
        leaveOut: LEFT_OUT,
        idsFor: (name) => ids[name] ?? [],
      });
      const { problems, ...figures } = report;
      process.stdout.write(`fuzz: seed ${SEED}: ${JSON.stringify(figures)}\n`);
      if (problems.length > 0) process.stdout.write(`${problems.slice(0, SHOWN).join('\n')}\n`);
      expect(problems.length, `${problems.length} answers are not as documented; seed ${SEED}`).toBe(0);
      expect(report.sent).toBe(COUNT);
      expect(Object.keys(report.byKind)).toEqual(expect.arrayContaining(KINDS));
      expect(Object.keys(report.byStatus)).toEqual(expect.arrayContaining(['200', '400', '401', '404']));
    },
    60_000 + COUNT * 60,
  );
});
