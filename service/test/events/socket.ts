import { WebSocket } from 'ws';
import type { EventsFrame, HelloFrame, ServerFrame, SnapshotFrame } from '../../src/contract/events.ts';
import { TEST_KEY } from '../support/app.ts';
import { until } from '../batches/fixture.ts';

export interface SocketOptions {
  query: string;
  headers?: Record<string, string>;
}
/** A reader of events that keeps every frame. Rejects with the HTTP status when the upgrade is refused. */
export async function openSocket(
  url: string,
  { query, headers = { authorization: `Bearer ${TEST_KEY}` } }: SocketOptions,
) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/events?${query}`, { headers });
  const frames: ServerFrame[] = [];
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as ServerFrame));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  const reader = {
    socket,
    frames,
    closed,
    hello: () => frames.find((frame): frame is HelloFrame => frame.type === 'hello'),
    snapshot: () => frames.find((frame): frame is SnapshotFrame => frame.type === 'snapshot'),
    eventFrames: () => frames.filter((frame): frame is EventsFrame => frame.type === 'events'),
    events: () => reader.eventFrames().flatMap((frame) => frame.events),
    lastSeq: () => reader.events().at(-1)?.seq ?? reader.hello()?.seq ?? 0,
    async close() {
      socket.close();
      await closed;
    },
  };
  await until(() => frames.length > 0 || socket.readyState !== socket.OPEN);
  return reader;
}
export type Reader = Awaited<ReturnType<typeof openSocket>>;

/** Numbers that are missing or doubled between the first and the last event. */
export function breaks(reader: Reader): number[] {
  const numbers = reader.events().map((event) => event.seq);
  return numbers.filter((seq, index) => index > 0 && seq !== numbers[index - 1]! + 1);
}
