import type { BudgetName } from '../contract.ts';
import type { ClientView } from './client-ledger.ts';

/** Everything that can be seen from outside after a fault, as each place says it. */
export interface Observed {
  /** Answered with 2xx. */
  acknowledged: readonly { id: string; name: string }[];
  /** The project's images by the list route. */
  images: readonly { id: string; status: string; errorCode: string | null }[];
  /** Rows of the database. `results`: stored results of the item's bytes, model and parameters. */
  items: readonly {
    batchId: string;
    imageId: string;
    status: string;
    errorCode: string | null;
    results: number;
    crashes: number;
  }[];
  batches: readonly { id: string; status: string; total: number; counts: Readonly<Record<string, number>> }[];
  /** Counted images of the project by status, as the service keeps them. */
  projectCounts: Readonly<Record<string, number>>;
  client: Pick<ClientView, 'gaps' | 'epochs' | 'snapshots' | 'last' | 'terminal'>;
  /** What a page was sent and made; absent where none was open. `toasts`: nodes ever created by batch. */
  page?: { toasts: Readonly<Record<string, number>>; sequenceGaps: number; terminal: ReadonlyMap<string, number> };
  /** Images that must end failed with this code, by what the fault did to them. */
  doomed: readonly { imageId: string; code: string }[];
  /** What the reconciler found in neither outbox nor queue. */
  orphaned: number;
}

export interface Violation {
  budget: BudgetName;
  imageId?: string;
  batchId?: string;
  detail: string;
  /** How much it counts in its budget. */
  count: number;
}

const ENDED = new Set(['completed', 'failed']);
/** More processes than this must no image take with it: the second death quarantines it. */
const MOST_CRASHES = 2;
type Check = (seen: Observed) => Violation[];

/** 1: every image answered with 2xx ends completed, or failed with a code. */
const ends: Check = ({ acknowledged, images, items, doomed }) => {
  const rows = new Map(images.map((row) => [row.id, row]));
  const lost = (imageId: string, detail: string): Violation => ({
    budget: 'fault_images_lost',
    imageId,
    detail,
    count: 1,
  });
  return [
    ...acknowledged.flatMap(({ id, name }) => {
      const row = rows.get(id);
      if (row === undefined) return [lost(id, `${name} was answered with 201 and is not there`)];
      if (!ENDED.has(row.status)) return [lost(id, `${name} is still ${row.status}`)];
      return row.status === 'failed' && !row.errorCode ? [lost(id, `${name} failed without a code`)] : [];
    }),
    ...items
      .filter(({ status }) => !ENDED.has(status))
      .map(({ imageId, batchId, status }) => ({ ...lost(imageId, `is still ${status} in its batch`), batchId })),
    ...doomed.flatMap(({ imageId, code }) => {
      const row = rows.get(imageId);
      return row?.errorCode === code ? [] : [lost(imageId, `should have failed with ${code}, is ${row?.status}`)];
    }),
  ];
};

/** 2: exactly one result per (image, model, parameters), one row an upload, one terminal event a batch and image. */
const once: Check = ({ acknowledged, images, items, client, page }) => {
  const known = new Set(acknowledged.map(({ id }) => id));
  const twice = (detail: string, of: Partial<Violation>): Violation => ({
    budget: 'fault_duplicates',
    detail,
    count: 1,
    ...of,
  });
  const repeated = (where: string, terminal: ReadonlyMap<string, number>) =>
    [...terminal]
      .filter(([, count]) => count > 1)
      .map(([key, count]) => {
        const [batchId = '', imageId = ''] = key.split('/');
        return twice(`${count} terminal events at ${where}`, { batchId, imageId, count: count - 1 });
      });
  return [
    ...images
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => twice('a row that no answer named: one upload, two rows', { imageId: id })),
    ...items
      .filter(({ status, results }) => status === 'completed' && results !== 1)
      .map(({ imageId, batchId, results }) => twice(`${results} results`, { imageId, batchId })),
    ...repeated('the client', client.terminal),
    ...(page ? repeated('the page', page.terminal) : []),
  ];
};

