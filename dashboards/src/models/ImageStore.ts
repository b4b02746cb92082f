import { FAILURE_CODE_NAMES, IMAGE_STATUSES, type FailureCode, type ImageStatus } from '#contract/names.ts';
import type { ImageEvent } from '#contract/events.ts';
import type { ProjectIndex } from '#contract/index-format.ts';
import { createIdTable, uuidAt } from './id-table.ts';

const COMPLETED = IMAGE_STATUSES.indexOf('completed');
const STATUS_NUMBER = new Map<string, number>(IMAGE_STATUSES.map((status, number) => [status, number]));

export type ImageStore = ReturnType<typeof createImageStore>;

/**
 * All images of a project as typed arrays by position in list order; no object an image.
 *
 * `mark` tells results apart: it is raised whenever an image completes, and a result asked for after that is the current one.
 */
export function createImageStore() {
  let count = 0;
  let ids: Uint8Array = new Uint8Array(0);
  let statuses = new Uint8Array(0);
  let colours: Uint8Array = new Uint8Array(0);
  let marks = new Uint32Array(0);
  let seqs = new Float64Array(0);
  let codes = new Uint8Array(0);
  let held = new Uint32Array(0);
  let batches = new Uint16Array(0);
  let table = createIdTable(ids, 0);
  const counts = new Uint32Array(IMAGE_STATUSES.length);
  const batchNumbers = new Map<string, number>();
  let mark = 0;

  const numberOf = (batchId: string): number => {
    let number = batchNumbers.get(batchId);
    if (number === undefined) batchNumbers.set(batchId, (number = (batchNumbers.size % 0xffff) + 1));
    return number;
  };

  return {
    /**
     * Takes a new index over. Positions may move. `missedEvents`: completions may have gone unseen (a snapshot),
     * so no result read before is current any more.
     */
    load(index: ProjectIndex, missedEvents = false): void {
      const before = { statuses, marks, codes, held, batches, table };
      mark++;
      count = index.count;
      ids = index.ids.slice();
      statuses = index.statuses.slice();
      colours = index.colours.slice();
      table = createIdTable(ids, count);
      marks = new Uint32Array(count);
      codes = new Uint8Array(count);
      held = new Uint32Array(count);
      batches = new Uint16Array(count);
      seqs = new Float64Array(count).fill(index.seq);
      counts.fill(0);
      for (let i = 0; i < count; i++) {
        const status = statuses[i] ?? 0;
        counts[status] = (counts[status] ?? 0) + 1;
        const old = before.table.findRow(ids, i);
        const known = old >= 0 && !missedEvents && before.statuses[old] === status;
        marks[i] = known ? (before.marks[old] ?? 0) : status === COMPLETED ? mark : 0;
        codes[i] = known ? (before.codes[old] ?? 0) : 0;
        held[i] = known ? (before.held[old] ?? 0) : 0;
        batches[i] = old >= 0 ? (before.batches[old] ?? 0) : 0;
      }
    },
    /** Last write wins by sequence number. Returns the position it changed, -1 for an unknown image, -2 for an old event. */
    apply(event: ImageEvent): number {
      const i = table.find(event.imageId);
      if (i < 0) return -1;
      if (event.seq <= (seqs[i] ?? 0)) return -2;
      const to = STATUS_NUMBER.get(event.status);
      if (to === undefined) return -2;
      const from = statuses[i] ?? 0;
      seqs[i] = event.seq;
      statuses[i] = to;
      counts[from] = (counts[from] ?? 0) - 1;
      counts[to] = (counts[to] ?? 0) + 1;
      codes[i] = event.code ? FAILURE_CODE_NAMES.indexOf(event.code) + 1 : 0;
      if (event.batchId) batches[i] = numberOf(event.batchId);
      if (to === COMPLETED) marks[i] = ++mark;
      return i;
    },
    find: (id: string): number => table.find(id),
    idAt: (i: number): string => uuidAt(ids, i),
    statusAt: (i: number): ImageStatus => IMAGE_STATUSES[statuses[i] ?? 0] ?? 'uploaded',
    isCompleted: (i: number): boolean => statuses[i] === COMPLETED,
    codeAt: (i: number): FailureCode | null => FAILURE_CODE_NAMES[(codes[i] ?? 0) - 1] ?? null,
    /** `rgb(…)` of the average colour. */
    colourAt: (i: number): string =>
      `rgb(${colours[i * 3] ?? 0} ${colours[i * 3 + 1] ?? 0} ${colours[i * 3 + 2] ?? 0})`,
    markAt: (i: number): number => marks[i] ?? 0,
    /** Notes which completion's result is held in memory (0: none), so that what is missing can be counted quickly. */
    setHeld(i: number, heldMark: number): void {
      if (i >= 0) held[i] = heldMark;
    },
    needsResult: (i: number): boolean => statuses[i] === COMPLETED && held[i] !== marks[i],
    /** Images that this batch completed and whose current result is not held. */
    missingOf(batchId: string): number {
      const number = batchNumbers.get(batchId);
      let missing = 0;
      for (let i = 0; i < count; i++)
        if (batches[i] === number && statuses[i] === COMPLETED && held[i] !== marks[i]) missing++;
      return missing;
    },
    /** Positions of what `missingOf` counts. */
    positionsMissing(batchId: string): number[] {
      const number = batchNumbers.get(batchId);
      return Array.from({ length: count }, (_, i) => i).filter(
        (i) => batches[i] === number && statuses[i] === COMPLETED && held[i] !== marks[i],
      );
    },
    /** Positions whose status is `status`, ascending. */
    select(status: ImageStatus): Int32Array {
      const wanted = STATUS_NUMBER.get(status) ?? 0;
      const out = new Int32Array(counts[wanted] ?? 0);
      let n = 0;
      for (let i = 0; i < count; i++) if (statuses[i] === wanted) out[n++] = i;
      return out;
    },
    countOf: (status: ImageStatus): number => counts[STATUS_NUMBER.get(status) ?? 0] ?? 0,
    get count() {
      return count;
    },
    get mark() {
      return mark;
    },
  };
}
