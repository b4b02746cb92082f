import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';
import { createAnnouncer } from '../../../src/models/gallery/Announcer.ts';
import { ApiError, type Api } from '../../../src/models/api.ts';
import { createBatchActions } from '../../../src/models/gallery/BatchActions.ts';
import { createBatches, type BatchView } from '../../../src/models/Batches.ts';
import type { ConnectionState } from '../../../src/models/gallery/EventSocket.ts';
import { createLiveRegion } from '../../../src/models/LiveRegion.ts';
import { createNames } from '../../../src/models/gallery/Names.ts';
import type { Trial, TrialTally } from '../../../src/models/gallery/Trial.ts';
import type { Uploads, UploadState } from '../../../src/models/gallery/Uploads.ts';
import { createFakeClock } from '../../fake-clock.ts';

const batch = (
  id: string,
  status: BatchView['status'],
  completed: number,
  failed: number,
  total: number,
): BatchView => ({
  id,
  status,
  pausedReason: null,
  total,
  counts: { queued: total - completed - failed, processing: 0, completed, failed, cancelled: 0 },
  imagesPerSecond: 0,
  eta: null,
});

describe('createBatchActions', () => {
  function setUp(ids: string[], refuse = false) {
    const calls: { route: string; given: unknown }[] = [];
    const api = {
      call: async (route: string, given: { body: { imageIds?: string[] } }) => {
        calls.push({ route, given });
        if (refuse) throw new ApiError(403, 'FORBIDDEN', 'this key may only read');
        return batch(`b${calls.length}`, 'queued', 0, 0, given.body.imageIds?.length ?? 7);
      },
    } as unknown as Api;
    const batches = createBatches({});
    const live = createLiveRegion(createFakeClock().clock);
    return {
      calls,
      batches,
      actions: createBatchActions({ api, projectId: 'p', batches, live, pickedIds: () => ids }),
    };
  }

  it('starts one batch of what is chosen, and several where one may not name so many', async () => {
    const { actions, calls, batches } = setUp(Array.from({ length: 25_000 }, (_, i) => `id-${i}`));
    actions.threshold.value = 0.35;
    await actions.segmentPicked();
    expect(batches.order.value.map((id) => batches.get(id)!.value.total)).toEqual([10_000, 10_000, 5000]);
    expect(calls[2]).toMatchObject({ given: { path: { id: 'p' }, body: { threshold: 0.35 } } });
  });

  it('tries again what failed, as a batch of its own', async () => {
    const { actions, calls, batches } = setUp([]);
    await actions.retryFailed('old');
    expect(calls).toEqual([
      { route: 'POST /api/batches/{id}/retry', given: { path: { id: 'old' }, body: { only: 'failed' } } },
    ]);
    expect(batches.order.value).toEqual(['b1']);
  });

  it('tries again what failed once, however often it is told to, and again where it was refused', async () => {
    const { actions, calls } = setUp([]);
    const first = actions.retryFailed('old');
    expect(actions.retried.value.has('old')).toBe(true);
    await Promise.all([first, actions.retryFailed('old')]);
    await actions.retryFailed('old');
    await actions.retryFailed('other');
    expect(calls.map(({ given }) => given)).toMatchObject([{ path: { id: 'old' } }, { path: { id: 'other' } }]);
    const refused = setUp([], true);
    for (let press = 0; press < 2; press++) {
      await refused.actions.retryFailed('old');
      expect(refused.actions.retried.value.has('old')).toBe(false);
    }
    expect(refused.calls).toHaveLength(2);
  });

  it('tells what the service refuses, until something else is done', async () => {
    const { actions } = setUp(['a'], true);
    await actions.segmentPicked();
    expect(actions.error.value).toBe('this key may only read');
    await actions.act(async () => {});
    expect(actions.error.value).toBeNull();
  });
});

describe('createAnnouncer', () => {
  function setUp() {
    const { clock, advance } = createFakeClock();
    const live = createLiveRegion(clock);
    const batches = createBatches({});
    const uploads = signal({ active: false } as UploadState);
    const tally = signal<TrialTally | null>(null);
    const looked = signal({ seen: 0, unlike: 0 });
    const announcer = createAnnouncer({
      live,
      batches,
      connection: signal<ConnectionState>('live'),
      uploads: { state: uploads } as Uploads,
      trial: { tally } as unknown as Trial,
      looked,
    });
    return { live, batches, uploads, tally, looked, announcer, advance };
  }

  it('says failures in the alert, and the end at once though something was said just before', async () => {
    const { live, batches, announcer, advance } = setUp();
    batches.upsert(batch('a', 'running', 500, 0, 1000));
    announcer.progress();
    await advance(200);
    expect(live.message.value).toBe('50 percent done');
    announcer.ended(batch('a', 'completed', 997, 3, 1000));
    await advance(200);
    expect(live.message.value).toBe('1,000 images: 997 done, 3 failed');
    expect(live.alert.value).toBe('3 of 1,000 images failed');
  });

  it('says once that an upload is over, that a trial is, and that images look strange', async () => {
    const { live, uploads, tally, looked, advance } = setUp();
    const state = {
      total: 3,
      done: 3,
      refused: [],
      totalBytes: 9,
      sentBytes: 9,
      active: true,
    } as unknown as UploadState;
    uploads.value = state;
    expect(live.message.value).toBe('');
    uploads.value = { ...state, active: false };
    await advance(200);
    expect(live.message.value).toBe('3 files uploaded');
    await advance(6000);
    const tried = { ids: ['a', 'b'], threshold: 0.5, done: 1, failed: 0, cells: 9, unlike: 0 };
    tally.value = tried;
    expect(live.message.value).toBe('3 files uploaded');
    tally.value = { ...tried, done: 2, cells: 20 };
    await advance(200);
    expect(live.message.value).toBe('Tried 2 images at 0.50: 20 cells, 10.0 an image');
    await advance(6000);
    looked.value = { seen: 10, unlike: 2 };
    await advance(200);
    expect(live.message.value).toMatch(/^2 images look unlike what the model was trained on \(of 10 results/);
    await advance(6000);
    looked.value = { seen: 20, unlike: 5 };
    expect(live.message.value).toMatch(/^2 images/);
  });
});

describe('createNames', () => {
  it('reads a page of names once, and only for what is not known', async () => {
    const reads: [number, number][] = [];
    const ready: string[][] = [];
    const names = createNames({
      read: async (offset, limit) => {
        reads.push([offset, limit]);
        return Array.from({ length: limit }, (_, i) => ({ id: `i${offset + i}`, name: `n${offset + i}` }));
      },
      onReady: (ids) => ready.push(ids),
    });
    await names.want(3, ['i3', 'i4']);
    await names.want(3, ['i3', 'i4']);
    await names.want(4, ['i4', 'i5']);
    expect(reads).toEqual([
      [3, 2],
      [4, 2],
    ]);
    expect(ready).toEqual([
      ['i3', 'i4'],
      ['i4', 'i5'],
    ]);
    expect([names.get('i5'), names.get('x')]).toEqual(['n5', null]);
  });
});
