import postgres from 'postgres';
import { reconnectSeconds } from '../database/client.ts';

/** One lock a database: whoever holds it is the relay, the reconciler and the sequencer. */
const LEADER_LOCK = 5_317_008_042;
const CHECK_MS = 1_000;
const CHECK_TIMEOUT_MS = 5_000;

export interface Leadership {
  stop(): Promise<void>;
}
export interface Leader {
  isLeader(): boolean;
  /** Gives the lock back and stops what `lead` started. */
  close(): Promise<void>;
}

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });

/**
 * Elects one process per database by a session advisory lock on a connection of its own. The lock lives exactly as long as
 * the connection: when that is lost, what `lead` started is stopped and the election starts anew.
 */
export function createLeader(options: {
  databaseUrl: string;
  lead(): Promise<Leadership>;
  log(message: string): void;
  checkMs?: number;
}): Leader {
  const { checkMs = CHECK_MS } = options;
  const ending = new AbortController();
  let leading = false;

  async function term(): Promise<void> {
    const lost = new AbortController();
    const sql = postgres(options.databaseUrl, {
      max: 1,
      max_lifetime: null,
      fetch_types: false,
      connect_timeout: 5,
      backoff: reconnectSeconds,
      onnotice: () => {},
      onclose: () => lost.abort(),
      connection: { application_name: 'segbench-leader' },
    });
    const over = AbortSignal.any([ending.signal, lost.signal]);
    let leadership: Leadership | undefined;
    try {
      while (!over.aborted) {
        const [row] = await sql<{ locked: boolean }[]>`SELECT pg_try_advisory_lock(${LEADER_LOCK}::bigint) AS locked`;
        if (row?.locked) break;
        await sleep(checkMs, over);
      }
      if (over.aborted) return;
      leadership = await options.lead();
      leading = true;
      while (!over.aborted) {
        await sleep(checkMs, over);
        // postgres.js would connect again without a word, and without the lock: `onclose` ends the term before that counts
        if (!over.aborted) await answered(sql);
      }
      if (lost.signal.aborted) options.log('leadership lost: its connection to PostgreSQL was closed');
    } finally {
      leading = false;
      await leadership?.stop();
      await sql.end({ timeout: 1 }).catch(() => {});
    }
  }
  async function answered(sql: postgres.Sql): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`PostgreSQL did not answer the leader for ${CHECK_TIMEOUT_MS} ms`)),
        CHECK_TIMEOUT_MS,
      );
    });
    await Promise.race([sql`SELECT 1`, late]).finally(() => clearTimeout(timer));
  }
  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await term();
      } catch (error) {
        options.log(`leadership: ${error instanceof Error ? error.message : String(error)}`);
      }
      await sleep(Math.min(checkMs, 250), ending.signal);
    }
  }
  const running = run();
  return {
    isLeader: () => leading,
    async close() {
      ending.abort();
      await running;
    },
  };
}
