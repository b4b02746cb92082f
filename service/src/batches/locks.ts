import type { Transaction } from '../database/client.ts';

/**
 * Locks batches, then images, each in the order of their ids. Every transaction that changes items takes these locks first:
 * no two can deadlock, an item cannot change while its batch is locked, and counters move with the rows they count.
 * An image stands in several batches at once, therefore it needs a lock of its own. A statement that is sent behind it, before
 * it resolves, runs when the locks are held (the connection of a transaction runs them in order), and saves a round trip.
 */
export async function lockRows(tx: Transaction, batchIds: readonly string[], imageIds: readonly string[] = []) {
  const batches = tx`
    WITH batches_locked AS MATERIALIZED (
      SELECT id FROM batches WHERE id = ANY(${[...new Set(batchIds)]}::uuid[]) ORDER BY id FOR NO KEY UPDATE
    )
    SELECT count(*) FROM batches_locked`.execute();
  if (imageIds.length === 0) return void (await batches);
  const images = tx`
    WITH images_locked AS MATERIALIZED (
      SELECT id FROM images WHERE id = ANY(${[...new Set(imageIds)]}::uuid[]) ORDER BY id FOR NO KEY UPDATE
    )
    SELECT count(*) FROM images_locked`.execute();
  await Promise.all([batches, images]);
}

const TRANSIENT = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '57P01', // the server is shutting down
  '57P02',
  '57P03', // the server is starting
  '25P03', // the transaction waited too long for its next statement
  '53300', // too many connections
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
]);

/**
 * postgres.js 3.4.9 writes to a socket that is gone when a transaction goes on whose connection was cut (`nextWrite` in
 * `src/connection.js`), from a timer where nobody can catch it. Who waits for the transaction has been told by then.
 */
const isWriteToNobody = (error: unknown): boolean =>
  error instanceof TypeError && /postgres\/src\/connection\.js/.test(error.stack ?? '');

/** Errors of PostgreSQL or of the way to it that pass by themselves. */
export function isTransient(error: unknown): boolean {
  if (isWriteToNobody(error)) return true;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && (TRANSIENT.has(code) || code.startsWith('08'));
}

const RETRY_DELAYS_MS = [20, 100, 500, 1_000, 2_000, 3_000];

/**
 * Runs a transaction again when it failed for a passing reason, for about seven seconds in all. `work` must be fenced: a
 * connection lost during COMMIT leaves unknown whether it took effect.
 */
export async function withRetry<T>(
  work: () => Promise<T>,
  sleep: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): Promise<T> {
  for (const delayMs of RETRY_DELAYS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      await sleep(delayMs);
    }
  }
  return work();
}
