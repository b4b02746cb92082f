import { Counter } from 'prom-client';
import { startLoop, type Loop } from '../batches/loop.ts';
import type { Sql } from '../database/client.ts';
import type { Metrics } from '../metrics.ts';
import { PROVIDERS, type PurgeConfig, type PurgeTarget } from './purge-requests.ts';
import { sendPurge } from './send-purge.ts';

const POLL_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 600_000;
/** No copy outlives its address, whose life is ten and a half days at most; a purge that failed for longer has nothing left to do. */
const GIVE_UP_AFTER = '11 days';

type Due = PurgeTarget & { attempts: number };
export interface PurgeDeps {
  sql: Sql;
  config: PurgeConfig;
  metrics: Metrics;
  onError: (error: unknown) => void;
  send?: typeof sendPurge;
  now?: () => number;
}

export const retryMs = (attempts: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20));

/** Whether deletions are noted for a CDN; decided by the relay that leads, which alone removes the notes. */
export async function notePurges(sql: Sql, on: boolean): Promise<void> {
  if (on) await sql`insert into cdn_purging default values on conflict do nothing`;
  else await sql`with off as (delete from cdn_purging) delete from cdn_purges`;
}

/**
 * Tells the CDN of deleted images and replaced results, in the background: who deletes waits for nothing and fails by nothing here.
 * What is due stands in PostgreSQL until the CDN has taken it. Purges may be sent twice; twice is once.
 */
export function createPurges({ sql, config, metrics, onError, send = sendPurge, now = Date.now }: PurgeDeps) {
  const provider = config.cdnPurge === 'off' ? null : PROVIDERS[config.cdnPurge];
  const counter = new Counter({
    name: 'segbench_cdn_purges_total',
    help: 'Purges of a CDN: sent, failed (and tried again later), given-up.',
    labelNames: ['outcome'] as const,
    registers: metrics.registers,
  });

  /** @returns whether more may be due */
  async function step(): Promise<boolean> {
    if (!provider) return false;
    const due = await sql<Due[]>`
      select id::int as id, image_id as "imageId", what, attempts from cdn_purges
      where due_at <= clock_timestamp() order by due_at, id limit ${provider.most}`;
    if (due.length === 0) return false;
    const given = await sql`delete from cdn_purges where created_at < clock_timestamp() - ${GIVE_UP_AFTER}::interval`;
    if (given.count > 0) counter.inc({ outcome: 'given-up' }, given.count);
    const ids = due.map(({ id }) => id);
    try {
      await send(provider.build(config, due, new Date(now())), config.cdnPurgeHosts);
    } catch (error) {
      counter.inc({ outcome: 'failed' }, due.length);
      const attempts = Math.max(...due.map((each) => each.attempts));
      await sql`
        update cdn_purges set attempts = attempts + 1,
          due_at = clock_timestamp() + ${retryMs(attempts)}::float8 * interval '1 ms' where id = any(${ids}::bigint[])`;
      onError(error);
      return false;
    }
    await sql`delete from cdn_purges where id = any(${ids}::bigint[])`;
    counter.inc({ outcome: 'sent' }, due.length);
    return due.length === provider.most;
  }

  return {
    step,
    start(): Loop {
      let noted = false;
      return startLoop({
        everyMs: POLL_MS,
        async step() {
          if (!noted) await notePurges(sql, provider !== null);
          noted = true;
          return step();
        },
        onError,
      });
    },
  };
}
