import { LRUCache } from 'lru-cache';
import { decodeIndex, encodeIndex } from '#contract/index-format.ts';
import type { Metrics } from '../metrics.ts';
import type { Owner } from '../tenants/owner.ts';
import { readHead, readIndex, type Head, type PackedIndex, type Standing } from './image-index.ts';

export interface IndexQuestion {
  /** Only so many images from the beginning. */
  first?: number | undefined;
  /** So many events the index may lack that its reader takes from the feed. */
  behind: number;
  /** Of the indexes that the reader has. */
  tags: readonly Standing[];
}
/** `bytes` are null where the reader has them. */
export type IndexAnswer = PackedIndex | (Standing & { bytes: null });
interface Asked {
  owner: Owner;
  projectId: string;
}

/** Weak: another process's bytes may show a change already that is numbered later. */
export const tagOf = ({ epoch, seq, added, removed }: Standing): string => `W/"${epoch}.${seq}.${added}.${removed}"`;
/** The tags of an `If-None-Match` that may be ours. */
export const tagsIn = (header = ''): Standing[] =>
  [...header.matchAll(/"([0-9a-f-]{36})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})"/g)].map(
    ([, epoch = '', seq, added, removed]) => ({
      epoch,
      seq: Number(seq),
      added: Number(added),
      removed: Number(removed),
    }),
  );

/** `one` has everything that `other` has, but for so many events. */
const reaches = (one: Standing, other: Standing, behind: number): boolean =>
  one.epoch === other.epoch &&
  one.added >= other.added &&
  one.removed >= other.removed &&
  one.seq >= other.seq - behind;

/**
 * Whether an index still holds: the same images, and the events since then few and replayable. It is right by its own `seq`: a change
 * that its rows lack has a later number, or none yet.
 */
const holds = (index: Standing, head: Head, behind: number): boolean =>
  reaches(index, head, behind) &&
  reaches(head, index, 0) &&
  index.added === head.added &&
  index.removed === head.removed &&
  (index.seq === head.seq || (head.keptFrom !== null && head.keptFrom <= index.seq + 1));

function firstOf({ bytes, ...standing }: PackedIndex, first: number | undefined): PackedIndex {
  const index = decodeIndex(bytes);
  if (first === undefined || first >= index.count) return { ...standing, bytes };
  return { ...standing, bytes: encodeIndex({ ...index, count: first }) };
}

/**
 * Packed indexes in this process's memory, the least recently used leaving first. Each is checked against PostgreSQL before it is
 * given out, in one short query: other processes write too, and nobody has to tell this one.
 */
export function createIndexCache({ maxBytes, metrics }: { maxBytes: number; metrics: Metrics }) {
  const kept = new LRUCache<string, PackedIndex, Asked>({
    // 0 would be no bound
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: ({ bytes }) => bytes.length,
    fetchMethod: async (_key, _old, { context }) => (await readIndex(context.owner, context.projectId)) ?? undefined,
    // who waits for one that had to make room is answered all the same
    ignoreFetchAbort: true,
  });
  metrics.gauge(
    'segbench_index_cache_bytes',
    'Packed indexes of projects in memory, of INDEX_CACHE_BYTES at most.',
    () => kept.calculatedSize,
  );

  /** Those who ask at the same time share one read. */
  const load = async (asked: Asked): Promise<PackedIndex | null> =>
    (await kept.fetch(`${asked.owner.tenantId}:${asked.projectId.toLowerCase()}`, {
      context: asked,
      forceRefresh: true,
    })) ?? null;

  return {
    /** @returns null when there is no such project */
    async read(owner: Owner, projectId: string, { first, behind, tags }: IndexQuestion): Promise<IndexAnswer | null> {
      const head = await readHead(owner.sql, owner.tenantId, projectId);
      if (!head) return readIndex(owner, projectId, first === undefined ? {} : { first });
      const has = tags.find((tag) => holds(tag, head, behind));
      const known = kept.get(`${owner.tenantId}:${projectId.toLowerCase()}`);
      if (has || (known && holds(known, head, behind))) {
        metrics.cacheHit('index');
        if (has) return { ...has, bytes: null };
        // in the background, for who comes next
        if (known!.seq < head.seq) load({ owner, projectId }).catch(() => {});
        return firstOf(known!, first);
      }
      metrics.cacheMiss('index');
      if (first !== undefined) return readIndex(owner, projectId, { first });
      const shared = await load({ owner, projectId });
      // One that was under way already may have begun before `head`; the next one has not.
      return shared && !reaches(shared, head, behind) ? load({ owner, projectId }) : shared;
    },
  };
}
export type IndexCache = ReturnType<typeof createIndexCache>;
