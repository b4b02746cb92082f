import { describe, expect, it } from 'vitest';
import type { BatchState } from '#contract/events.ts';
import { createBatches } from '../../../src/models/Batches.ts';
import { createTrial, spreadPlaces, trialWords } from '../../../src/models/gallery/Trial.ts';

const batch = (id: string, status: BatchState['status'] = 'running'): BatchState => ({
  id,
  status,
  pausedReason: null,
  total: 3,
  counts: { queued: 3, processing: 0, completed: 0, failed: 0, cancelled: 0 },
  imagesPerSecond: 0,
  eta: null,
});

function setUp() {
  const batches = createBatches({});
  const known = new Map<string, { status: string; cells: number | null; unlike: boolean }>();
  const started: { ids: string[]; threshold: number }[] = [];
  const cancelled: string[] = [];
  const trial = createTrial({
    batches,
    start: async (ids, threshold) => {
      started.push({ ids, threshold });
      const made = batch(`batch-${started.length}`);
      batches.upsert(made);
      return made;
    },
    cancel: async (id) => void cancelled.push(id),
    look: (id, batchId) => (batchId !== null && known.get(id)) || { status: 'queued', cells: null, unlike: false },
  });
  return { trial, batches, known, started, cancelled };
}

describe('spreadPlaces', () => {
  it('takes twelve from end to end, and all of fewer', () => {
    expect(spreadPlaces(1200)).toEqual([50, 150, 250, 350, 450, 550, 650, 750, 850, 950, 1050, 1150]);
    expect(spreadPlaces(12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(spreadPlaces(3)).toEqual([0, 1, 2]);
    expect(spreadPlaces(0)).toEqual([]);
    for (const length of [13, 100, 99_999]) expect(new Set(spreadPlaces(length)).size).toBe(12);
  });
});

describe('createTrial', () => {
  it('counts cells of the images that are done, and those that look strange', async () => {
    const { trial, known } = setUp();
    expect(trial.tally.value).toBeNull();
    await trial.open(['a', 'b', 'c'], 0.5);
    expect(trial.tally.value).toMatchObject({ done: 0, cells: 0, threshold: 0.5 });
    known.set('a', { status: 'completed', cells: 30, unlike: false });
    known.set('b', { status: 'completed', cells: 0, unlike: true });
    known.set('c', { status: 'failed', cells: null, unlike: false });
    trial.changed();
    expect(trial.tally.value).toMatchObject({ done: 2, failed: 1, cells: 30, unlike: 1 });
    expect(trialWords(trial.tally.value!)).toBe(
      'Tried 3 images at 0.50: 30 cells, 15.0 an image, 1 failed; 1 looks unlike what the model was trained on',
    );
  });

  it('ends the running batch before it tries another threshold, and not one that is over', async () => {
    const { trial, batches, started, cancelled } = setUp();
    await trial.open(['a'], 0.5);
    await trial.again(0.5);
    expect(started).toHaveLength(1);
    await trial.again(0.4);
    expect(cancelled).toEqual(['batch-1']);
    batches.upsert({
      ...batch('batch-2', 'completed'),
      counts: { queued: 0, processing: 0, completed: 3, failed: 0, cancelled: 0 },
    });
    await trial.again(0.3);
    expect(cancelled).toEqual(['batch-1']);
    expect(started.map(({ threshold }) => threshold)).toEqual([0.5, 0.4, 0.3]);
  });

  it('starts nothing once it is closed', async () => {
    const { trial, started } = setUp();
    await trial.open(['a'], 0.5);
    trial.close();
    await trial.again(0.9);
    expect([started.length, trial.tally.value]).toEqual([1, null]);
  });
});
