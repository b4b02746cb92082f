import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/contract/common.ts';
import { InferenceFailure } from '../../src/inference/failure.ts';
import { fakeBackend, insertProject, until } from '../batches/fixture.ts';
import { ends, follow, startPath, type Path } from '../roles/path.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';
import { createReaders, endWindow, expectEventsFrame, expectStream, newProject } from './kit.ts';

let path: Path;
let beside: TestApp;
const readers = createReaders();
beforeEach(async () => {
  path = await startPath();
  beside = await startTestApp({}, { beside: path.server });
});
afterEach(async () => {
  await readers.close();
  await beside.close();
  await path.close();
});
const seen = (events: { imageId: string; batchId: string | null; status: string }[]) =>
  events.map(({ imageId, batchId, status }) => ({ imageId, batchId, status }));

describe('frames', () => {
  it('have the documented shape, and are the same for all readers of two API processes', async () => {
    const { projectId, imageIds, hashes } = await insertProject(path.sql, 40);
    const query = `projectId=${projectId}`;
    const four = await Promise.all([path.server, path.server, beside, beside].map((app) => readers.open(app, query)));
    const bad = new Set(hashes.slice(0, 4));
    const { backend } = fakeBackend(({ sha256 }) => {
      if (bad.has(sha256)) throw new InferenceFailure('INVALID_IMAGE', 'cut file');
    });
    await path.relay();
    await path.worker(backend);
    const batch = await path.start(projectId);
    await Promise.all(four.map((reader) => follow(reader, batch.id)));
    for (const reader of four) {
      expectStream(reader.frames, projectId);
      expect(reader.eventFrames()).toEqual(four[0]!.eventFrames());
    }
    const terminal = ends(four[0]!, batch.id);
    expect(terminal.map(({ imageId }) => imageId).toSorted()).toEqual(imageIds.toSorted());
    const failed = terminal.filter(({ status }) => status === 'failed');
    expect(failed.map(({ imageId, code }) => ({ imageId, code }))).toEqual(
      expect.arrayContaining(imageIds.slice(0, 4).map((imageId) => ({ imageId, code: 'INVALID_IMAGE' }))),
    );
    expect(failed).toHaveLength(4);
  });

  it('carry at most 500 events each when 1,200 come at once', async () => {
    const { projectId, imageIds } = await insertProject(path.sql, 1200);
    await path.relay();
    const reader = await readers.open(path.server, `projectId=${projectId}`);
    const batch = await path.start(projectId);
    await until(() => reader.lastSeq() >= 1200);
    const created = reader.eventFrames().filter(({ from }) => from <= 1200);
    expect(created.map(({ events }) => events.length)).toEqual([500, 500, 200]);
    // The state of a batch never runs ahead of the events that it sums up.
    expect(created.map(({ batches }) => batches.length)).toEqual([0, 0, 1]);
    await path.post(`/api/batches/${batch.id}/cancel`);
    await follow(reader, batch.id);
    expectStream(reader.frames, projectId);
    expect(new Set(ends(reader, batch.id).map(({ imageId }) => imageId))).toEqual(new Set(imageIds));
    expect(ends(reader, batch.id)).toHaveLength(1200);
  });
});

/** No relay runs here: `endWindow` decides what falls into one window. */
describe('one window', () => {
  it('tells the last status of each image alone, in one frame', async () => {
    const projectId = await newProject(path.server);
    const reader = await readers.open(path.server, `projectId=${projectId}`);
    const images = await uploadPictures(path.server, projectId, 3);
    const { id } = await path.start(projectId);
    await path.post(`/api/batches/${id}/pause`);
    await endWindow(path.server);
    await until(() => reader.lastSeq() > 0);
    const [frame, ...more] = reader.eventFrames();
    expectEventsFrame(frame!, reader.hello()!.epoch);
    expect(more).toEqual([]);
    const queued = images.map((image) => ({ imageId: image.id, batchId: id, status: 'queued' }));
    expect(seen(frame!.events)).toEqual(expect.arrayContaining(queued));
    expect(frame!.events).toHaveLength(3);
    expect(frame!.batches).toMatchObject([{ id, status: 'paused', total: 3, counts: { queued: 3 } }]);
  });

  it('never merges a terminal state away, though the image is queued again within the window', async () => {
    const { projectId, imageIds } = await insertProject(path.sql, 5);
    const relay = await path.relay();
    const worker = await path.worker(fakeBackend().backend);
    const first = await path.start(projectId);
    await path.ended(first.id);
    await path.end(worker);
    await path.end(relay);
    await endWindow(path.server);
    const reader = await readers.open(beside, `projectId=${projectId}`);
    const known = await path.start(projectId);
    expect(known).toMatchObject({ status: 'completed', counts: { completed: 5 } });
    const forced = await path.start(projectId, { all: true, force: true });
    await endWindow(path.server);
    await until(() => reader.events().length >= 10);
    expect(ends(reader, known.id).map(({ status }) => status)).toEqual(Array(5).fill('completed'));
    // The image's own status is the last that is told of it.
    for (const imageId of imageIds)
      expect(seen(reader.events().filter((event) => event.imageId === imageId))).toEqual([
        { imageId, batchId: known.id, status: 'completed' },
        { imageId, batchId: forced.id, status: 'queued' },
      ]);

    await path.post(`/api/batches/${forced.id}/cancel`);
    const again = await path.start(projectId);
    const last = await path.start(projectId, { all: true, force: true });
    await path.post(`/api/batches/${last.id}/cancel`);
    await endWindow(path.server);
    await until(() => reader.events().length >= 25);
    expect(reader.eventFrames()).toHaveLength(2);
    expectStream(reader.frames, projectId);
    for (const imageId of imageIds)
      expect(seen(reader.eventFrames()[1]!.events.filter((event) => event.imageId === imageId))).toEqual([
        { imageId, batchId: forced.id, status: 'cancelled' },
        { imageId, batchId: again.id, status: 'completed' },
        { imageId, batchId: last.id, status: 'cancelled' },
      ]);
    expect(reader.eventFrames()[1]!.events.every(({ status }) => isTerminal(status))).toBe(true);
  });
});
