import { describe, expect, it } from 'vitest';
import type { EventsFrame, ImageEvent } from '#contract/events.ts';
import { createFrameLog } from '../../src/drivers/ledger-socket.ts';

const event = (seq: number, imageId: string, status: ImageEvent['status'] = 'completed'): ImageEvent => ({
  seq,
  imageId,
  batchId: 'b',
  status,
});
const frame = (from: number, events: ImageEvent[], finished = false): EventsFrame => ({
  type: 'events',
  epoch: 'e',
  from,
  to: from + events.length - 1,
  events,
  batches: finished
    ? [
        {
          id: 'b',
          status: 'completed',
          pausedReason: null,
          total: 1,
          counts: {} as never,
          imagesPerSecond: 0,
          eta: null,
        },
      ]
    : [],
});
const hello = (seq: number) => ({ type: 'hello', projectId: 'p', epoch: 'e', seq }) as const;

describe('createFrameLog', () => {
  it('keeps terminal events by batch and image, as often as they came', () => {
    const log = createFrameLog();
    log.add(hello(0), 1);
    log.add(frame(1, [event(1, 'x', 'processing'), event(2, 'x'), event(3, 'y')]), 2);
    log.add(frame(4, [event(4, 'x')]), 3);
    expect(log.terminalOf('b').get('x')).toHaveLength(2);
    expect(log.terminalOf('b').get('y')).toHaveLength(1);
    expect(log.terminalOf('other').size).toBe(0);
    expect(log.sequenceGaps()).toBe(0);
  });
  it('takes the last frame with an event of the batch, not the one that only says it is over', () => {
    const log = createFrameLog();
    log.add(hello(0), 1);
    log.add(frame(1, [event(1, 'x')]), 10);
    log.add(frame(2, [event(2, 'y')]), 20);
    log.add(frame(3, [], true), 30);
    expect([log.firstFrameOf('b'), log.lastFrameOf('b'), log.isFinished('b')]).toEqual([10, 20, true]);
  });
  it('counts skipped and repeated numbers as gaps', () => {
    const log = createFrameLog();
    log.add(hello(5), 1);
    log.add(frame(7, [event(7, 'x')]), 2);
    log.add(frame(7, [event(7, 'x')]), 3);
    log.add(frame(8, [event(9, 'x')]), 4);
    expect(log.sequenceGaps()).toBe(3);
  });
  it('goes on where a resumed connection goes on', () => {
    const log = createFrameLog();
    log.connected('3');
    log.add(hello(9), 1);
    log.add(frame(4, [event(4, 'x')]), 2);
    log.connected('4');
    log.add(hello(9), 3);
    log.add(frame(5, [event(5, 'y')]), 4);
    expect(log.sequenceGaps()).toBe(0);
  });
});
