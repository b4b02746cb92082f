import { describe, expect, it } from 'vitest';
import type { EventsFrame, ServerFrame } from '#contract/events.ts';
import { createEventSocket, type Cursor, type SocketLike } from '../../../src/models/gallery/EventSocket.ts';
import { createFakeClock } from '../../fake-clock.ts';

function setUp() {
  const { clock, advance } = createFakeClock();
  const opened: { cursor: Cursor; socket: SocketLike; closed: boolean }[] = [];
  const received: number[] = [];
  const resets: string[] = [];
  const said: string[] = [];
  const socket = createEventSocket({
    open(cursor) {
      const close = (): void => void (entry.closed = true);
      const entry: (typeof opened)[number] = {
        cursor,
        closed: false,
        socket: { onmessage: null, onclose: null, close, send: (text) => void said.push(text) },
      };
      opened.push(entry);
      return entry.socket;
    },
    clock,
    random: () => 0.5,
    onEvents: (frame) => received.push(...frame.events.map(({ seq }) => seq)),
    onReset: (snapshot) => resets.push(snapshot ? 'snapshot' : 'epoch'),
  });
  const send = (frame: ServerFrame): void => opened.at(-1)!.socket.onmessage?.({ data: JSON.stringify(frame) });
  const events = (from: number, to: number, epoch = 'e1'): EventsFrame => ({
    type: 'events',
    epoch,
    from,
    to,
    events: Array.from({ length: to - from + 1 }, (_, i) => ({
      seq: from + i,
      imageId: 'x',
      batchId: null,
      status: 'completed',
    })),
    batches: [],
  });
  const hello = (seq: number, epoch = 'e1'): ServerFrame => ({ type: 'hello', projectId: 'p', epoch, seq });
  return { socket, opened, received, resets, said, send, events, hello, advance };
}

describe('createEventSocket', () => {
  it('says what is shown while the connection is live, and nothing else ever', () => {
    const { socket, send, hello, events, said } = setUp();
    socket.shown(1);
    socket.start({ epoch: 'e1', seq: 2 });
    socket.shown(2);
    send(hello(6));
    send(events(3, 5));
    expect(said).toEqual([]);
    socket.shown(5);
    expect(said).toEqual(['{"type":"shown","seq":5}']);
  });

  it('hands on every event once when frames overlap', () => {
    const { socket, send, hello, events, received } = setUp();
    socket.start({ epoch: 'e1', seq: 2 });
    send(hello(6));
    send(events(3, 5));
    send(events(4, 7));
    send(events(6, 7));
    expect(received).toEqual([3, 4, 5, 6, 7]);
    expect(socket.cursor.seq).toBe(7);
    expect(socket.state.value).toBe('live');
  });

  it('resumes from its number when the connection is lost, later and later', async () => {
    const { socket, send, hello, events, opened, advance } = setUp();
    socket.start({ epoch: 'e1', seq: 0 });
    send(hello(0));
    send(events(1, 4));
    opened[0]!.socket.onclose?.();
    expect(socket.state.value).toBe('waiting');
    await advance(400);
    expect(opened).toHaveLength(2);
    expect(opened[1]!.cursor).toEqual({ epoch: 'e1', seq: 4 });
    opened[1]!.socket.onclose?.();
    await advance(400);
    expect(opened).toHaveLength(2);
    await advance(400);
    expect(opened).toHaveLength(3);
  });

  it('reconnects from its number when a frame is missing', () => {
    const { socket, send, hello, events, opened, received } = setUp();
    socket.start({ epoch: 'e1', seq: 0 });
    send(hello(9));
    send(events(1, 2));
    send(events(5, 6));
    expect(opened).toHaveLength(2);
    expect(opened[0]!.closed).toBe(true);
    expect(opened[1]!.cursor.seq).toBe(2);
    send(hello(9));
    send(events(3, 6));
    expect(received).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads everything anew when the same gap stays', () => {
    const { socket, send, hello, events, resets } = setUp();
    socket.start({ epoch: 'e1', seq: 0 });
    send(hello(9));
    send(events(5, 6));
    send(hello(9));
    send(events(5, 6));
    expect(resets).toEqual(['epoch']);
  });

  it('reads everything anew when the numbering started anew or cannot be replayed', () => {
    const { socket, send, hello, resets } = setUp();
    socket.start({ epoch: 'e1', seq: 4 });
    send(hello(1, 'e2'));
    socket.start({ epoch: 'e1', seq: 4 });
    send(hello(1));
    socket.start({ epoch: 'e1', seq: 4 });
    send({ type: 'snapshot', epoch: 'e1', seq: 90_000, counts: {} as never, batches: [] });
    expect(resets).toEqual(['epoch', 'epoch', 'snapshot']);
  });

  it('takes 40 s of silence for a dead connection', async () => {
    const { socket, send, hello, advance } = setUp();
    socket.start({ epoch: 'e1', seq: 0 });
    send(hello(0));
    await advance(30_000);
    send({ type: 'heartbeat' });
    await advance(17_000);
    expect(socket.state.value).toBe('live');
    await advance(13_000);
    expect(socket.state.value).toBe('quiet');
    send({ type: 'heartbeat' });
    expect(socket.state.value).toBe('live');
    await advance(39_000);
    expect(socket.state.value).toBe('quiet');
    await advance(2_000);
    expect(socket.state.value).toBe('connecting');
  });
});
