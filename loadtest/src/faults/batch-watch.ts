import type { Sql } from 'postgres';
import { followBatch } from '../load/traffic.ts';
import { identitiesOfBatch } from '../measure/batch-identities.ts';
import type { Identity } from '../measure/identities.ts';
import type { Counted } from '../measure/littles-law.ts';

/** Counts what is in flight of each batch of a cell, whatever is done to it, to be held against its rows afterwards. */
export function createBatchWatch(sql: Sql, signal: AbortSignal) {
  const over = new AbortController();
  const counted = new Map<string, Counted[]>();
  const given = { signal: AbortSignal.any([signal, over.signal]), patient: true };
  return {
    add(batchId: string): void {
      const looks: Counted[] = [];
      counted.set(batchId, looks);
      // A batch that is lost has no end, and ends with the watch.
      followBatch(sql, batchId, { ...given, onLook: (_, look) => looks.push(look) }).catch(() => {});
    },
    end: (): void => over.abort(),
    async identities(): Promise<Identity[]> {
      const all = [...counted].map(([id, looks]) => identitiesOfBatch(sql, id, { counted: looks, broken: true }));
      return (await Promise.all(all)).flat();
    },
  };
}
