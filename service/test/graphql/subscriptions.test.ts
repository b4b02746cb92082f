import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { BatchState } from '../../src/contract/events.ts';
import { notFound } from '../../src/errors.ts';
import type { HubSocket } from '../../src/events/client.ts';
import { SUBSCRIPTIONS, percentageOf, type SubscriptionContext } from '../../src/graphql/subscriptions.ts';

const ID = '01980000-0000-7000-8000-000000000003';
const OTHER = '01980000-0000-7000-8000-000000000004';
const state = (completed: number, status: BatchState['status'] = 'running', id = ID): BatchState => ({
  id,
  status,
  total: 4,
  counts: { queued: 4 - completed, processing: 0, completed, failed: 0, cancelled: 0 },
  imagesPerSecond: 0,
  eta: null,
  pausedReason: null,
});
const frame = (...batches: BatchState[]) =>
  JSON.stringify({ type: 'events', epoch: 'e', from: 1, to: 0, events: [], batches });
const HEARTBEAT = JSON.stringify({ type: 'heartbeat' });

/** A subscription whose hub and database are in the test's hands. */
async function opened() {
  let answer: () => Promise<BatchState> = async () => state(0);
  let reader: HubSocket | undefined;
  const socket = Object.assign(new EventEmitter(), { OPEN: 1, CLOSED: 3, readyState: 1, bufferedAmount: 7 });
  const left: string[] = [];
  const tenant = { batches: { get: async () => ({ ...(await answer()), projectId: 'p' }) } };
  const app = {
    events: {
      async attach(given: HubSocket) {
        reader = given;
        reader.on('close', () => left.push('close'));
      },
    },
  };
  const context = { app, tenant, socket, request: { log: { warn() {} } } } as unknown as SubscriptionContext;
  const progress = await SUBSCRIPTIONS.segmentationProgress.subscribe(null, { taskId: ID }, context);
  const send = (text: string) => reader!.send(text);
  const percent = async () => ((await progress.next()).value as { percentage: number }).percentage;
  return { socket, left, progress, send, percent, reader: reader!, answers: (next: typeof answer) => (answer = next) };
}
const settled = () => new Promise(setImmediate);

describe('segmentationProgress', () => {
  it('gives a reader that was away the latest state only, and nothing of other batches', async () => {
    const { send, percent, progress } = await opened();
    for (const done of [1, 2, 3]) send(frame(state(done)));
    send(frame(state(4, 'completed', OTHER)));
    expect(await percent()).toBe(75);
    send(frame(state(4, 'completed')));
    expect(await percent()).toBe(100);
    expect((await progress.next()).done).toBe(true);
  });

  it('does not let an old read undo a newer frame', async () => {
    const { send, answers, percent } = await opened();
    let answer!: (value: BatchState) => void;
    answers(() => new Promise((resolve) => (answer = resolve)));
    send(HEARTBEAT);
    send(frame(state(2)));
    answer(state(1));
    await settled();
    expect(await percent()).toBe(50);
  });

  it('looks again with each heartbeat: tells what changed, is silent about what did not, and ends with its batch', async () => {
    const { send, answers, percent, progress, left } = await opened();
    send(frame(state(1)));
    expect(await percent()).toBe(25);
    const waiting = progress.next();
    answers(async () => state(1));
    send(HEARTBEAT);
    await settled();
    answers(async () => state(3));
    send(HEARTBEAT);
    expect((await waiting).value).toMatchObject({ percentage: 75 });
    answers(() => Promise.reject(notFound('batch', ID)));
    send(HEARTBEAT);
    await expect(progress.next()).rejects.toThrow(`no batch with id ${ID}`);
    expect(left).toEqual(['close']);
  });

  it('survives a database that does not answer', async () => {
    const { send, answers, percent } = await opened();
    answers(() => Promise.reject(new Error('away')));
    send(HEARTBEAT);
    await settled();
    send(frame(state(2)));
    expect(await percent()).toBe(50);
  });

  it('shows the hub its socket, and leaves both when it is returned', async () => {
    const { socket, reader, progress, left, send } = await opened();
    expect([reader.readyState, reader.bufferedAmount]).toEqual([1, 7]);
    expect(socket.listenerCount('close')).toBe(1);
    await progress.return!();
    expect([reader.readyState, left, socket.listenerCount('close'), socket.listenerCount('pong')]).toEqual([
      3,
      ['close'],
      0,
      0,
    ]);
    send(frame(state(1)));
    expect((await progress.next()).done).toBe(true);
  });
});

describe('percentageOf', () => {
  it('is 100 only when all is done, and for nothing to do', () => {
    const counts = { queued: 1, processing: 0, completed: 29_999, failed: 0, cancelled: 0 };
    expect(percentageOf({ total: 30_000, counts })).toBe(99.99);
    expect(percentageOf({ total: 29_999, counts })).toBe(100);
    expect(percentageOf({ total: 0, counts: { ...counts, completed: 0 } })).toBe(100);
  });
});
