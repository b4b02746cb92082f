import type { ItemKey } from '../batches/outcome.ts';

const keyOf = ({ batchId, imageId, generation }: ItemKey) => `${batchId}/${imageId}/${generation}`;

/** When the relay put which job into the queue: of the latest `max`, in its memory alone. */
export function createMoves(max: number, now: () => number = Date.now) {
  const moved = new Map<string, number>();
  return {
    add(jobs: readonly ItemKey[]): void {
      const at = now();
      for (const job of jobs) moved.set(keyOf(job), at);
      for (const key of moved.keys()) {
        if (moved.size <= max) break;
        moved.delete(key);
      }
    },
    /** Epoch milliseconds, and forgets it; null where it is not known. */
    take(job: ItemKey): number | null {
      const key = keyOf(job);
      const at = moved.get(key) ?? null;
      moved.delete(key);
      return at;
    },
  };
}
export type Moves = ReturnType<typeof createMoves>;
