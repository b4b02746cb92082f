import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/contract/common.ts';
import { InferenceFailure } from '../../src/inference/failure.ts';
import { fakeBackend, fakeStats, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { breaks, openSocket } from '../events/socket.ts';
import { ends, finalState, follow, startPath, type Path } from './path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath();
});
afterEach(() => path.close());

describe('a batch', () => {
  it('reaches every reader once, one of them coming back, and the cache answers the next', async () => {
    const { projectId, imageIds } = await insertProject(path.sql, 300);
    const [steady, leaving] = [
      await openSocket(path.server.url, { query: `projectId=${projectId}` }),
      await openSocket(path.server.url, { query: `projectId=${projectId}` }),
    ];
    await path.relay();
    const fake = fakeBackend();
    await path.worker(fake.backend);
    const batch = await path.start(projectId);
    await until(() => ends(leaving, batch.id).length > 20);
    const { epoch } = leaving.hello()!;
    await leaving.close();
    const since = leaving.lastSeq();
    await path.ended(batch.id);
    const back = await openSocket(path.server.url, { query: `projectId=${projectId}&epoch=${epoch}&since=${since}` });
    await follow(steady, batch.id);
    await follow(back, batch.id);
    const both = [...leaving.events(), ...back.events()];
    expect(both.map((event) => event.seq)).toEqual(steady.events().map((event) => event.seq));
    expect(breaks(steady)).toEqual([]);
    for (const events of [steady.events(), both]) {
      const terminal = events.filter((event) => isTerminal(event.status)).map((event) => event.imageId);
      expect(terminal.toSorted()).toEqual(imageIds.toSorted());
    }
    expect(finalState(steady, batch.id)).toMatchObject({ status: 'completed', counts: { completed: 300 }, eta: null });
    expect(fake.asked).toHaveLength(300);

    const again = await path.start(projectId);
    expect(again).toMatchObject({ status: 'completed', counts: { completed: 300 } });
    await follow(steady, again.id);
    expect(new Set(ends(steady, again.id).map((event) => event.imageId)).size).toBe(300);
    expect(ends(steady, again.id)).toHaveLength(300);
    expect(fake.asked).toHaveLength(300);
    const stages = await path.sql<{ stage: string; n: number }[]>`
      SELECT stage, count(DISTINCT image_id) AS n FROM image_stages WHERE batch_id = ${batch.id} GROUP BY stage`;
    const counts = Object.fromEntries(stages.map(({ stage, n }) => [stage, n]));
    for (const stage of ['wait', 'decode', 'normalise', 'infer', 'polygons', 'encode', 'save', 'publish'])
      expect(counts[stage]).toBe(300);
    expect(await wrongCounters(path.sql)).toEqual([]);
    await Promise.all([steady.close(), back.close()]);
  });

  it('infers identical bytes once, and again when forced', async () => {
    const { projectId } = await insertProject(path.sql, 5, () => `same ${Math.floor(performance.timeOrigin)}`);
    await path.relay();
    const fake = fakeBackend(() => new Promise((resolve) => setTimeout(resolve, 50)));
    await path.worker(fake.backend);
    const batch = await path.start(projectId);
    await path.ended(batch.id);
    expect((await path.get(batch.id)).counts.completed).toBe(5);
    expect(fake.asked).toHaveLength(1);
    const forced = await path.start(projectId, { all: true, force: true });
    await path.ended(forced.id);
    expect(fake.asked).toHaveLength(2);
    expect(await path.sql`SELECT 1 FROM results`).toHaveLength(1);
  });

  it('quarantines what crashes twice, retries what may pass, and its neighbours go on', async () => {
    const { projectId, imageIds, hashes } = await insertProject(path.sql, 12);
    await path.relay();
    const fake = fakeBackend(({ sha256 }, nth) => {
      if (sha256 === hashes[0]) throw new InferenceFailure('CRASHED', 'the child died', { crashed: true });
      if (sha256 === hashes[1]) throw new InferenceFailure('INVALID_IMAGE', 'cut file');
      if (sha256 === hashes[2] && nth === 1) throw new InferenceFailure('OUT_OF_MEMORY', 'no room');
    });
    await path.worker(fake.backend);
    const batch = await path.start(projectId);
    await path.ended(batch.id);
    expect((await path.get(batch.id)).counts).toMatchObject({ completed: 10, failed: 2 });
    const asked = (index: number) => fake.asked.filter((request) => request.sha256 === hashes[index]).length;
    expect([0, 1, 2, 3].map(asked)).toEqual([2, 1, 2, 1]);
    const failures = await (await path.server.call(`/api/batches/${batch.id}/failures`)).json();
    expect(failures).toMatchObject({ total: 2 });
    const image = await (await path.server.call(`/api/images/${imageIds[0]}`)).json();
    expect(image).toMatchObject({
      status: 'failed',
      error: { code: 'CRASHED', message: 'the child died', retryable: true },
    });
    const retry = await path.post(`/api/batches/${batch.id}/retry`, { only: 'failed', code: 'INVALID_IMAGE' });
    expect(retry).toMatchObject({ total: 1, retryOf: batch.id });
    await path.ended(retry.id);
    expect((await path.get(retry.id)).counts.failed).toBe(1);
    expect(await wrongCounters(path.sql)).toEqual([]);
  });

  it('stops what has not begun when cancelled, and goes on where it was after a pause', async () => {
    const { projectId } = await insertProject(path.sql, 400);
    const reader = await openSocket(path.server.url, { query: `projectId=${projectId}` });
    await path.relay();
    const gate = Promise.withResolvers<void>();
    const fake = fakeBackend(() => gate.promise);
    await path.worker(fake.backend);
    const batch = await path.start(projectId);
    await until(() => fake.asked.length === 4);
    expect((await path.post(`/api/batches/${batch.id}/pause`)).status).toBe('paused');
    gate.resolve();
    await until(async () => (await path.get(batch.id)).counts.processing === 0);
    const { counts } = await path.get(batch.id);
    expect(counts.queued).toBe(400 - counts.completed);
    expect(counts.queued).toBeGreaterThan(300);
    expect((await path.post(`/api/batches/${batch.id}/resume`)).status).toBe('running');
    await path.ended(batch.id);
    expect((await path.get(batch.id)).counts.completed).toBe(400);
    const second = await path.start(projectId, { all: true, threshold: 0.7 });
    const cancelled = await path.post(`/api/batches/${second.id}/cancel`);
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.counts.queued + cancelled.counts.processing).toBe(0);
    await follow(reader, second.id);
    expect(new Set(ends(reader, second.id).map((event) => event.imageId)).size).toBe(400);
    expect(ends(reader, second.id)).toHaveLength(400);
    expect(await wrongCounters(path.sql)).toEqual([]);
    await reader.close();
  });
});

it('reports the queue and its workers from the moment they are ready, and takes the report back when the worker goes', async () => {
  const fake = fakeBackend();
  const child = {
    id: 'c1',
    pid: 7,
    state: 'idle',
    busyMs: 0,
    busyRatio: 0,
    imagesDone: 3,
    restarts: 0,
    rssBytes: 5,
    lastError: null,
  };
  fake.backend.stats = () => ({
    ...fakeStats(),
    workers: [{ ...child, state: 'idle' }],
  });
  const handle = await path.worker(fake.backend);
  const queue = async () =>
    (await (await path.server.call('/api/queue')).json()) as { waiting: number; workers: object[] };
  expect((await queue()).workers).toHaveLength(1);
  const { projectId } = await insertProject(path.sql, 6);
  await path.start(projectId);
  expect(await queue()).toMatchObject({
    waiting: 6,
    active: 0,
    workers: [{ pid: 7, state: 'idle', model: 'nuclei 1', imagesDone: 3 }],
  });
  await path.end(handle);
  expect((await queue()).workers).toEqual([]);
});
