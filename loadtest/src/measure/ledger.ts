import type { Delivery } from '../contract.ts';

/** One image's way through one batch, as each place on it says. Times in epoch ms. */
export interface LedgerItem {
  batchId: string;
  status: string | null;
  errorCode: string | null;
  generation: number | null;
  attempts: number | null;
  worker: string | null;
  resultId: string | null;
  queuedAtMs: number | null;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  /** Terminal events seen by the subscriber outside the page. */
  outside: Seen;
  /** Terminal events that reached the page, counted on its socket. */
  browser: Seen;
}
export interface Seen {
  count: number;
  status: string | null;
  seq: number | null;
  atMs: number | null;
}
/** One row an image: upload → row → job → result → event → cell. */
export interface LedgerRow {
  imageId: string;
  name: string;
  sha256: string;
  uploadedAtMs: number;
  uploadRequestMs: number;
  /** `images.status` in the database; null: answered with 201 and not there. */
  rowStatus: string | null;
  polygonCount: number | null;
  items: LedgerItem[];
  /** `data-status` of its cell while the gallery was scrolled; null: never seen. Undefined: not scrolled. */
  cell?: string | null;
}
export interface BatchCounters {
  batchId: string;
  total: number;
  queued: number;
  processing: number;
  completed: number;
  failed: number;
  cancelled: number;
}
export interface Reconciled {
  delivery: Delivery;
  /** What did not agree, in words, at most 50. */
  findings: string[];
}

/** An end that the page is told of so much later than the database had it is late. */
export const LATE_MS = 5_000;

const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

/** Why one item of one image did not arrive as it should, or null. */
function missingBecause(item: LedgerItem): string | null {
  if (item.status === null) return 'is not in the batch';
  if (!TERMINAL.has(item.status)) return `is still ${item.status} in the database`;
  if (item.status === 'completed' && item.resultId === null) return 'is completed without a result';
  if (item.browser.count === 0) return `is ${item.status}, and the page was never told`;
  if (item.browser.status !== item.status) return `is ${item.status}, and the page was told ${item.browser.status}`;
  if (item.outside.count === 0) return `is ${item.status}, and the subscriber outside was never told`;
  return null;
}

/**
 * Adds the ledger up. An image counts as missing once for each batch in which some place on its way disagrees with the
 * database; every terminal event beyond the first of an image and batch is a duplicate, strays of unknown images included.
 */
export function reconcile(input: {
  rows: readonly LedgerRow[];
  counters: readonly BatchCounters[];
  /** Terminal events for images that were not uploaded by this run. */
  strayEvents: number;
  sequenceGaps: number;
}): Reconciled {
  const { rows, counters, strayEvents, sequenceGaps } = input;
  const findings: string[] = [];
  const note = (text: string) => findings.length < 50 && findings.push(text);
  let missing = 0;
  let duplicates = strayEvents;
  if (strayEvents > 0) note(`${strayEvents} terminal events of images that this run did not upload`);

  for (const row of rows) {
    if (row.rowStatus === null) note(`${row.name}: answered with 201, and not in the database`);
    for (const item of row.items) {
      const why = row.rowStatus === null ? 'has no row' : missingBecause(item);
      if (why !== null) {
        missing++;
        note(`${row.name} (${row.imageId}) ${why}`);
      }
      const surplus = Math.max(0, item.browser.count - 1, item.outside.count - 1);
      if (surplus > 0) note(`${row.name} (${row.imageId}): ${surplus + 1} terminal events in one batch`);
      duplicates += surplus;
    }
    if (row.cell !== undefined && row.cell !== row.rowStatus) {
      missing++;
      const shown = row.cell === null ? 'was never seen' : `shows ${row.cell}`;
      note(`${row.name} (${row.imageId}) is ${row.rowStatus}, and its cell ${shown}`);
    }
  }
  for (const counter of counters) {
    for (const status of ['completed', 'failed', 'cancelled', 'queued', 'processing'] as const) {
      const counted = rows.filter(({ items }) =>
        items.some((item) => item.batchId === counter.batchId && item.status === status),
      ).length;
      if (counted === counter[status]) continue;
      missing += Math.abs(counted - counter[status]);
      note(`batch ${counter.batchId} counts ${counter[status]} ${status}, its rows are ${counted}`);
    }
  }

  const first = rows.map(({ items }) => items[0]);
  const count = (test: (item: LedgerItem) => boolean) => first.filter((item) => item && test(item)).length;
  return {
    delivery: {
      submitted: rows.length,
      completed: count(({ status }) => status === 'completed'),
      failed: count(({ status }) => status === 'failed'),
      terminalEventsReceived: first.reduce((sum, item) => sum + (item?.browser.count ?? 0), 0),
      duplicates,
      missing,
      sequenceGaps,
      stored: rows.filter(({ rowStatus }) => rowStatus !== null).length,
      late: count(({ finishedAtMs, browser: { atMs } }) => atMs !== null && atMs - (finishedAtMs ?? atMs) > LATE_MS),
      ...shownIn(rows),
    },
    findings,
  };
}

/** Cells that show how their image ended; nothing where the gallery was not scrolled. */
function shownIn(rows: readonly LedgerRow[]): Pick<Delivery, 'shown'> {
  const seen = rows.filter(({ cell }) => cell !== undefined);
  if (seen.length === 0) return {};
  return { shown: seen.filter(({ cell, rowStatus }) => cell !== null && cell === rowStatus).length };
}
