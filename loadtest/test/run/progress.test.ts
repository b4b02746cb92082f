import { describe, expect, it, vi } from 'vitest';
import { createProgress, describe as words } from '../../src/run/progress.ts';

const sink = (isTTY: boolean) => {
  const written: string[] = [];
  return { isTTY, columns: 80, written, write: (text: string) => written.push(text) };
};

describe('progress words', () => {
  it('gives bar, rate and ETA', () => {
    expect(words({ name: 'upload', total: 100, done: 25, elapsedMs: 5000 }, 8)).toBe(
      'upload [##------] 25/100 · 5.0/s · ETA 15 s · 5.0 s',
    );
  });
  it('gives only name and time where there is no end', () => {
    expect(words({ name: 'start', done: 0, elapsedMs: 12_000 })).toBe('start · 12 s');
  });
});

describe('createProgress', () => {
  it('writes a line a phase and a heartbeat every 10 s without a terminal', () => {
    vi.useFakeTimers();
    try {
      const stream = sink(false);
      const progress = createProgress(stream);
      progress.phase('batch', 10);
      progress.update(5);
      vi.advanceTimersByTime(20_000);
      progress.done('all there');
      vi.advanceTimersByTime(20_000);
      progress.close();
      expect(stream.written).toHaveLength(3);
      expect(stream.written[0]).toContain('batch 5/10');
      expect(stream.written[2]).toBe('batch: 20 s · all there\n');
    } finally {
      vi.useRealTimers();
    }
  });
  it('redraws one line on a terminal', () => {
    vi.useFakeTimers();
    try {
      const stream = sink(true);
      const progress = createProgress(stream);
      progress.phase('batch', 10);
      vi.advanceTimersByTime(1000);
      expect(stream.written.some((text) => text.includes('\n'))).toBe(false);
      progress.close();
      expect(stream.written.at(-1)).toContain('stopped');
    } finally {
      vi.useRealTimers();
    }
  });
});
