import type { Transaction } from './client.ts';

/** The first eight bytes of a hash: two that share them only wait for each other. */
const lockOf = (sha256: string): string => Buffer.from(sha256, 'hex').readBigInt64BE(0).toString();

/** Until the end of the transaction nobody removes these bytes; waits for whoever is removing them now. */
export async function keepBytes(tx: Transaction, hashes: readonly string[]): Promise<void> {
  // In order: an upload that waits must not hold what another one waits for.
  const locks = [...new Set(hashes.map(lockOf))].sort((a, b) => a.localeCompare(b));
  await tx`select pg_advisory_xact_lock_shared(key) from unnest(${locks}::text[]::bigint[]) as key`;
}

/** True when nobody is storing these bytes, and nobody can until the end of the transaction. Never waits. */
export async function mayRemoveBytes(tx: Transaction, sha256: string): Promise<boolean> {
  const [row] = await tx<{ locked: boolean }[]>`
    select pg_try_advisory_xact_lock(${lockOf(sha256)}::text::bigint) as locked`;
  return row?.locked ?? false;
}
