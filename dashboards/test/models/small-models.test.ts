import { describe, expect, it } from 'vitest';
import { effect, signal } from '@preact/signals';
import { createFrameQueue } from '../../src/models/gallery/frame-queue.ts';
import { createDwell } from '../../src/models/gallery/Dwell.ts';
import { createLiveRegion } from '../../src/models/LiveRegion.ts';
import { createLru } from '../../src/models/lru.ts';
import { formatDuration, formatEta } from '../../src/models/format.ts';
import { verdictOf } from '../../src/models/operator/verdict.ts';
import { createFakeClock } from '../fake-clock.ts';

describe('createFrameQueue', () => {
  it('applies all that came before the frame at once, and effects run once', async () => {
    const { frames, advance } = createFakeClock();
    const counter = signal(0);
    const applied: number[][] = [];
    const queue = createFrameQueue<number>({
      frames,
      apply(items) {
        applied.push(items);
        for (const item of items) counter.value += item;
      },
    });
    let runs = 0;
    const stop = effect(() => {
      void counter.value;
      runs++;
    });
    for (let i = 1; i <= 1000; i++) queue.push(i);
    await advance(20);
    stop();
    expect(applied).toHaveLength(1);
    expect([counter.value, runs]).toEqual([500_500, 2]);
  });

  it('applies by timer when no frame comes', async () => {
    const { frames, advance } = createFakeClock();
    const applied: number[][] = [];
    const hidden = { ...frames, requestFrame: () => 0 };
    const queue = createFrameQueue<number>({ frames: hidden, apply: (items) => applied.push(items) });
    queue.push(1);
    await advance(300);
    expect(applied).toEqual([[1]]);
  });
});

describe('createDwell', () => {
  it('names what comes after a rest at once, and what rushes by after it only where it stays', async () => {
    const { clock, frames, advance } = createFakeClock();
    const settled: number[][] = [];
    const dwell = createDwell({ clock, frames, onSettled: (positions) => settled.push(positions) });
    dwell.show([0], 0);
    await advance(500);
    for (let i = 1; i <= 10; i++) {
      dwell.show([i], 1);
      await advance(50);
      expect(dwell.calm).toBe(i === 1);
    }
    await advance(500);
    expect(settled).toEqual([[0], [1], [10]]);
    expect(dwell.calm).toBe(true);
  });

  it('takes late frames of a slow page for no rest', async () => {
    const { clock, advance } = createFakeClock();
    const asked: (() => void)[] = [];
    const frames = {
      requestFrame: (action: () => void) => asked.push(action),
      cancelFrame: () => {},
      after: () => () => {},
    };
    const settled: number[][] = [];
    const dwell = createDwell({ clock, frames, onSettled: (positions) => settled.push(positions) });
    const frame = async (lateMs: number) => {
      for (const action of asked.splice(0)) action();
      await advance(lateMs);
    };
    for (let i = 0; i <= 10; i++) {
      dwell.show([i], 3);
      await frame(250);
    }
    expect(settled).toEqual([[0]]);
    await frame(0);
    expect(settled).toEqual([[0], [10]]);
  });

  it('is not calm after a jump of many rows', () => {
    const { clock, frames } = createFakeClock();
    const dwell = createDwell({ clock, frames, onSettled: () => {} });
    dwell.show([100], 14);
    expect(dwell.calm).toBe(false);
  });
});

describe('createLiveRegion', () => {
  it('speaks at most once in five seconds, the latest words last', async () => {
    const { clock, advance } = createFakeClock();
    const live = createLiveRegion(clock);
    live.announce('one');
    live.announce('two');
    live.announce('three');
    await advance(4000);
    expect(live.message.value).toBe('one');
    await advance(2000);
    expect(live.message.value).toBe('three');
  });

  it('says the same words again as a change, after a pause, at once and in the alert, and says nothing by itself', async () => {
    const { clock, advance, pending } = createFakeClock();
    const live = createLiveRegion(clock);
    const said: string[] = [];
    for (const region of [live.message, live.alert]) region.subscribe((text) => void said.push(text));
    const repeat = async (say: () => void, pauseMs: number) => {
      said.length = 0;
      say();
      await advance(pauseMs);
      say();
      await advance(20_000);
      return said;
    };
    expect(await repeat(() => live.announce('the line is lost'), 30_000)).toEqual([
      'the line is lost',
      '',
      'the line is lost',
    ]);
    expect(await repeat(() => live.announce('one'), 1000)).toEqual(['', 'one', '', 'one']);
    expect(await repeat(() => live.announce('done', true), 1000)).toEqual(['', 'done', '', 'done']);
    expect(await repeat(() => live.alarm('3 failed'), 30_000)).toEqual(['3 failed', '', '3 failed']);
    live.announce('late');
    live.alarm('late');
    live.stop();
    expect(pending()).toBe(0);
  });
});

describe('createLru', () => {
  it('disposes of what leaves exactly once, replaced values included', () => {
    const gone: string[] = [];
    const lru = createLru<string>({ capacity: 2, dispose: (value) => gone.push(value) });
    lru.set('a', 'a1');
    lru.set('b', 'b1');
    lru.get('a');
    lru.set('c', 'c1');
    lru.set('a', 'a2');
    expect(gone).toEqual(['b1', 'a1']);
    lru.clear();
    expect(gone.toSorted()).toEqual(['a1', 'a2', 'b1', 'c1']);
    expect(lru.weight).toBe(0);
  });
});

describe('formatEta', () => {
  it('gives a range of two units at most', () => {
    expect(formatEta({ seconds: 90, low: 80, high: 125 })).toBe('about 1 min 30 s left (1 min 20 s to 2 min 5 s)');
    expect(formatDuration(7260)).toBe('2 h 1 min');
  });
});

describe('verdictOf', () => {
  const health = { status: 'healthy', timestamp: '', services: { database: { status: 'healthy' } } } as const;
  const queue = { waiting: 5, active: 0, delayed: 0, failed: 0, oldestAgeMs: 1, workers: [] };
  const read = <T>(value: T, at = 1000) => ({ value, at, error: null });

  it('calls a service without news bad, whatever it said last', () => {
    expect(verdictOf(read(health), read(queue), 7000).title).toBe('No news');
  });
  it('says so at once when the last reading failed, before it is too old', () => {
    const failed = { value: health, at: 1000, error: 'The service does not answer.' };
    expect(verdictOf(failed, read(queue), 2000)).toMatchObject({ tone: 'warn', title: 'No answer' });
  });
  it('names the service that is ill', () => {
    const ill = { ...health, status: 'degraded', services: { cache: { status: 'down' } } } as const;
    expect(verdictOf(read(ill), read(queue), 1000)).toMatchObject({ tone: 'warn', cause: 'cache is down' });
  });
  it('calls waiting images without a worker stuck', () => {
    expect(verdictOf(read(health), read(queue), 1000).title).toBe('Stuck');
  });
  it('does not call what a paused batch holds back waiting', () => {
    const paused = { ...queue, waiting: 0, delayed: 155 };
    expect(verdictOf(read(health), read(paused), 1000)).toMatchObject({
      tone: 'good',
      cause: 'All services answer; nothing waits, 155 held back in paused batches.',
    });
  });
  it('is healthy when nothing waits', () => {
    const idle = { ...queue, waiting: 0 };
    expect(verdictOf(read(health), read(idle), 1000)).toMatchObject({ tone: 'good', title: 'Healthy' });
  });
});
