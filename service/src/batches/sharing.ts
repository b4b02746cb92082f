import type { InferenceFailure } from '../inference/failure.ts';

/** How the inference of some bytes ended: stored for all, failed for all, or nothing that others could use. */
export type SharedEnd = { kind: 'stored' } | { kind: 'failed'; failure: InferenceFailure } | { kind: 'nothing' };

/** Stored results are remembered this long, to bridge a claim that is older than the commit it did not see. */
const REMEMBERED = 4_096;

/**
 * Lets equal work run once in a process: who comes second waits for the first, until its result is committed.
 * @returns `begin`: null when the caller is the first and must call `end`; else how the first one's work ended
 */
export function createSharing() {
  const running = new Map<string, { promise: Promise<SharedEnd>; resolve(end: SharedEnd): void }>();
  const stored = new Set<string>();

  return {
    begin(key: string): Promise<SharedEnd> | null {
      if (stored.has(key)) return Promise.resolve({ kind: 'stored' });
      const first = running.get(key);
      if (first) return first.promise;
      const { promise, resolve } = Promise.withResolvers<SharedEnd>();
      running.set(key, { promise, resolve });
      return null;
    },
    end(key: string, end: SharedEnd): void {
      if (end.kind === 'stored') {
        stored.add(key);
        if (stored.size > REMEMBERED) stored.delete(stored.values().next().value!);
      }
      running.get(key)?.resolve(end);
      running.delete(key);
    },
  };
}
export type Sharing = ReturnType<typeof createSharing>;
