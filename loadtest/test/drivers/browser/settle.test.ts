import { describe, expect, it } from 'vitest';
import { clockOffset } from '../../../src/drivers/browser/clock.ts';
import type { RecorderDump, ShownState } from '../../../src/drivers/browser/recorder.ts';
import { quietFrom, settleOf } from '../../../src/drivers/browser/settle.ts';

const dump = (change: Partial<RecorderDump>): RecorderDump => ({
  now: 10_000,
  mutations: [],
  longFrames: [],
  toasts: [],
  states: [],
  interactions: [],
  domNodesMax: 0,
  firstCellAt: 0,
  ...change,
});
const state = (at: number, change: Partial<ShownState> = {}): ShownState => ({
  at,
  batchId: 'b',
  total: 2,
  cells: [['x', 'completed', 3]],
  ...change,
});
const question = {
  t0: 1000,
  batchId: 'b',
  expected: new Map([['x', { status: 'completed', polygonCount: 3 }]]),
  overlays: true,
  quietMs: 500,
};

describe('quietFrom', () => {
  it('answers the moment itself when nothing follows', () => {
    expect(quietFrom(dump({}), 1000, 500)).toBe(1000);
  });
  it('waits for the end of what goes on with gaps shorter than the quiet', () => {
    const busy = dump({
      mutations: [
        [900, 1200],
        [1600, 1650],
      ],
      longFrames: [[1700, 300, 250]],
    });
    expect(quietFrom(busy, 1000, 500)).toBe(2000);
  });
  it('does not look past the first quiet', () => {
    expect(
      quietFrom(
        dump({
          mutations: [
            [1100, 1100],
            [5000, 5000],
          ],
        }),
        1000,
        500,
      ),
    ).toBe(1100);
  });
  it('answers null while it cannot know yet', () => {
    expect(quietFrom(dump({ now: 1400, mutations: [[1000, 1000]] }), 1000, 500)).toBeNull();
  });
});

describe('settleOf', () => {
  it('takes the later of the first right frame and the start of quiet', () => {
    const busy = dump({
      states: [state(1300)],
      mutations: [
        [1000, 1290],
        [1400, 1500],
      ],
    });
    expect(settleOf(busy, question)).toMatchObject({ settled: true, rightAt: 1300, t1: 1500 });
  });
  it('counts from the last frame when the page was right before it', () => {
    expect(settleOf(dump({ states: [state(800)] }), question)).toMatchObject({ settled: true, t1: 1000 });
  });
  it('does not take a state of another batch, of a wrong cell or of undrawn polygons for right', () => {
    const wrong = [
      state(1100, { batchId: 'old' }),
      state(1200, { cells: [['x', 'queued', null]] }),
      state(1300, { cells: [['x', 'completed', null]] }),
      state(1400, { cells: [] }),
    ];
    expect(settleOf(dump({ states: wrong }), question)).toMatchObject({ settled: false, t1: 10_000 });
    expect(settleOf(dump({ states: [...wrong, state(1500)] }), question)).toMatchObject({ settled: true, t1: 1500 });
  });
  it('starts again when the page turned wrong after it was right', () => {
    const states = [state(1100), state(1200, { cells: [['x', 'processing', null]] }), state(1900)];
    expect(settleOf(dump({ states }), question)).toMatchObject({ rightAt: 1900 });
  });
  it('says which cell is wrong when it gives up', () => {
    const { reason } = settleOf(dump({ states: [state(1100, { cells: [['x', 'failed', null]] })] }), question);
    expect(reason).toContain('cell x shows failed');
  });
});

describe('clockOffset', () => {
  it('trusts the fastest round trip', () => {
    const readings = [
      { sentAt: 0, pageTime: 60, receivedAt: 100 },
      { sentAt: 200, pageTime: 204, receivedAt: 202 },
    ];
    expect(clockOffset(readings)).toEqual({ offsetMs: 3, errorMs: 1 });
  });
  it('refuses a clock that is more than 20 ms off, or unknown by as much', () => {
    expect(() => clockOffset([{ sentAt: 0, pageTime: 30, receivedAt: 2 }])).toThrow(/29.0 ms off/);
    expect(() => clockOffset([{ sentAt: 0, pageTime: 30, receivedAt: 60 }])).toThrow(/known to 30.0 ms/);
  });
});
