import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Failures } from '#contract/batches.ts';
import type { Timeline } from '#contract/timeline.ts';
import { InferenceFailure } from '../../src/inference/failure.ts';
import { fakeBackend, fakeOutput, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { finalState, startPath, type Path } from '../roles/path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath();
});
afterEach(() => path.close());

const read = async <T>(url: string) => (await (await path.server.call(url)).json()) as T;

it('lets an urgent batch overtake one that came before it, in PostgreSQL and in Redis', async () => {
  const { projectId, imageIds, hashes } = await insertProject(path.sql, 600);
  const [slow, urgent] = [imageIds.slice(0, 550), imageIds.slice(550)];
  const urgentHashes = new Set(hashes.slice(550));
  await path.relay();
  const gate = Promise.withResolvers<void>();
  const fake = fakeBackend(() => gate.promise);
  await path.worker(fake.backend);
  await path.start(projectId, { imageIds: slow, priority: 0 });
  // Redis is full of the first batch, and the worker too, before the second one is made.
  await until(async () => (await path.sql`SELECT 1 FROM batch_items WHERE lease_until IS NOT NULL`).length >= 64);
  const second = await path.start(projectId, { imageIds: urgent, priority: 10 });
  expect(second.priority).toBe(10);
  gate.resolve();
  await path.ended(second.id);
  const order = fake.asked.map(({ sha256 }) => urgentHashes.has(sha256));
  const before = order.slice(0, order.lastIndexOf(true)).filter((isUrgent) => !isUrgent).length;
  // Some ran and 64 waited in Redis; whoever goes by age alone has all 550 before.
  expect(before).toBeLessThan(300);
});

describe('cancel', () => {
  it('lets nothing begin later, also of what a worker holds already', async () => {
    const { projectId, imageIds } = await insertProject(path.sql, 220);
    // As a pool of two children: the rest of what a worker claimed waits in it.
    let running = 0;
    const began: string[] = [];
    const waiting = new Set<() => void>();
    const gate = Promise.withResolvers<void>();
    const { backend } = fakeBackend();
    backend.infer = async (request, { signal }) => {
      if (running === 2)
        await new Promise<void>((resolve, reject) => {
          waiting.add(resolve);
          signal?.addEventListener('abort', () => {
            waiting.delete(resolve);
            reject(signal.reason as Error);
          });
        });
      running++;
      began.push(request.id);
      await gate.promise;
      running--;
      const [next] = waiting;
      if (next) waiting.delete(next);
      next?.();
      return fakeOutput();
    };
    await path.relay();
    await path.worker(backend);
    const batch = await path.start(projectId, { imageIds: imageIds.slice(0, 200) });
    await until(() => began.length === 2 && waiting.size === 2);
    const cancelled = await path.post(`/api/batches/${batch.id}/cancel`);
    expect(cancelled).toMatchObject({ status: 'cancelled', counts: { cancelled: 200 } });
    await until(() => waiting.size === 0);
    expect(began).toHaveLength(2);
    gate.resolve();
    // What comes through the same queue afterwards shows that nothing of the first batch is left in it.
    const next = await path.start(projectId, { imageIds: imageIds.slice(200) });
    await path.ended(next.id);
    expect((await path.get(next.id)).counts.completed).toBe(20);
    const first = new Set<string>(imageIds.slice(0, 200));
    expect(began.filter((id) => first.has(id))).toHaveLength(2);
    const [late] = await path.sql`
      SELECT count(*) AS n FROM batch_items t JOIN batches b ON b.id = t.batch_id
      WHERE b.id = ${batch.id} AND t.started_at > b.finished_at`;
    expect(late).toEqual({ n: 0 });
    expect(await wrongCounters(path.sql)).toEqual([]);
  });
});