/** 3: counters equal row counts. */
const counters: Check = ({ batches, items, images, projectCounts }) => {
  const wrong = (detail: string, batchId?: string): Violation => ({
    budget: 'fault_counter_mismatches',
    detail,
    count: 1,
    ...(batchId ? { batchId } : {}),
  });
  const tally = (statuses: readonly string[]) =>
    Object.fromEntries([...Map.groupBy(statuses, (status) => status)].map(([status, all]) => [status, all.length]));
  const differences = (kept: Readonly<Record<string, number>>, counted: Readonly<Record<string, number>>) =>
    [...new Set([...Object.keys(kept), ...Object.keys(counted)])].flatMap((status) => {
      const [says, is] = [kept[status] ?? 0, counted[status] ?? 0];
      return says === is ? [] : [`${says} ${status}, rows: ${is}`];
    });
  return [
    ...batches.flatMap(({ id, total, counts, status }) => {
      const own = items.filter(({ batchId }) => batchId === id);
      const open = own.some((item) => !ENDED.has(item.status) && item.status !== 'cancelled');
      return [
        ...differences(counts, tally(own.map((item) => item.status))).map((text) =>
          wrong(`the batch counts ${text}`, id),
        ),
        ...(own.length === total ? [] : [wrong(`the batch has ${total} images, rows: ${own.length}`, id)]),
        ...(open || status === 'completed' ? [] : [wrong(`nothing is left to do and the batch is ${status}`, id)]),
      ];
    }),
    ...differences(projectCounts, tally(images.map(({ status }) => status))).map((text) =>
      wrong(`the project counts ${text}`),
    ),
  ];
};

/** 4: the client's sequence is gapless, and its final state equals the database. */
const sequence: Check = ({ client, page, images, items }) => {
  const gap = (detail: string, of: Partial<Violation> = {}): Violation => ({
    budget: 'fault_sequence_gaps',
    detail,
    count: 1,
    ...of,
  });
  const ended = items.filter(({ status }) => ENDED.has(status));
  return [
    ...client.gaps.map((detail) => gap(detail)),
    ...(client.snapshots > 0 ? [gap(`${client.snapshots} snapshots instead of what was missed`)] : []),
    ...(client.epochs.length > 1 ? [gap(`the numbering started anew: epochs ${client.epochs.join(', ')}`)] : []),
    ...images.flatMap(({ id, status }) => {
      const shown = client.last.get(id)?.status;
      return shown === status ? [] : [gap(`is ${status}, and the client has ${shown}`, { imageId: id })];
    }),
    ...ended
      .filter(({ batchId, imageId }) => !client.terminal.has(`${batchId}/${imageId}`))
      .map(({ batchId, imageId }) => gap('ended, and the client was never told', { batchId, imageId })),
    ...(page && page.sequenceGaps > 0 ? [gap(`${page.sequenceGaps} gaps in what the page was sent`)] : []),
  ];
};

/** 5: at most one toast a batch. */
const toast: Check = ({ page }) =>
  Object.entries(page?.toasts ?? {})
    .filter(([, count]) => count > 1)
    .map(([batchId, count]) => ({
      budget: 'fault_toasts_per_batch',
      batchId,
      detail: `${count} toasts of one batch`,
      count,
    }));

/** Beyond the five: an image that kills its process is left alone after the second, and the outbox leaks nothing. */
const quarantine: Check = ({ items }) =>
  items
    .filter(({ crashes }) => crashes > MOST_CRASHES)
    .map(({ imageId, batchId, crashes }) => ({
      budget: 'fault_crashes_per_image',
      imageId,
      batchId,
      detail: `took ${crashes} processes with it`,
      count: crashes,
    }));
const outbox: Check = ({ orphaned }) =>
  orphaned === 0
    ? []
    : [{ budget: 'fault_orphaned_images', detail: `${orphaned} images in neither outbox nor queue`, count: orphaned }];

const CHECKS: readonly Check[] = [ends, once, counters, sequence, toast, quarantine, outbox];

/** What does not hold, each with the image or batch it is about. Pure. */
export const violationsOf = (seen: Observed): Violation[] => CHECKS.flatMap((check) => check(seen));
