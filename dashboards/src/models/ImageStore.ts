import { FAILURE_CODE_NAMES, IMAGE_STATUSES, type FailureCode, type ImageStatus } from '#contract/names.ts';
import type { ImageEvent } from '#contract/events.ts';
import type { ProjectIndex } from '#contract/index-format.ts';
import { createIdTable, uuidAt } from './id-table.ts';

const COMPLETED = IMAGE_STATUSES.indexOf('completed');
/** What is known of an image's current result beyond its status. */
const SEEN = 1;
const UNLIKE = 2;
/** Chosen by the person; stays when the result changes. */
const PICKED = 4;
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
  let flags = new Uint8Array(0);
  let table = createIdTable(ids, 0);
  const counts = new Uint32Array(IMAGE_STATUSES.length);
  const flagged = { [SEEN]: 0, [UNLIKE]: 0, [PICKED]: 0 };
  const batchNumbers = new Map<string, number>();
  const batchIds: string[] = [];
  let mark = 0;

  const numberOf = (batchId: string): number => {
    let number = batchNumbers.get(batchId);
    if (number === undefined) {
      batchNumbers.set(batchId, (number = (batchNumbers.size % 0xffff) + 1));
      batchIds[number] = batchId;
    }
    return number;
  };
  function setFlag(i: number, flag: keyof typeof flagged, on: boolean): void {
    const now = flags[i] ?? 0;
    if (i < 0 || i >= count || ((now & flag) !== 0) === on) return;
    flags[i] = now ^ flag;
    flagged[flag] += on ? 1 : -1;
  }
  const hasFlag = (i: number, flag: number): boolean => ((flags[i] ?? 0) & flag) !== 0;
  /** Positions that pass, ascending; of `among` where it is given, in its order. */
  function filtered(passes: (i: number) => boolean, among: Int32Array | null, most: number): Int32Array {
    const out = new Int32Array(most);
    let n = 0;
    const of = among?.length ?? count;
    for (let k = 0; k < of && n < most; k++) {
      const i = among ? (among[k] ?? 0) : k;
      if (passes(i)) out[n++] = i;
    }
    return out.subarray(0, n);
  }

  return {
    /**
     * Takes a new index over. Positions may move. `missedEvents`: completions may have gone unseen (a snapshot),
     * so no result read before is current any more.
     */
    load(index: ProjectIndex, missedEvents = false): void {
      const before = { count, ids, statuses, marks, codes, held, batches, flags };
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
      flags = new Uint8Array(count);
      Object.assign(flagged, { [SEEN]: 0, [UNLIKE]: 0, [PICKED]: 0 });
      seqs = new Float64Array(count).fill(index.seq);
      counts.fill(0);
      for (let i = 0; i < count; i++) {
        const status = statuses[i]!;
        counts[status]!++;
        if (status === COMPLETED) marks[i] = mark;
      }
      const rowNow = table.finderOf(before.ids);
      for (let old = 0; old < before.count; old++) {
        const i = rowNow(old);
        if (i < 0) continue;
        batches[i] = before.batches[old]!;
        const kept = before.flags[old]!;
        setFlag(i, PICKED, (kept & PICKED) !== 0);
        if (missedEvents || before.statuses[old] !== statuses[i]) continue;
        marks[i] = before.marks[old]!;
        codes[i] = before.codes[old]!;
        held[i] = before.held[old]!;
        setFlag(i, SEEN, (kept & SEEN) !== 0);
        setFlag(i, UNLIKE, (kept & UNLIKE) !== 0);
      }
    },
    /**
     * Last write wins by sequence number; of two batches the newer one's, whose id sorts later. Returns the position it changed, -1
     * for an unknown image, -2 for an old event.
     */
    apply(event: ImageEvent): number {
      const i = table.find(event.imageId);
      if (i < 0) return -1;
      if (event.seq <= (seqs[i] ?? 0) || (event.batchId ?? '') < (batchIds[batches[i] ?? 0] ?? '')) return -2;
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
      setFlag(i, SEEN, false);
      setFlag(i, UNLIKE, false);
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
    /** Whether this batch was the last one that an event of the image spoke of. */
    isOf: (i: number, batchId: string): boolean => (batches[i] ?? 0) !== 0 && batches[i] === batchNumbers.get(batchId),
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
    /** Positions whose status is `status`, ascending; of `among` where it is given, in its order. */
    select(status: ImageStatus, among: Int32Array | null = null): Int32Array {
      const wanted = STATUS_NUMBER.get(status) ?? 0;
      return filtered((i) => statuses[i] === wanted, among, counts[wanted] ?? 0);
    },
    /** The current result was looked at; `unlike`: the model had not been trained on images like this one. */
    setSeen(i: number, unlike: boolean): void {
      setFlag(i, SEEN, true);
      setFlag(i, UNLIKE, unlike);
    },
    isUnlike: (i: number): boolean => hasFlag(i, UNLIKE),
    selectUnlike: (among: Int32Array | null = null): Int32Array =>
      filtered((i) => hasFlag(i, UNLIKE), among, flagged[UNLIKE]),
    pick: (i: number, on: boolean): void => setFlag(i, PICKED, on),
    isPicked: (i: number): boolean => hasFlag(i, PICKED),
    selectPicked: (among: Int32Array | null = null): Int32Array =>
      filtered((i) => hasFlag(i, PICKED), among, flagged[PICKED]),
    /** Positions here of the images of a table of 16 bytes a row, in its order; those that are not here are left out. */
    positionsIn(rows: Uint8Array, of: number): Int32Array {
      const out = new Int32Array(of);
      const find = table.finderOf(rows);
      let n = 0;
      for (let row = 0; row < of; row++) {
        const i = find(row);
        if (i >= 0) out[n++] = i;
      }
      return out.subarray(0, n);
    },
    get seenCount() {
      return flagged[SEEN];
    },
    get unlikeCount() {
      return flagged[UNLIKE];
    },
    get pickedCount() {
      return flagged[PICKED];
    },
    /** How many images have each status. */
    counts: (): Record<ImageStatus, number> =>
      Object.fromEntries(IMAGE_STATUSES.map((status, number) => [status, counts[number] ?? 0])) as Record<
        ImageStatus,
        number
      >,
    get count() {
      return count;
    },
    get mark() {
      return mark;
    },
  };
}
