import { startLoop } from '../batches/loop.ts';
import { isTransient } from '../batches/locks.ts';
import type { Sql } from '../database/client.ts';
import type { Storage } from '../storage.ts';
import type { Owner } from '../tenants/owner.ts';
import { createExportClaims, type Claim } from './claims.ts';
import { ClaimLost, makeExport } from './make.ts';
import { expireExports, sweepExports } from './sweep.ts';

/** What other processes left is looked for this often; the process that was asked begins at once. */
const POLL_MS = 2000;
const RENEW_MS = 1000;
const SWEEP_MS = 3_600_000;

/** Writes what was asked for (`reader.ts`). Each API process writes one export at a time, the oldest that nobody has claimed, whoever was asked for it. */
export function createExportStore(deps: {
  /** Of a role that sees the exports of all tenants. */
  sql: Sql;
  /** What an export is written from. */
  ownerOf: (tenantId: string) => Owner;
  storage: Storage;
  /** An export whose process died is taken up by another one this long, and a poll, after its last sign of life. */
  leaseMs: number;
  /** An export is removed this long after it was written. */
  keepMs: number;
  renewMs?: number;
  pollMs?: number;
  /** @param exportId which export failed; undefined: none did, they could not be looked for */
  log: (error: unknown, exportId?: string) => void;
}) {
  const { sql, storage, leaseMs } = deps;
  const renewMs = Math.min(deps.renewMs ?? RENEW_MS, leaseMs / 3);
  const claims = createExportClaims(sql, leaseMs);
  const closing = new AbortController();
  let sweptAt = -Infinity;
  /** A database that is away is told by those who watch it. */
  const lookedInVain = (error: unknown) => void (isTransient(error) || deps.log(error));

  async function make(claimed: Claim): Promise<void> {
    try {
      await makeExport({ ownerOf: deps.ownerOf, storage, claims, renewMs, leaseMs }, claimed, closing.signal);
    } catch (error) {
      if (error instanceof ClaimLost) return;
      // Another process, or this one in a moment, can do what a stop or a restart of PostgreSQL prevented.
      if (closing.signal.aborted || isTransient(error)) return await claims.release(claimed).catch(() => {});
      deps.log(error, claimed.id);
      await claims.fail(claimed, error instanceof Error ? error.message : String(error));
    }
  }
  async function sweep(): Promise<void> {
    await expireExports(sql, storage, deps.keepMs);
    await sweepExports(sql, storage);
  }
  /** @returns whether there may be more to do */
  async function step(): Promise<boolean> {
    if (performance.now() - sweptAt > SWEEP_MS) {
      sweptAt = performance.now();
      await sweep().catch(lookedInVain);
    }
    const claimed = await claims.next();
    if (!claimed) return false;
    await make(claimed);
    return true;
  }
  let loop: ReturnType<typeof startLoop> | undefined;

  return {
    /** One was asked for. */
    wake: () => loop?.wake(),
    /** Begins to write what is open, also what was left by processes that stopped or died. */
    start(): void {
      loop = startLoop({ everyMs: deps.pollMs ?? POLL_MS, step, onError: lookedInVain });
    },
    /** Gives back what it is writing. */
    async close(): Promise<void> {
      closing.abort(new Error('the service stops'));
      await loop?.stop();
    },
  };
}
export type ExportStore = ReturnType<typeof createExportStore>;
