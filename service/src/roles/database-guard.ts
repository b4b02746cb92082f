import { createDatabase } from '../database/client.ts';
import { textOf } from './role.ts';

const PING_MS = 1_000;
const PING_TIMEOUT_MS = 5_000;

export interface DatabaseGuard {
  /** Resolves with the cause once PostgreSQL has not answered for `lostMs`. */
  lost: Promise<Error>;
  close(): Promise<void>;
}

/**
 * Watches PostgreSQL over a connection of its own. Short interruptions (a restart) pass; a lost database is no state to go on in,
 * and whoever supervises the process should hear of it.
 */
export function guardDatabase(databaseUrl: string, lostMs: number, pingMs: number = PING_MS): DatabaseGuard {
  const sql = createDatabase(databaseUrl, { max: 1, name: 'segbench-guard' });
  const timeoutMs = Math.min(PING_TIMEOUT_MS, lostMs);
  const { promise: lost, resolve } = Promise.withResolvers<Error>();
  let answeredAt = performance.now();
  let unanswered = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function ping(): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      await Promise.race([sql`SELECT 1`, timeout]);
      answeredAt = performance.now();
      unanswered = 0;
    } catch (error) {
      const silentMs = performance.now() - answeredAt;
      // a single late ping may be this process being busy
      if (++unanswered > 1 && silentMs >= lostMs)
        resolve(new Error(`PostgreSQL has not answered for ${(silentMs / 1000).toFixed(1)} s: ${textOf(error)}`));
    } finally {
      clearTimeout(late);
    }
    if (!closed) timer = setTimeout(() => void ping(), pingMs);
  }
  void ping();
  return {
    lost,
    async close() {
      closed = true;
      clearTimeout(timer);
      await sql.end({ timeout: 1 }).catch(() => {});
    },
  };
}
