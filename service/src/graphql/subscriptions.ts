import { EventEmitter } from 'node:events';
import type { WebSocket } from '@fastify/websocket';
import type { BatchStatus } from '../contract/common.ts';
import { CLOSE_NOT_FOUND, type BatchState, type ServerFrame } from '../contract/events.ts';
import { ApiError, notFound } from '../errors.ts';
import type { HubSocket } from '../events/client.ts';
import type { Context } from './context.ts';
import { createLatest, type Latest } from './latest.ts';

/** What a subscription needs beside what a query has: the socket that it is sent over. */
export interface SubscriptionContext extends Context {
  socket: WebSocket;
}
type Progress = Omit<BatchState, 'id'> & { taskId: string; percentage: number };

const ENDED: ReadonlySet<BatchStatus> = new Set(['completed', 'cancelled']);

/** Rounded down, so that 100 is said only of what is done. */
export function percentageOf({ total, counts }: Pick<BatchState, 'total' | 'counts'>): number {
  const done = counts.completed + counts.failed + counts.cancelled;
  return total === 0 ? 100 : Math.floor((done * 10_000) / total) / 100;
}
const progressOf = ({ id, status, pausedReason, total, counts, imagesPerSecond, eta }: BatchState): Progress => ({
  taskId: id,
  status,
  pausedReason,
  percentage: percentageOf({ total, counts }),
  total,
  counts,
  imagesPerSecond,
  eta,
});

/**
 * A reader of the event hub that is no socket of its own: several share one. The hub sees how much the real one holds, whether it
 * answers pings, and closes it when it does not; what ends with its project is not the socket but this reader alone.
 */
function readerOn(socket: WebSocket, onText: (text: string) => void, onGone: () => void) {
  const events = new EventEmitter();
  let open = true;
  const forward = (event: 'close' | 'pong' | 'error') => {
    const tell = () => events.emit(event);
    socket.on(event, tell);
    return () => socket.off(event, tell);
  };
  // an 'error' that nobody listens to would end the process
  events.on('error', () => {});
  const stops = (['close', 'pong', 'error'] as const).map(forward);
  const reader: HubSocket = {
    OPEN: socket.OPEN,
    get readyState() {
      return open ? socket.readyState : socket.CLOSED;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: onText,
    ping: () => socket.ping(),
    close: (code, reason) => (code === CLOSE_NOT_FOUND ? onGone() : socket.close(code, reason)),
    on: (event, listener) => events.on(event, listener),
  };
  return {
    reader,
    isOpen: () => open,
    leave(): void {
      open = false;
      for (const stop of stops) stop();
      events.emit('close');
    },
  };
}

/** Follows a batch by the frames of its project. @throws ApiError NOT_FOUND */
async function follow(
  taskId: string,
  { app, tenant, socket, request }: SubscriptionContext,
): Promise<Latest<Progress>> {
  const batch = await tenant.batches.get(taskId);
  const seat = readerOn(socket, onText, onGone);
  const progress = createLatest<Progress>(() => seat.leave());
  let told = 0;
  let last = '';

  function tell(state: BatchState): void {
    told++;
    const next = progressOf(state);
    const text = JSON.stringify(next);
    if (text !== last) progress.push(next);
    last = text;
    if (ENDED.has(state.status)) progress.end();
  }
  /** The state as the database has it, unless a frame is quicker: frames come in the order of their commits, this does not. */
  async function read(): Promise<void> {
    const before = told;
    try {
      const state = await tenant.batches.get(batch.id);
      if (told === before) tell(state);
    } catch (error) {
      if (error instanceof ApiError) progress.fail(error);
      else request.log.warn({ err: error }, 'the state of a batch could not be read');
    }
  }
  function onText(text: string): void {
    if (!seat.isOpen()) return;
    // most frames of a project with several batches say nothing of this one
    if (text.startsWith('{"type":"events"') && !text.includes(batch.id)) return;
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type !== 'events') return void read();
    const state = frame.batches.find(({ id }) => id === batch.id);
    if (state) tell(state);
  }
  function onGone(): void {
    progress.fail(notFound('batch', batch.id));
    seat.leave();
  }
  try {
    await app.events.attach(seat.reader, {
      projectId: batch.projectId,
      sql: tenant.sql,
      resume: null,
      unbatched: false,
    });
  } catch (error) {
    seat.leave();
    throw error;
  }
  // Who left while the hub was busy was not known to it then.
  if (!seat.isOpen() || socket.readyState !== socket.OPEN) seat.leave();
  return progress;
}

export const SUBSCRIPTIONS = {
  segmentationProgress: {
    subscribe: (_source: unknown, { taskId }: { taskId: string }, context: SubscriptionContext) =>
      follow(taskId, context),
    resolve: (progress: Progress) => progress,
  },
};
