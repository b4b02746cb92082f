import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import { decodeIndex } from '../../src/contract/index-format.ts';
import { IMAGE_STATUSES } from '../../src/contract/common.ts';
import { pruneFrames } from '../../src/events/sequencer.ts';
import { insertProject, until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { createReaders, emit, endWindow, expectBatchState, expectEventsFrame, newProject, range } from './kit.ts';

let server: TestApp;
let beside: TestApp;
const readers = createReaders();
beforeAll(async () => {
  server = await startTestApp();
  beside = await startTestApp({}, { beside: server });
});
afterEach(() => readers.close());
afterAll(async () => {
  await beside.close();
  await server.close();
});
const post = async (path: string, json?: object) => {
  const reply = await server.call(path, { method: 'POST', ...(json && { json }) });
  expect(reply.status).toBe(202);
  return (await reply.json()) as Batch;
};
const indexOf = async (projectId: string) =>
  decodeIndex(new Uint8Array(await (await server.call(`/api/projects/${projectId}/index`)).arrayBuffer()));

describe('a reader that comes back', () => {
  it('gets exactly what it missed, whatever it had, through another API process', async () => {
    const { projectId } = await insertProject(server.sql, 6);
    const steady = await readers.open(server, `projectId=${projectId}`);
    const { epoch } = steady.hello()!;
    await emit(server, projectId, 7);
    const { id } = await post(`/api/projects/${projectId}/batches`, { all: true });
    await endWindow(server);
    // These frames have no events, and so no numbers of their own.
    for (const verb of ['pause', 'resume']) {
      await post(`/api/batches/${id}/${verb}`);
      await endWindow(server);
    }
    await emit(server, projectId, 1, 100);
    await emit(server, projectId, 12, 200);
    await until(() => steady.lastSeq() === 26);
    const all = steady.events();
    const states = steady.eventFrames().filter(({ events }) => events.length === 0);
    expect(states.map(({ from, to }) => [from, to])).toEqual([
      [14, 13],
      [14, 13],
    ]);
    const cuts = await Promise.all(
      range(0, 26).map((since) => readers.open(beside, `projectId=${projectId}&epoch=${epoch}&since=${since}`)),
    );
    // What comes last says that nothing else came before it.
    await emit(server, projectId, 1, 300);
    await until(() => [steady, ...cuts].every((reader) => reader.lastSeq() === 27));
    for (const [since, reader] of cuts.entries()) {
      expect(reader.frames[0]).toEqual({ type: 'hello', projectId, epoch, seq: 26 });
      expect(reader.events()).toEqual([...all.slice(since), steady.events().at(-1)]);
      for (const frame of reader.eventFrames()) expectEventsFrame(frame, epoch);
      expect(reader.eventFrames()[0]!.from).toBe(since + 1);
      const told = reader.eventFrames().filter(({ events }) => events.length === 0);
      expect(told).toEqual(since <= 13 ? states : []);
    }
  });

  it('gets it from either process although its epoch is written in capitals', async () => {
    const projectId = await newProject(server);
    await emit(server, projectId, 3);
    const { epoch } = (await readers.open(server, `projectId=${projectId}`)).hello()!;
    const query = `projectId=${projectId.toUpperCase()}&epoch=${epoch.toUpperCase()}&since=1`;
    for (const app of [server, beside]) {
      const reader = await readers.open(app, query);
      await until(() => reader.events().at(-1)?.seq === 3);
      expect(reader.events().map(({ seq }) => seq)).toEqual([2, 3]);
    }
  });

  it('keeps its numbering across everything that is not a new one', async () => {
    const projectId = await newProject(server);
    const epochs = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const other = await startTestApp({}, { beside: server });
      const reader = await readers.open(other, `projectId=${projectId}`);
      expect(reader.hello()!.seq).toBe(2 * round);
      epochs.add(reader.hello()!.epoch);
      await emit(server, projectId, 2);
      await pruneFrames(server.sql, { maxAgeMs: 0, maxFrames: 1 });
      await other.close();
    }
    expect(epochs.size).toBe(1);
  });
});

