import { describe, expect, it } from 'vitest';
import { HOUR_BUDGETS } from '../../../scenarios/budgets-pages.ts';
import { PAGE_HOUR } from '../../../scenarios/page-hour.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { galleryFault, operatorFault } from '../../src/load/hour-pages.ts';
import { measurementsOf, type HourLook } from '../../src/load/page-hour.ts';

const { seconds, looks, warmShare } = PAGE_HOUR.phases;
const MB = 1e6;

/** An hour of looks: what is held by then, MB. */
const hour = (megabytes: (part: number, look: number) => number, count = looks): HourLook[] =>
  Array.from({ length: count }, (_, i) => {
    const part = (i + 1) / count;
    return { second: seconds * part, heapBytes: megabytes(part, i) * MB, nodes: 300 };
  });
const judged = (operator: HourLook[], gallery: HourLook[], faults: string[] = []) => {
  const figures = { seconds, looks: { operator, gallery }, faults, told: { readings: 0, events: 0 }, errors: [] };
  const rows = judgeBudgets(measurementsOf(figures, warmShare), HOUR_BUDGETS, { imageCount: 5500 });
  return Object.fromEntries(rows.map(({ name, verdict }) => [name, verdict]));
};
/** What was seen of the operator's page: from 6.5 to 8 MB and back, as collections find it. */
const wave = hour((_, look) => 6.5 + 1.5 * Math.abs(Math.sin(look * 1.7)));
const flat = hour(() => 38.5);

describe('growth over an hour', () => {
  it('passes pages whose memory comes and goes, or fills in the beginning', () => {
    const filling = hour((part) => 30 + 8.5 * Math.min(1, part / warmShare));
    expect(judged(wave, filling)).toEqual({
      hour_operator_growth_bytes: 'pass',
      hour_gallery_growth_bytes: 'pass',
      hour_wrong_looks: 'pass',
    });
  });

  it('fails a page that keeps a kilobyte of each reading beneath all that comes and goes, and one that keeps 24 bytes an event', () => {
    const reading = hour((part, look) => wave[look]!.heapBytes / MB + 3.6 * part);
    const event = hour((part) => 38.5 + (24 * 144_000 * part) / MB);
    expect(judged(reading, event)).toMatchObject({
      hour_operator_growth_bytes: 'fail',
      hour_gallery_growth_bytes: 'fail',
    });
  });

  it('says nothing of too few looks, and fails for one that was wrong', () => {
    const few = hour(() => 6, 6);
    expect(judged(few, flat, ['second 120: the gallery says that it is not live'])).toEqual({
      hour_operator_growth_bytes: 'not-run',
      hour_gallery_growth_bytes: 'pass',
      hour_wrong_looks: 'fail',
    });
  });
});

describe('what a page shows', () => {
  const batch = (number: number) => `01980000-0000-7000-8000-${String(number).padStart(12, '0')}`;

  it('is right on the operator’s page from the batch on that it was told of, while its data is fresh', () => {
    expect(operatorFault({ age: 'fresh', batch: batch(12) }, 129)).toBeNull();
    expect(operatorFault({ age: 'fresh', batch: batch(11) }, 129)).toBe('shows batch 11 where 12 had begun');
    expect(operatorFault({ age: 'stale', batch: batch(12) }, 129)).toBe('its data is said to be stale');
    expect(operatorFault({ age: 'fresh', batch: null }, 129)).not.toBeNull();
  });

  it('is right in the gallery where the bar is as far as told, and each image that has ended has its outlines, or soon', () => {
    const truth = new Map([
      ['a', { polygons: 20, agoSeconds: 5 }],
      ['b', { polygons: 31, agoSeconds: 125 }],
    ]);
    const image = (id: string) => truth.get(id) ?? null;
    const given = { batches: ['one', 'two'], image, told: 1040, total: 1000, resultsWithinSeconds: 120 };
    const right = {
      live: true,
      batchId: 'two',
      done: 40,
      cells: [
        ['a', 20],
        ['c', -1],
      ] as [string, number][],
    };
    expect(galleryFault(right, given)).toBeNull();
    expect(galleryFault({ ...right, done: 39 }, given)).toBe('its bar knows of 1039 images of 1040');
    expect(galleryFault({ ...right, batchId: 'three' }, given)).toContain('its bar');
    expect(galleryFault({ ...right, live: false }, given)).toBe('says that it is not live');
    expect(galleryFault({ ...right, cells: [['b', 30]] }, given)).toBe(
      '1 of 1 images in view show other outlines, the first 30 of 31',
    );
    expect(galleryFault({ ...right, cells: [['a', -1]] }, given)).toBeNull();
    expect(galleryFault({ ...right, cells: [['a', 19]] }, given)).toContain('the first 19 of 20');
    expect(galleryFault({ ...right, cells: [['b', -1]] }, given)).toContain('the first none of 31');
    expect(galleryFault({ ...right, cells: [] }, given)).toBe('shows no image');
  });
});
