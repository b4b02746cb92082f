import type { Redis } from 'ioredis';
import type { WorkerReport } from '../contract/queue.ts';
import type { PoolStats } from '../inference/pool/backend.ts';

export const REPORT_EVERY_MS = 2_000;
/** A report older than this is of a worker that is gone. */
export const REPORT_TTL_MS = 3 * REPORT_EVERY_MS;

/** Makes reports from a pool's counters; ratios are those of the time since the last call. */
export function createReporter(options: {
  worker: string;
  model: () => string;
  provider: string;
  /** Images that one execution may have. */
  slots: number;
  now?: () => number;
}) {
  const { now = Date.now, slots } = options;
  const before = new Map<string, { busyMs: number; at: number }>();
  let counted = { executions: 0, inferences: 0 };
  function fillOf({ executions, inferences }: PoolStats['batches']): number | null {
    const room = (executions - counted.executions) * slots;
    const fill = room > 0 ? (inferences - counted.inferences) / room : null;
    counted = { executions, inferences };
    return fill === null ? null : Number(Math.min(1, fill).toFixed(3));
  }
  return (stats: PoolStats): WorkerReport[] => {
    const batchFill = fillOf(stats.batches);
    return stats.workers.map((child) => {
      const at = now();
      const last = before.get(child.id);
      before.set(child.id, { busyMs: child.busyMs, at });
      const span = last === undefined ? 0 : at - last.at;
      const busyRatio = span > 0 ? (child.busyMs - last!.busyMs) / span : child.busyRatio;
      return {
        id: `${options.worker}/${child.id}`,
        pid: child.pid,
        state: child.state,
        model: options.model(),
        provider: options.provider,
        imagesDone: child.imagesDone,
        lastError: child.lastError,
        busyRatio: Math.min(1, Math.max(0, Number(busyRatio.toFixed(3)))),
        rssBytes: child.rssBytes,
        slots,
        batchFill,
        seenAt: new Date(at).toISOString(),
      };
    });
  };
}

const OLDER = { slots: 1, batchFill: null };
const keyOf = (prefix: string) => `${prefix}:workers`;

/** One field a worker process in one hash: reading all is one command, whatever else the cache holds. */
export async function putReports(redis: Redis, prefix: string, worker: string, reports: WorkerReport[]): Promise<void> {
  await redis.multi().hset(keyOf(prefix), worker, JSON.stringify(reports)).pexpire(keyOf(prefix), REPORT_TTL_MS).exec();
}

export async function dropReports(redis: Redis, prefix: string, worker: string): Promise<void> {
  await redis.hdel(keyOf(prefix), worker);
}

/** Reports of workers that live; empty while the cache's Redis does not answer. Fields of the dead are removed. */
export async function readReports(redis: Redis, prefix: string, nowMs: number = Date.now()): Promise<WorkerReport[]> {
  try {
    const fields = await redis.hgetall(keyOf(prefix));
    const alive: WorkerReport[] = [];
    for (const [worker, text] of Object.entries(fields)) {
      // a worker of the version before says nothing of its places
      const reports = (JSON.parse(text) as WorkerReport[]).map((report) => ({ ...OLDER, ...report }));
      const fresh = reports.filter((report) => nowMs - Date.parse(report.seenAt) <= REPORT_TTL_MS);
      if (fresh.length === 0) await dropReports(redis, prefix, worker);
      alive.push(...fresh);
    }
    return alive.sort((a, b) => (a.id < b.id ? -1 : 1));
  } catch {
    return [];
  }
}