describe('a reader whose `since` cannot be replayed', () => {
  it('gets a snapshot that agrees with /index and with its batches, and then what is new', async () => {
    const projectId = await newProject(server);
    const images = await uploadPictures(server, projectId, 9);
    const finished = await finishBatch(server, projectId, images.slice(0, 4), [3, 0, null, 2]);
    const open = await post(`/api/projects/${projectId}/batches`, { imageIds: [images[4]!.id, images[5]!.id] });
    await post(`/api/batches/${open.id}/pause`);
    const ended = await post(`/api/projects/${projectId}/batches`, { imageIds: [images[6]!.id] });
    await post(`/api/batches/${ended.id}/cancel`);
    await endWindow(server);
    const { epoch, seq } = (await readers.open(server, `projectId=${projectId}`)).hello()!;
    const queries = [`epoch=${epoch}&since=${seq + 1}`, `epoch=${epoch}&since=${Number.MAX_SAFE_INTEGER}`];
    const unknown = ['epoch=00000000-0000-4000-8000-000000000000&since=0', 'epoch=x&since=1'];
    for (const query of [...queries, ...unknown]) {
      const reader = await readers.open(beside, `projectId=${projectId}&${query}`);
      await until(() => reader.frames.length >= 2);
      expect(reader.frames.map(({ type }) => type)).toEqual(['hello', 'snapshot']);
      const snapshot = reader.snapshot()!;
      expect(Object.keys(snapshot).toSorted()).toEqual(['batches', 'counts', 'epoch', 'seq', 'type']);
      const index = await indexOf(projectId);
      const counts = IMAGE_STATUSES.map((status, at) => [status, index.statuses.filter((one) => one === at).length]);
      expect(snapshot).toMatchObject({ epoch: index.epoch, seq: index.seq, counts: Object.fromEntries(counts) });
      expect(snapshot.counts).toEqual({ uploaded: 2, queued: 2, processing: 0, completed: 3, failed: 1, cancelled: 1 });
      expect(snapshot.batches.map(({ id }) => id).toSorted()).toEqual([finished, open.id, ended.id].toSorted());
      for (const state of snapshot.batches) {
        expectBatchState(state);
        const batch = (await (await server.call(`/api/batches/${state.id}`)).json()) as Batch;
        expect(batch).toMatchObject({ id: state.id, status: state.status, total: state.total, counts: state.counts });
      }
    }
    await emit(server, projectId, 2);
    const late = await readers.open(beside, `projectId=${projectId}&epoch=${epoch}&since=${seq + 3}`);
    await emit(server, projectId, 2);
    await until(() => late.lastSeq() === seq + 4);
    expect(late.frames.map(({ type }) => type)).toEqual(['hello', 'snapshot', 'events']);
    expect(late.events().map((event) => event.seq)).toEqual([seq + 3, seq + 4]);
  });

  it('gets a snapshot where the log was cut behind it, and a replay where it was not', async () => {
    const projectId = await newProject(server);
    for (let round = 0; round < 6; round++) await emit(server, projectId, 5);
    const { epoch } = (await readers.open(server, `projectId=${projectId}`)).hello()!;
    await pruneFrames(server.sql, { maxAgeMs: 3_600_000, maxFrames: 2 });
    const cuts = [0, 4, 19, 20, 23, 29, 30];
    const back = await Promise.all(
      cuts.map((since) => readers.open(beside, `projectId=${projectId}&epoch=${epoch}&since=${since}`)),
    );
    await emit(server, projectId, 1);
    await until(() => back.every((reader) => reader.lastSeq() === 31));
    for (const [index, since] of cuts.entries()) {
      expect([since, back[index]!.snapshot() !== undefined]).toEqual([since, since < 20]);
      expect(back[index]!.events().map(({ seq }) => seq)).toEqual(range(since < 20 ? 31 : since + 1, 31));
    }
  });

  it.each(['-1', '1.5', 'abc', '1e3', '0x10', '', ' 1', String(2 ** 53), '1&since=2', 'null'])(
    'is refused with 400 when it is %j, which is no number that was ever given',
    async (since) => {
      const projectId = await newProject(server);
      const { epoch } = (await readers.open(server, `projectId=${projectId}`)).hello()!;
      const query = `projectId=${projectId}&epoch=${epoch}&since=${since}`;
      await expect(readers.open(server, query)).rejects.toThrow('HTTP 400');
    },
  );

  it('is refused with 400 when it comes without its epoch, or the epoch without it', async () => {
    const projectId = await newProject(server);
    const { epoch } = (await readers.open(server, `projectId=${projectId}`)).hello()!;
    for (const half of ['since=0', `epoch=${epoch}`])
      await expect(readers.open(server, `projectId=${projectId}&${half}`)).rejects.toThrow('HTTP 400');
  });

  it.each(['', 'x%00y', 'x'.repeat(201)])('is refused with 400 when its epoch is %j, which is none', async (epoch) => {
    const projectId = await newProject(server);
    await expect(readers.open(server, `projectId=${projectId}&epoch=${epoch}&since=0`)).rejects.toThrow('HTTP 400');
  });
});
