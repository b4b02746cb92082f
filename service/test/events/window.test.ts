import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMAGE_STATUSES, isTerminal } from '../../src/contract/common.ts';
import type { BatchState, EventsFrame } from '../../src/contract/events.ts';
import { frameAfter, numberFrames, splitFrame } from '../../src/events/numbering.ts';
import { createTamper } from '../../src/events/plant.ts';
import { mergeWindow, type PendingEvent } from '../../src/events/window.ts';

const pending: fc.Arbitrary<PendingEvent> = fc.record({
  imageId: fc.constantFrom('a', 'b', 'c', 'd'),
  batchId: fc.constantFrom('1', '2'),
  status: fc.constantFrom(...IMAGE_STATUSES),
});
const state: BatchState = {
  id: '1',
  status: 'running',
  pausedReason: null,
  total: 1,
  counts: { queued: 0, processing: 1, completed: 0, failed: 0, cancelled: 0 },
  imagesPerSecond: 1,
  eta: null,
};
const event = (imageId: string, status: PendingEvent['status'], batchId = '1'): PendingEvent => ({
  imageId,
  status,
  batchId,
});

describe('mergeWindow', () => {
  it('keeps the last write of an image', () => {
    const events = [event('a', 'queued'), event('b', 'queued'), event('a', 'processing')];
    expect(mergeWindow(events)).toEqual([events[1], events[2]]);
  });
  it('keeps both ends when one image ends in two batches', () => {
    const events = [event('a', 'completed', '1'), event('a', 'queued', '2'), event('a', 'completed', '2')];
    expect(mergeWindow(events)).toEqual([events[0], events[2]]);
  });
  it('never loses a terminal event or an image, keeps the order and adds nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(pending, { maxLength: 60 }), (events) => {
        const merged = mergeWindow(events);
        const positions = merged.map((one) => events.indexOf(one));
        expect(positions.every((position) => position >= 0)).toBe(true);
        expect(positions).toEqual(positions.toSorted((a, b) => a - b));
        expect(merged.filter((one) => isTerminal(one.status))).toEqual(events.filter((one) => isTerminal(one.status)));
        for (const imageId of new Set(events.map((one) => one.imageId)))
          expect(merged.findLast((one) => one.imageId === imageId)).toBe(
            events.findLast((one) => one.imageId === imageId),
          );
      }),
    );
  });
});

describe('numberFrames', () => {
  it('numbers without gaps over any number of windows and frames', () => {
    fc.assert(
      fc.property(fc.array(fc.array(pending, { maxLength: 30 }), { maxLength: 8 }), (windows) => {
        let seq = 7;
        const numbers: number[] = [];
        for (const window of windows) {
          const numbered = numberFrames({ epoch: 'e', seq }, window, []);
          for (const frame of numbered.frames) {
            expect(frame.to - frame.from + 1).toBe(frame.events.length);
            numbers.push(...frame.events.map((one) => one.seq));
          }
          seq = numbered.seq;
        }
        expect(numbers).toEqual(numbers.map((_, index) => 8 + index));
        expect(seq).toBe(7 + numbers.length);
      }),
    );
  });
  it('cuts at 500 events and tells states only after the last of them', () => {
    const events = Array.from({ length: 1001 }, (_, index) => event(String(index), 'completed'));
    const { frames, seq } = numberFrames({ epoch: 'e', seq: 0 }, events, [state]);
    expect(frames.map((frame) => [frame.from, frame.to, frame.batches.length])).toEqual([
      [1, 500, 0],
      [501, 1000, 0],
      [1001, 1001, 1],
    ]);
    expect(seq).toBe(1001);
  });
  it('makes a frame without numbers when only states changed, and none when nothing did', () => {
    const { frames, seq } = numberFrames({ epoch: 'e', seq: 4 }, [], [state]);
    expect(frames).toEqual([{ type: 'events', epoch: 'e', from: 5, to: 4, events: [], batches: [state] }]);
    expect(seq).toBe(4);
    expect(numberFrames({ epoch: 'e', seq: 4 }, [], []).frames).toEqual([]);
  });
});

describe('parts of frames', () => {
  const frame = numberFrames(
    { epoch: 'e', seq: 0 },
    ['a', 'b', 'c'].map((id) => event(id, 'completed')),
    [state],
  ).frames[0] as EventsFrame;
  it('gives exactly what comes after a number', () => {
    expect(frameAfter(frame, 0)).toBe(frame);
    expect(frameAfter(frame, 2)).toEqual({ ...frame, from: 3, events: [frame.events[2]] });
    expect(frameAfter(frame, 3)).toEqual({ ...frame, from: 4, to: 3, events: [] });
    expect(frameAfter({ ...frame, batches: [] }, 3)).toBeNull();
  });
  it('splits into one event a frame, states with the last', () => {
    const parts = splitFrame(frame);
    expect(parts.map((part) => [part.from, part.to, part.events.length, part.batches.length])).toEqual([
      [1, 1, 1, 0],
      [2, 2, 1, 0],
      [3, 3, 1, 1],
    ]);
  });
});

it('plants one lost and one doubled terminal event, and nothing by default', () => {
  expect(createTamper(new Set())).toBeNull();
  const events = [event('a', 'queued'), event('b', 'completed'), event('c', 'completed')];
  const drop = createTamper(new Set(['drop-event']))!;
  expect(drop(events).map((one) => one.imageId)).toEqual(['a', 'c']);
  expect(drop(events)).toHaveLength(3);
  const double = createTamper(new Set(['duplicate-event']))!;
  expect(double(events).map((one) => one.imageId)).toEqual(['a', 'b', 'b', 'c']);
  expect(double(events)).toHaveLength(3);
});
