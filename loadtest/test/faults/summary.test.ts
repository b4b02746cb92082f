import { describe, expect, it } from 'vitest';
import type { CellResult } from '../../src/faults/cell.ts';
import { deliveryOf, measureCells, plotOf, tableOf } from '../../src/faults/summary.ts';
import { FAULT_TABLE } from '../../src/faults/table.ts';

function cell(id: string, instant: number, over: Partial<CellResult> = {}): CellResult {
  const fault = FAULT_TABLE.find((one) => one.id === id);
  if (!fault) throw new Error(`no fault ${id}`);
  return {
    cell: { index: 0, fault, instant, page: false, thresholds: [0.1, 0.102] },
    moment: { atMs: 1_000 },
    recoveryMs: 100,
    violations: [],
    retries: [],
    reconnects: 0,
    items: [
      {
        batchId: 'b',
        imageId: 'i',
        status: 'completed',
        errorCode: null,
        results: 1,
        crashes: 0,
        attempts: 1,
        finishedAtMs: 1_100,
      },
    ],
    told: 1,
    checks: [],
    toasts: null,
    startedAtMs: 0,
    durationMs: 5,
    ...over,
  };
}
const AWAY = { awayMs: 30_000, fullAwayMs: 30_000 };

describe('measureCells', () => {
  it('sums what does not hold, and names images, fault and moment', () => {
    const lost = { budget: 'fault_images_lost', imageId: 'i7', detail: 'is still queued', count: 1 } as const;
    const measured = measureCells([cell('F1', 0, { violations: [lost] }), cell('F8', 0.5)], AWAY);
    expect(measured.fault_images_lost).toMatchObject({
      actual: 1,
      note: 'F1 at 0 % (1970-01-01T00:00:01.000Z): image i7 is still queued',
    });
    expect(measured.fault_duplicates?.actual).toBe(0);
  });

  it('takes the slowest recovery of the faults that a budget speaks of', () => {
    const cells = [
      cell('F1', 0, { recoveryMs: 4_000 }),
      cell('F3', 0.99, { recoveryMs: 11_000 }),
      cell('F2', 0.5, { recoveryMs: null }),
      cell('F4', 0, { recoveryMs: 90_000 }),
    ];
    const measured = measureCells(cells, AWAY);
    expect(measured.recovery_worker_killed_ms).toMatchObject({
      actual: 11_000,
      values: [4_000, 11_000],
      note: 'slowest: F3 at 99 %',
    });
    expect(measured.recovery_queue_wiped_ms?.notApplicable).toContain('no such fault');
  });

  it('says when the socket was away for less than it should', () => {
    const measured = measureCells([cell('F13', 0.5)], { awayMs: 5_000, fullAwayMs: 30_000 });
    expect(measured.recovery_socket_away_ms?.note).toContain('away for 5 s');
  });

  it('proves nothing where a fault did not come to pass', () => {
    const { fault_images_lost: lost } = measureCells([cell('F12', 0.99, { moment: null })], AWAY);
    expect(lost?.weakened).toBe('did not come to pass: F12 at 99 %');
  });

  it('judges toasts only where a page was open', () => {
    expect(measureCells([cell('F1', 0)], AWAY).fault_toasts_per_batch?.notApplicable).toBe(
      'no page was open in any batch',
    );
    const measured = measureCells([cell('F1', 0), cell('F1', 0.5, { toasts: 1 })], AWAY);
    expect(measured.fault_toasts_per_batch).toMatchObject({ actual: 1, note: 'a page was open in 1 of 2 batches' });
  });

  it('takes the image that took most processes with it', () => {
    const [item] = cell('F6', 0).items;
    const measured = measureCells([cell('F6', 0, { items: item ? [{ ...item, crashes: 5 }] : [] })], AWAY);
    expect(measured.fault_crashes_per_image?.actual).toBe(5);
  });
});

describe('what a report shows', () => {
  it('has a row for each fault and instant in the order of the list, F before N', () => {
    const { rows, columns } = tableOf([cell('N1', 0.5), cell('F10', 0), cell('F2', 0.99), cell('F2', 0)]);
    expect(rows.map(([id, at]) => `${id} ${at}`)).toEqual(['F2 0 %', 'F2 99 %', 'F10 0 %', 'N1 50 %']);
    expect(rows.every((row) => row.length === columns.length)).toBe(true);
  });

  it('marks faults on the line of images that ended', () => {
    const { series } = plotOf([cell('F1', 0, { moment: { atMs: 1_200 } })], 0);
    expect(series.map(({ points }) => points)).toEqual([[[1_100, 1]], [[1_200, 1]]]);
  });

  it('adds up what was delivered', () => {
    const twice = { budget: 'fault_duplicates', detail: 'x', count: 2 } as const;
    expect(deliveryOf([cell('F1', 0, { violations: [twice] }), cell('F2', 0)])).toEqual({
      submitted: 2,
      completed: 2,
      failed: 0,
      terminalEventsReceived: 2,
      duplicates: 2,
      missing: 0,
      sequenceGaps: 0,
    });
  });
});
