import { expect } from 'vitest';
import type { Project } from '#contract/images.ts';
import type { BatchState, EventsFrame, ServerFrame } from '../../src/contract/events.ts';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { openSocket, type Reader, type SocketOptions } from '../events/socket.ts';
import type { TestApp } from '../support/app.ts';

/** Opens sockets and closes them all: one set for each test. */
export function createReaders() {
  const readers: Reader[] = [];
  return {
    async open(app: TestApp, query: string, headers?: SocketOptions['headers']): Promise<Reader> {
      const reader = await openSocket(app.url, { query, ...(headers && { headers }) });
      readers.push(reader);
      return reader;
    },
    async close(): Promise<void> {
      await Promise.all(readers.splice(0).map((reader) => reader.close()));
    },
  };
}

export const newProject = async (app: TestApp): Promise<string> => {
  const reply = await app.call('/api/projects', { method: 'POST', json: { name: 'socket' } });
  expect(reply.status).toBe(201);
  return ((await reply.json()) as Project).id;
};

/** Numbers what was committed, as the relay does; where no relay runs, a window ends here and nowhere else. */
export const endWindow = async (app: TestApp): Promise<void> => {
  while (await sequenceOnce(app.sql));
};

/** Terminal events of images that are no rows, the i-th with `firstCount + i` cells, as one window. */
export async function emit(app: TestApp, projectId: string, count: number, firstCount = 0): Promise<void> {
  await app.sql`
    INSERT INTO event_outbox (project_id, image_id, status, polygon_count)
    SELECT ${projectId}::uuid, gen_random_uuid(), 'completed', n
    FROM generate_series(${firstCount}::int, ${firstCount + count - 1}::int) AS n ORDER BY n`;
  await endWindow(app);
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

const BATCH_KEYS = ['counts', 'eta', 'id', 'imagesPerSecond', 'pausedReason', 'status', 'total'];
const COUNT_KEYS = ['cancelled', 'completed', 'failed', 'processing', 'queued'];
const keysOf = (value: object) => Object.keys(value).toSorted();

/** Has exactly the documented fields, each of its type. */
export function expectBatchState(state: BatchState): void {
  expect(keysOf(state)).toEqual(BATCH_KEYS);
  expect(keysOf(state.counts)).toEqual(COUNT_KEYS);
  expect(Object.values(state.counts).every(Number.isInteger)).toBe(true);
  expect(Object.values(state.counts).reduce((sum, count) => sum + count, 0)).toBe(state.total);
  if (state.eta !== null) expect(keysOf(state.eta)).toEqual(['high', 'low', 'seconds']);
}

/** The shape of an `events` frame to the letter, and that its numbers and its events agree. */
export function expectEventsFrame(frame: EventsFrame, epoch: string): void {
  expect(keysOf(frame)).toEqual(['batches', 'epoch', 'events', 'from', 'to', 'type']);
  expect(frame.epoch).toBe(epoch);
  expect(frame.events.length).toBeLessThanOrEqual(500);
  expect(frame.events.map(({ seq }) => seq)).toEqual(range(frame.from, frame.to));
  for (const event of frame.events) {
    const optional = { completed: ['polygonCount'], failed: ['code'] }[event.status as string] ?? [];
    expect(keysOf(event)).toEqual(['batchId', 'imageId', 'seq', 'status', ...optional].toSorted());
  }
  frame.batches.forEach(expectBatchState);
}

/** Hello first and once, then `events` frames alone, each going on where the last one ended. */
export function expectStream(frames: readonly ServerFrame[], projectId: string): void {
  const [hello, ...rest] = frames.filter(({ type }) => type !== 'heartbeat');
  expect(hello).toEqual({
    type: 'hello',
    projectId,
    epoch: expect.stringMatching(/^[0-9a-f-]{36}$/),
    seq: expect.any(Number),
  });
  if (hello?.type !== 'hello') return;
  let at = hello.seq;
  for (const frame of rest) {
    if (frame.type !== 'events') throw new Error(`a frame is ${frame.type}: expected events`);
    expectEventsFrame(frame, hello.epoch);
    expect(frame.from).toBe(at + 1);
    at = frame.to;
  }
}
