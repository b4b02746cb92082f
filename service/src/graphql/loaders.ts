import DataLoader from 'dataloader';
import type { Batch } from '../contract/batches.ts';
import type { Image } from '../contract/images.ts';
import type { ProjectFacts } from '../database/projects.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { apiError } from '../errors.ts';
import { entriesByIds, type Entry, type StoredResult } from '../results/query.ts';
import { LIMITS } from './limits.ts';

/** A result that is there, and whose it is. */
export type Subject = Extract<Entry, { missing: false }> & { stored: StoredResult };
export const isSubject = (entry: Entry): entry is Subject => !entry.missing && entry.stored !== null;

/** Ids are not told apart by case. */
const cacheKeyFn = (id: string) => id.toLowerCase();

/** Counts what results bring along, over a whole request. @throws ApiError TOO_COMPLEX */
export function createPolygonBudget(): (entry: Entry) => void {
  let bytes = 0;
  return (entry) => {
    if (entry.missing || !entry.stored) return;
    bytes += entry.stored.polygons.length;
    if (bytes > LIMITS.polygonBytes)
      throw apiError(
        'TOO_COMPLEX',
        `polygons have over ${LIMITS.polygonBytes} bytes: at most that many are allowed; ask for fewer images, or POST /api/segmentation/batch/results`,
      );
  };
}

/** One query for all fields of a request that want the same kind of thing at the same time. They live as long as the request. */
export function createLoaders(tenant: Tenant, withPolygons: boolean) {
  const budget = createPolygonBudget();
  function byId<T>(load: (ids: readonly string[]) => Promise<T[]>, idOf: (row: T) => string) {
    return new DataLoader<string, T | null>(
      async (ids) => {
        const found = new Map((await load(ids)).map((row) => [idOf(row), row]));
        return ids.map((id) => found.get(id.toLowerCase()) ?? null);
      },
      { cacheKeyFn, maxBatchSize: 1000 },
    );
  }
  return {
    budget,
    project: byId<ProjectFacts>(
      (ids) => tenant.projects.many(ids),
      ({ id }) => id,
    ),
    image: byId<Image>(
      (ids) => tenant.images.many(ids),
      ({ id }) => id,
    ),
    batch: byId<Batch>(
      (ids) => tenant.batches.many(ids),
      ({ id }) => id,
    ),
    /** An entry for each image: missing, without a result, or with it. */
    result: byId<Entry>(
      async (ids) => {
        const wanted = ids.map((id) => id.toLowerCase());
        const entries: Entry[] = [];
        for await (const entry of entriesByIds(tenant, wanted, undefined, withPolygons)) {
          budget(entry);
          entries.push(entry);
        }
        return entries;
      },
      ({ imageId }) => imageId,
    ),
  };
}
export type Loaders = ReturnType<typeof createLoaders>;
