import { describe, expect, it } from 'vitest';
import { reconcile, type LedgerItem, type LedgerRow } from '../../src/measure/ledger.ts';

const seen = (count = 1, status: string | null = 'completed') => ({ count, status, seq: 1, atMs: 1 });
const item = (change: Partial<LedgerItem> = {}): LedgerItem => ({
  batchId: 'b',
  status: 'completed',
  errorCode: null,
  generation: 1,
  attempts: 1,
  worker: 'w',
  resultId: 'r',
  queuedAtMs: 1,
  startedAtMs: 2,
  finishedAtMs: 3,
  outside: seen(),
  browser: seen(),
  ...change,
});
const row = (items: LedgerItem[] = [item()], change: Partial<LedgerRow> = {}): LedgerRow => ({
  imageId: 'i',
  name: 'i.png',
  sha256: '',
  uploadedAtMs: 0,
  uploadRequestMs: 1,
  rowStatus: 'completed',
  polygonCount: 3,
  items,
  cell: 'completed',
  ...change,
});
const counter = (completed: number, failed = 0) => ({
  batchId: 'b',
  total: completed + failed,
  queued: 0,
  processing: 0,
  completed,
  failed,
  cancelled: 0,
});
const check = (rows: LedgerRow[], counters = [counter(rows.length)], strayEvents = 0) =>
  reconcile({ rows, counters, strayEvents, sequenceGaps: 0 });

describe('reconcile', () => {
  it('finds nothing when every place agrees', () => {
    const { delivery, findings } = check([row(), row()]);
    expect(findings).toEqual([]);
    expect(delivery).toEqual({
      submitted: 2,
      completed: 2,
      failed: 0,
      terminalEventsReceived: 2,
      duplicates: 0,
      missing: 0,
      sequenceGaps: 0,
      stored: 2,
      shown: 2,
      late: 0,
    });
  });
  it('counts what is stored, what the page shows, and what it was told of late', () => {
    const late = item({ finishedAtMs: 10, browser: { ...seen(), atMs: 5_011 } });
    const { delivery } = check([row([late]), row([item()], { rowStatus: null, cell: null }), row()]);
    expect(delivery).toMatchObject({ stored: 2, shown: 2, late: 1 });
    const { cell: _, ...unseen } = row();
    expect(check([unseen]).delivery).not.toHaveProperty('shown');
  });
  it('accepts an image that ended failed', () => {
    const failed = item({ status: 'failed', resultId: null, outside: seen(1, 'failed'), browser: seen(1, 'failed') });
    const { delivery } = check([row([failed], { rowStatus: 'failed', cell: 'failed' })], [counter(0, 1)]);
    expect(delivery).toMatchObject({ missing: 0, failed: 1 });
  });
  it.each([
    ['the page was never told', item({ browser: seen(0, null) })],
    ['the page was told another status', item({ browser: seen(1, 'failed') })],
    ['the subscriber outside was never told', item({ outside: seen(0, null) })],
    ['there is no result', item({ resultId: null })],
  ])('counts an image as missing when %s', (_, changed) => {
    expect(check([row([changed])]).delivery.missing).toBe(1);
  });
  it('counts an image as missing when its row, its item or its cell is not there', () => {
    expect(check([row([item()], { rowStatus: null, cell: null })]).delivery.missing).toBe(1);
    expect(check([row([item({ status: null })])], [counter(0)]).delivery.missing).toBe(1);
    expect(check([row([item()], { cell: 'queued' })]).delivery.missing).toBe(1);
  });
  it('does not ask for cells of a gallery that was not scrolled', () => {
    const { cell: _, ...rest } = row();
    expect(check([rest]).delivery.missing).toBe(0);
  });
  it('counts each terminal event beyond the first, and strays', () => {
    const { delivery, findings } = check([row([item({ browser: seen(3) })])], undefined, 2);
    expect(delivery).toMatchObject({ duplicates: 4, missing: 0 });
    expect(findings).toHaveLength(2);
  });
  it('counts what a batch counts otherwise than its rows', () => {
    expect(check([row()], [counter(3)]).delivery.missing).toBe(2);
  });
});
