import { describe, expect, it } from 'vitest';
import type { EventsFrame, ImageEvent, ServerFrame } from '#contract/events.ts';
import { createClientLedger } from '../../src/faults/client-ledger.ts';

const hello = (seq: number, epoch = 'e'): ServerFrame => ({ type: 'hello', projectId: 'p', epoch, seq });
const event = (seq: number, over: Partial<ImageEvent> = {}): ImageEvent => ({
  seq,
  imageId: `i${seq}`,
  batchId: 'b1',
  status: 'completed',
  ...over,
});
const frame = (from: number, events: ImageEvent[]): EventsFrame => ({
  type: 'events',
  epoch: 'e',
  from,
  to: from + events.length - 1,
  events,
  batches: [],
});
function ledgerOf(...frames: ServerFrame[]) {
  const ledger = createClientLedger();
  for (const one of frames) ledger.add(one);
  return ledger;
}

describe('createClientLedger', () => {
  it('goes on over connections with the epoch and the number that it had', () => {
    const ledger = ledgerOf(hello(0), frame(1, [event(1), event(2)]));
    expect(ledger.resume()).toEqual({ epoch: 'e', since: 2 });
    ledger.add(hello(4));
    expect(ledger.headSeq()).toBe(4);
    ledger.add(frame(3, [event(3), event(4)]));
    expect(ledger.view.gaps).toEqual([]);
    expect(ledger.seq()).toBe(4);
    expect(ledger.view.terminal.size).toBe(4);
  });

  it('has nothing to resume before the first hello', () => expect(createClientLedger().resume()).toBeUndefined());

  it.each([
    ['skips a number', frame(4, [event(4)])],
    ['repeats one', frame(2, [event(2)])],
    ['counts wrong inside', frame(3, [event(3), event(5)])],
  ])('finds a frame that %s', (_, wrong) => {
    expect(ledgerOf(hello(0), frame(1, [event(1), event(2)]), wrong).view.gaps).toHaveLength(1);
  });

  it('finds a resumed connection that begins anew instead of where it was', () => {
    const ledger = ledgerOf(hello(0), frame(1, [event(1)]), hello(5), frame(6, [event(6)]));
    expect(ledger.view.gaps).toEqual(['after 1 came 6 to 6']);
  });

  it('counts snapshots and epochs', () => {
    const snapshot = { type: 'snapshot', epoch: 'f', seq: 9, counts: {}, batches: [] } as unknown as ServerFrame;
    const { view } = ledgerOf(hello(0), hello(9, 'f'), snapshot);
    expect([view.snapshots, view.epochs]).toEqual([1, ['e', 'f']]);
  });

  it('counts every terminal event, and no other', () => {
    const { view } = ledgerOf(
      hello(0),
      frame(1, [
        event(1, { imageId: 'i', batchId: null, status: 'uploaded' }),
        event(2, { imageId: 'i', status: 'processing' }),
        event(3, { imageId: 'i', status: 'failed', code: 'CRASHED' }),
        event(4, { imageId: 'i' }),
      ]),
    );
    expect([...view.terminal]).toEqual([['b1/i', 2]]);
    expect(view.last.get('i')?.status).toBe('completed');
  });

  it('takes the status of the later batch, whichever event came last', () => {
    const { view } = ledgerOf(
      hello(0),
      frame(1, [
        event(1, { imageId: 'i', batchId: 'b2', status: 'queued' }),
        event(2, { imageId: 'i', batchId: 'b1', status: 'completed' }),
      ]),
    );
    expect(view.last.get('i')).toEqual({ status: 'queued', batchId: 'b2' });
  });
});
