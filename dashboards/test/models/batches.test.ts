import { describe, expect, it } from 'vitest';
import { createBatches, type BatchView } from '../../src/models/Batches.ts';
import { createToasts, toastText, toastTone } from '../../src/models/gallery/Toasts.ts';

const batch = (id: string, status: BatchView['status'], completed: number, failed = 0, total = 1000): BatchView => ({
  id,
  status,
  pausedReason: null,
  total,
  counts: { queued: total - completed - failed, processing: 0, completed, failed, cancelled: 0 },
  imagesPerSecond: 0,
  eta: null,
});

function setUp() {
  const toasts = createToasts();
  const ended: string[] = [];
  const batches = createBatches({
    onSeen: (seen, live) => live && toasts.add(seen.id),
    onEnded: ({ id }) => ended.push(id),
  });
  return { toasts, batches, ended };
}

describe('createBatches', () => {
  it('shows one toast a batch however often the batch is heard of', () => {
    const { toasts, batches, ended } = setUp();
    batches.upsert(batch('a', 'queued', 0));
    for (let done = 0; done <= 1000; done += 10)
      batches.upsert(batch('a', done < 1000 ? 'running' : 'completed', done));
    batches.upsert(batch('a', 'completed', 1000));
    batches.upsert(batch('b', 'running', 3));
    expect(toasts.ids.value).toEqual(['a', 'b']);
    expect(ended).toEqual(['a']);
    expect(batches.newest.value?.id).toBe('b');
  });

  it('shows no toast for a batch that ended before the page was opened', () => {
    const { toasts, batches, ended } = setUp();
    batches.upsert(batch('old', 'completed', 1000), true);
    batches.upsert(batch('open', 'running', 10), true);
    expect(toasts.ids.value).toEqual(['open']);
    expect(ended).toEqual([]);
  });

  it('keeps the bar on a batch that can still be acted on when a newer one has ended', () => {
    const { batches } = setUp();
    batches.upsert(batch('a', 'paused', 45));
    batches.upsert(batch('b', 'running', 62));
    expect([batches.current.value?.id, batches.others.value]).toEqual(['b', 1]);
    batches.upsert(batch('b', 'cancelled', 62));
    expect([batches.current.value?.id, batches.others.value]).toEqual(['a', 0]);
    batches.upsert(batch('a', 'completed', 1000));
    expect(batches.current.value?.id).toBe('b');
  });

  it('ends a batch that is first heard of when it is over already', () => {
    const { toasts, batches, ended } = setUp();
    batches.upsert(batch('quick', 'completed', 0, 1000));
    expect(toasts.ids.value).toEqual(['quick']);
    expect(ended).toEqual(['quick']);
  });

  it('does not turn back when a slow reply comes after events', () => {
    const { batches } = setUp();
    batches.upsert(batch('a', 'running', 400));
    batches.upsert(batch('a', 'queued', 0));
    expect(batches.get('a')?.value.counts.completed).toBe(400);
    batches.upsert(batch('a', 'completed', 990, 10));
    batches.upsert(batch('a', 'running', 900));
    expect(batches.get('a')?.value.status).toBe('completed');
  });

  it('does not bring a dismissed toast back', () => {
    const { toasts, batches } = setUp();
    batches.upsert(batch('a', 'completed', 1000));
    toasts.dismiss('a');
    batches.upsert(batch('a', 'completed', 1000));
    expect(toasts.ids.value).toEqual([]);
  });
});

describe('toastText', () => {
  it('counts what is done, failed and still to do', () => {
    expect(toastText(batch('a', 'running', 391, 1))).toBe('1,000 images: 391 done, 1 failed, 608 to go');
    expect(toastText(batch('a', 'completed', 997, 3))).toBe('1,000 images: 997 done, 3 failed');
    expect(toastText(batch('a', 'completed', 1, 0, 1))).toBe('1 image: 1 done');
  });

  it('ends in its own words when everything failed', () => {
    const failed = batch('a', 'completed', 0, 1000);
    expect(toastText(failed)).toBe('1,000 images: 0 done, 1,000 failed');
    expect(toastTone(failed)).toBe('bad');
  });

  it('is a warning when a person cancelled, not a failure', () => {
    const cancelled = batch('a', 'cancelled', 10);
    cancelled.counts.cancelled = 990;
    expect(toastText(cancelled)).toContain('990 cancelled');
    expect(toastTone(cancelled)).toBe('warn');
  });
});
