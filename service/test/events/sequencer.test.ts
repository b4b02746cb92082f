import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventsFrame } from '../../src/contract/events.ts';
import { createDatabase } from '../../src/database/client.ts';
import { openStream, readFrames, readSnapshot, replayStart } from '../../src/events/log.ts';
import { pruneFrames, sequenceOnce } from '../../src/events/sequencer.ts';
import { createFixture, type Fixture } from '../batches/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

const put = (sql: postgres.Sql | postgres.TransactionSql, projectId: string, imageId: string, status = 'uploaded') =>
  sql`INSERT INTO event_outbox (project_id, image_id, status) VALUES (${projectId}, ${imageId}, ${status})`;
const framesOf = async (projectId: string) =>
  (await readFrames(fixture.sql, projectId, 0, 1000)).frames.map((frame) => JSON.parse(frame.text) as EventsFrame);

it('sends an event that is committed after one with a higher id', async () => {
  const { projectId, imageIds } = await fixture.project(2);
  const slow = postgres(fixture.databaseUrl, { max: 1 });
  const gate = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const late = slow.begin(async (tx) => {
    await put(tx, projectId, imageIds[0]!);
    written.resolve();
    await gate.promise;
  });
  await written.promise;
  await put(fixture.sql, projectId, imageIds[1]!);
  await sequenceOnce(fixture.sql);
  gate.resolve();
  await late;
  await sequenceOnce(fixture.sql);
  await slow.end();
  const events = (await framesOf(projectId)).flatMap((frame) => frame.events);
  expect(events.map((event) => [event.seq, event.imageId])).toEqual([
    [1, imageIds[1]],
    [2, imageIds[0]],
  ]);
});

it('numbers gaplessly when two sequencers run at once', async () => {
  const { projectId } = await fixture.project(0);
  const second = createDatabase(fixture.databaseUrl, { max: 1 });
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 5; index++) await put(fixture.sql, projectId, randomUUID());
    await Promise.allSettled([sequenceOnce(fixture.sql), sequenceOnce(second)]);
  }
  await sequenceOnce(fixture.sql);
  await second.end();
  const frames = await framesOf(projectId);
  expect(frames.flatMap((frame) => frame.events.map((event) => event.seq))).toEqual(
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  expect(frames[0]!.from).toBe(1);
});

it('tells a final state only with or after the last event of its batch, also when a drain is cut', async () => {
  const { projectId } = await fixture.project(6000);
  const batch = await fixture.store.create(projectId, { all: true });
  await fixture.store.cancel(batch.id);
  for (let more = true; more;) more = await sequenceOnce(fixture.sql);
  const frames = await framesOf(projectId);
  const states = frames.flatMap((frame, index) => frame.batches.map((state) => ({ index, state })));
  expect(states.every(({ state }) => state.status === 'cancelled' && state.counts.cancelled === 6000)).toBe(true);
  const lastEvent = frames.findLastIndex((frame) => frame.events.length > 0);
  expect(states.every(({ index }) => index >= lastEvent)).toBe(true);
  expect(frames.every((frame) => frame.events.length <= 500)).toBe(true);
  const ends = frames.flatMap((frame) => frame.events).filter((event) => event.status === 'cancelled');
  expect(new Set(ends.map((event) => event.imageId)).size).toBe(6000);
  expect(ends).toHaveLength(6000);
});

it('knows what can be replayed, and what was pruned', async () => {
  const { projectId, imageIds } = await fixture.project(5);
  for (const imageId of imageIds) {
    await put(fixture.sql, projectId, imageId);
    await sequenceOnce(fixture.sql);
  }
  const batch = await fixture.store.create(projectId, { all: true });
  await sequenceOnce(fixture.sql);
  await fixture.store.pause(batch.id);
  await sequenceOnce(fixture.sql);
  const head = await openStream(fixture.sql, projectId);
  expect(head).toMatchObject({ seq: 10, frameNo: 7 });
  const start = (since: number) => replayStart(fixture.sql, projectId, head, since);
  expect(await start(0)).toBe(0);
  expect(await start(3)).toBe(3);
  expect(await start(7)).toBe(5);
  // the frame of the pause has no number of its own
  expect(await start(10)).toBe(6);
  expect(await start(11)).toBeNull();
  await pruneFrames(fixture.sql, { maxAgeMs: 3_600_000, maxFrames: 2 });
  expect(await start(4)).toBeNull();
  expect(await start(5)).toBe(5);
  const snapshot = await readSnapshot(fixture.sql, projectId, head);
  expect(snapshot.counts).toMatchObject({ queued: 5, uploaded: 0 });
  expect(snapshot.batches).toMatchObject([{ id: batch.id, status: 'paused', total: 5 }]);
  await pruneFrames(fixture.sql, { maxAgeMs: 0, maxFrames: 100 });
  expect(await start(9)).toBeNull();
  expect(await start(10)).toBe(7);
});