describe('failures', () => {
  it('pauses a batch that fails too often, and says why in the batch and to every reader', async () => {
    const { projectId } = await insertProject(path.sql, 400);
    const reader = await openSocket(path.server.url, { query: `projectId=${projectId}` });
    await path.relay();
    const fake = fakeBackend(() => {
      throw new InferenceFailure('INVALID_IMAGE', 'cut file');
    });
    await path.worker(fake.backend);
    const { id } = await path.start(projectId);
    await until(() => finalState(reader, id)?.status === 'paused');
    const reason = expect.stringMatching(/^200 of the last 200 images failed \(INVALID_IMAGE 200\)/) as string;
    expect(finalState(reader, id)).toMatchObject({ status: 'paused', pausedReason: reason });
    const batch = await path.get(id);
    expect(batch).toMatchObject({ status: 'paused', pausedReason: reason, finishedAt: null });
    expect(batch.counts.queued).toBeGreaterThan(0);
    // A person's pause has no reason, and what failed before the resume does not count again.
    expect(await path.post(`/api/batches/${id}/resume`)).toMatchObject({ pausedReason: null });
    await path.ended(id);
    expect(await path.get(id)).toMatchObject({ status: 'completed', counts: { failed: 400 }, pausedReason: null });
    await reader.close();
  });

  it('groups by code with count, times and samples, and retries one code or all of them', async () => {
    const { projectId, imageIds, hashes } = await insertProject(path.sql, 12);
    const codes = new Map(
      hashes.map((hash, index) => [hash, index < 7 ? 'INVALID_IMAGE' : index < 9 ? 'TIMEOUT' : null]),
    );
    await path.relay();
    const fake = fakeBackend(({ sha256 }) => {
      const code = codes.get(sha256);
      if (code === 'TIMEOUT' || code === 'INVALID_IMAGE') throw new InferenceFailure(code, `image says ${code}`);
    });
    await path.worker(fake.backend);
    const { id } = await path.start(projectId);
    await path.ended(id);
    const { total, groups } = await read<Failures>(`/api/batches/${id}/failures`);
    expect(total).toBe(9);
    expect(groups).toMatchObject([
      { code: 'INVALID_IMAGE', count: 7, retryable: false, sampleMessage: 'image says INVALID_IMAGE' },
      { code: 'TIMEOUT', count: 2, retryable: true, sampleMessage: 'image says TIMEOUT' },
    ]);
    for (const { first, last } of groups) expect(Date.parse(first)).toBeLessThanOrEqual(Date.parse(last));
    expect(groups[0]!.sampleImageIds).toHaveLength(5);
    expect(imageIds.slice(0, 7)).toEqual(expect.arrayContaining(groups[0]!.sampleImageIds));
    expect(groups[1]!.sampleImageIds.toSorted()).toEqual(imageIds.slice(7, 9).toSorted());

    const one = await path.post(`/api/batches/${id}/retry`, { only: 'failed', code: 'TIMEOUT' });
    expect(one).toMatchObject({ total: 2, retryOf: id });
    await path.ended(one.id);
    const retries = async () =>
      (await read<Failures>(`/api/batches/${id}/failures`)).groups.map(({ retryId }) => retryId);
    expect(groups.map(({ retryId }) => retryId)).toEqual([null, null]);
    expect(await retries()).toEqual([null, one.id]);
    codes.clear();
    const all = await path.post(`/api/batches/${id}/retry`, { only: 'failed' });
    expect(all.total).toBe(9);
    await path.ended(all.id);
    expect(await retries()).toEqual([all.id, all.id]);
    expect((await path.get(all.id)).counts).toMatchObject({ completed: 9, failed: 0 });
    const refusals: [body: object | undefined, status: number][] = [
      [{ only: 'failed', code: 'CRASHED' }, 409],
      [{ only: 'failed', code: 'NONE' }, 400],
      [{ only: 'all' }, 400],
      [{}, 400],
      [undefined, 400],
    ];
    const statuses = await Promise.all(
      refusals.map(async ([json]) => {
        const init = { method: 'POST', ...(json === undefined ? {} : { json }) };
        return (await path.server.call(`/api/batches/${id}/retry`, init)).status;
      }),
    );
    expect(statuses).toEqual(refusals.map(([, status]) => status));
  });

  it('tells in the timeline which worker did what in which attempt, and why it failed', async () => {
    const { projectId, imageIds } = await insertProject(path.sql, 1);
    await path.relay();
    const fake = fakeBackend((_, nth) => {
      if (nth === 1) throw new InferenceFailure('CRASHED', 'the child died (SIGSEGV)', { crashed: true });
    });
    await path.worker(fake.backend);
    const { id } = await path.start(projectId);
    await path.ended(id);
    await until(async () =>
      (await read<Timeline>(`/api/images/${imageIds[0]}/timeline`)).stages.some(({ stage }) => stage === 'publish'),
    );
    const { batches, stages, status } = await read<Timeline>(`/api/images/${imageIds[0]}/timeline`);
    expect(status).toBe('completed');
    expect(batches).toMatchObject([{ batchId: id, status: 'completed', attempts: 2, crashes: 1, generation: 2 }]);
    const of = (attempt: number) => stages.filter((stage) => stage.batchId === id && stage.attempt === attempt);
    expect(of(1)).toContainEqual(
      expect.objectContaining({
        stage: 'infer',
        worker: expect.stringMatching(/^w\d+-/),
        cause: 'CRASHED: the child died (SIGSEGV)',
      }),
    );
    for (const name of ['wait', 'decode', 'normalise', 'infer', 'polygons', 'encode'])
      expect(of(2)).toContainEqual(expect.objectContaining({ stage: name, cause: null }));
    const starts = stages.map(({ startedAt }) => Date.parse(startedAt));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });
});

it('estimates the time left with a range around it while a batch runs', async () => {
  const { projectId } = await insertProject(path.sql, 300);
  await path.relay();
  let open = 40;
  const gate = Promise.withResolvers<void>();
  await path.worker(fakeBackend(() => (open-- > 0 ? undefined : gate.promise)).backend);
  const { id, eta: atFirst } = await path.start(projectId);
  expect(atFirst).toBeNull();
  let { eta, imagesPerSecond } = await path.get(id);
  await until(async () => {
    ({ eta, imagesPerSecond } = await path.get(id));
    return eta !== null;
  });
  expect(imagesPerSecond).toBeGreaterThan(0);
  expect(eta!.low).toBeLessThanOrEqual(eta!.seconds);
  expect(eta!.high).toBeGreaterThanOrEqual(eta!.seconds);
  gate.resolve();
  await path.ended(id);
  expect(await path.get(id)).toMatchObject({ status: 'completed', eta: null });
});
