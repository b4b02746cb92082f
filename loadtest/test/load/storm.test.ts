import { describe, expect, it } from 'vitest';
import type { ImageEvent } from '#contract/events.ts';
import { EVENTS_STORM } from '../../../scenarios/events-storm.ts';
import { runStorm } from '../../src/load/storm.ts';
import { createTally } from '../../src/load/storm-reader.ts';
import { holds } from '../../src/measure/identities.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 120_000;
const IMAGES = 600;
const small = { ...EVENTS_STORM, phases: { imageMs: 4, readers: 4 } };

const measured = (settings: Record<string, string> = {}) =>
  withInput(['--scenario', 'events-storm', '--count', String(IMAGES)], settings, async (input) => {
    const { measurements, stopped, delivery, tables, identities = [] } = await runStorm(small, new Date(), input);
    expect(stopped).toBeUndefined();
    expect(identities.map(({ name }) => name)).toContain('database’s clock');
    expect(identities.filter((one) => !holds(one))).toEqual([]);
    const actual = (name: keyof typeof measurements) => measurements[name]?.actual;
    return {
      delivery,
      rows: tables![0]!.rows,
      counts: [actual('storm_events_missing'), actual('storm_duplicates'), actual('storm_sequence_gaps')],
      framesRatio: actual('storm_frames_ratio')!,
    };
  });

it(
  'tells every reader of every image once, those that were cut off too, in no more frames than windows',
  async () => {
    const { counts, delivery, rows, framesRatio } = await measured();
    expect(counts).toEqual([0, 0, 0]);
    expect(delivery).toMatchObject({ submitted: IMAGES, completed: IMAGES, terminalEventsReceived: IMAGES });
    expect(rows.map((row) => Number(row[3]) > 0)).toEqual([true, false, true, false]);
    // windows end by a timer: a busy machine makes fewer
    expect(framesRatio).toBeLessThan(1.3);
  },
  TIMEOUT_MS,
);

it(
  'is seen to fail when events are lost and doubled on the way, and when each has a frame of its own',
  async () => {
    const planted = { PLANT: 'drop-event,duplicate-event', EVENT_BATCHING: 'off' };
    const { counts, framesRatio } = await measured(planted);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBeGreaterThan(0);
    expect(framesRatio).toBeGreaterThan(1.3);
  },
  TIMEOUT_MS,
);

describe('a tally', () => {
  const event = (imageId: string, status: ImageEvent['status'], seq = 1): ImageEvent => ({
    seq,
    imageId,
    batchId: 'b',
    status,
  });
  const frame = (...events: ImageEvent[]) => ({
    type: 'events' as const,
    epoch: 'e',
    from: 1,
    to: events.length,
    events,
    batches: [],
  });
  const start = () =>
    createTally(
      new Map([
        ['x', 0],
        ['y', 1],
      ]),
    );

  it('counts ends only, of images that are known', () => {
    const tally = start();
    tally.add(frame(event('x', 'processing'), event('x', 'completed')), 100);
    expect([tally.missing(), tally.duplicates(), tally.count.events]).toEqual([1, 0, 2]);
    tally.add(frame(event('y', 'failed'), event('z', 'completed')), 200);
    expect([tally.missing(), tally.duplicates(), tally.count.heard]).toEqual([0, 1, 2]);
    expect(['x', 'y', 'z'].map(tally.toldAt)).toEqual([100, 200, undefined]);
  });

  it('counts an image once that was told of a thousand times', () => {
    const tally = start();
    for (let times = 1; times <= 1000; times++) tally.add(frame(event('x', 'completed')), times);
    expect([tally.missing(), tally.duplicates(), tally.toldAt('x')]).toEqual([1, 1, 1]);
  });

  it('takes frames of states alone for none, and measures the others by windows and by how full they are', () => {
    const tally = start();
    tally.add(frame(), 0);
    expect(tally.count.frames).toBe(0);
    for (let at = 0; at <= 1000; at += 100) tally.add(frame(event('x', 'processing')), at);
    expect(tally.framesRatio(100, 500)).toBeCloseTo(11 / (10 + 11 / 500), 6);
  });
});
