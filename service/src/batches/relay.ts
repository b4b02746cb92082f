import type { Sql } from '../database/client.ts';
import { lockRows } from './locks.ts';
import type { ItemKey } from './outcome.ts';
import type { JobQueue, QueuedJob } from './queue.ts';
import { allocate, interleave } from './round-robin.ts';

interface WaitingBatch {
  id: string;
  tenantId: string;
  projectId: string;
  priority: number;
  waiting: number;
}
interface OutboxJob extends QueuedJob {
  id: number;
}

/** Open batches with jobs in the outbox, most urgent first; a paused batch's jobs stay where they are. Counts stop at `free`. */
const readWaiting = (sql: Sql, free: number) => sql<WaitingBatch[]>`
  SELECT b.id, p.tenant_id AS "tenantId", b.project_id AS "projectId", b.priority, o.waiting
  FROM batches b JOIN projects p ON p.id = b.project_id, LATERAL (
    SELECT count(*)::int AS waiting FROM (SELECT 1 FROM job_outbox WHERE batch_id = b.id LIMIT ${free}) one
  ) o
  WHERE b.status IN ('queued', 'running') AND o.waiting > 0
  ORDER BY b.priority DESC, b.created_at, b.id`;

const readJobs = (sql: Sql, batchId: string, limit: number) => sql<OutboxJob[]>`
  SELECT id, batch_id AS "batchId", image_id AS "imageId", generation, priority
  FROM job_outbox WHERE batch_id = ${batchId} ORDER BY id LIMIT ${limit}`;

interface Level {
  of: (batch: WaitingBatch) => string;
  /** Of a group, most urgent batch first. */
  weight: (own: readonly WaitingBatch[]) => number;
}
/** Tenants share evenly, however many projects one has and however urgent it calls them; its projects share by their urgency. */
const LEVELS: readonly Level[] = [
  { of: ({ tenantId }) => tenantId, weight: () => 1 },
  { of: ({ projectId }) => projectId, weight: ([first]) => 1 + first!.priority },
];

/** Chooses jobs for `free` places: weighted round robin on each level, and below the last one batches go by urgency and age. */
async function chooseJobs(
  sql: Sql,
  batches: readonly WaitingBatch[],
  free: number,
  [level, ...below]: readonly Level[],
): Promise<OutboxJob[]> {
  if (level === undefined) {
    const jobs: OutboxJob[] = [];
    for (const { id } of batches) if (free > jobs.length) jobs.push(...(await readJobs(sql, id, free - jobs.length)));
    return jobs;
  }
  const groups = Map.groupBy(batches, level.of);
  const quotas = allocate(
    free,
    [...groups].map(([id, own]) => ({
      id,
      waiting: own.reduce((sum, batch) => sum + batch.waiting, 0),
      weight: level.weight(own),
    })),
  );
  const queues: OutboxJob[][] = [];
  for (const [id, own] of groups) queues.push(await chooseJobs(sql, own, quotas.get(id)!, below));
  return interleave(queues);
}

const SOONEST_MS = 50;
/** The longest pause of a small window and of a large one; 2 ms a place between them. */
const [LATEST_SMALL_MS, LATEST_MS] = [250, 1_000];

/**
 * When the window is to be filled again: as soon as a quarter of it will have ended, by the pace since the last time. A
 * transaction so moves many jobs, and workers never see the end of them. What is new in the outbox wakes the relay.
 * @param moved jobs just now @param sinceMs the time before
 */
export function refillMs(moved: number, sinceMs: number, window: number): number {
  const latest = Math.min(LATEST_MS, Math.max(LATEST_SMALL_MS, 2 * window));
  return moved === 0 ? latest : Math.min(latest, Math.max(SOONEST_MS, (sinceMs * window) / (4 * moved)));
}

/** Jobs that wait in Redis for a worker: as many as are worked off in a second, and at least so many. */
const [AHEAD_SECONDS, LEAST_AHEAD] = [1, 64];
/** Time constant of the pace, s. */
const PACE_SECONDS = 2;

/**
 * How many jobs may wait in Redis, by the pace at which they end. What waits there is in an order that nothing changes any more: who
 * comes later waits behind all of it, so it is little, and enough for the time between two fillings.
 */
export function createPace() {
  let perSecond = 0;
  let before: number | null = null;
  return {
    /** @param depth jobs in Redis now @param moved jobs just added to those @param sinceMs since the last time */
    observe({ depth, moved }: Relayed, sinceMs: number): void {
      const ended = before === null ? 0 : Math.max(0, before - depth);
      before = depth + moved;
      const seconds = sinceMs / 1000;
      if (seconds > 0) perSecond += (ended / seconds - perSecond) * (1 - Math.exp(-seconds / PACE_SECONDS));
    },
    ahead: (): number => Math.max(LEAST_AHEAD, Math.ceil(AHEAD_SECONDS * perSecond)),
  };
}

export interface Relayed {
  moved: number;
  /** Jobs in Redis before. */
  depth: number;
}

/**
 * Moves jobs from the outbox to Redis, at most `window` there at once. They are added first and deleted here afterwards: a crash
 * between the two adds them again, which BullMQ ignores by id and the claim by generation.
 * @param ahead of these, at most so many that no worker has taken yet
 * @param leaseMs after which a queued item is looked up in Redis, see the reconciler
 */
export async function relayOnce(
  sql: Sql,
  queue: Pick<JobQueue, 'depth' | 'add'>,
  options: {
    window: number;
    ahead?: number;
    leaseMs: number;
    inTurn?: boolean;
    onMoved?: ((jobs: readonly ItemKey[]) => void) | undefined;
  },
): Promise<Relayed> {
  const { window, ahead = window, inTurn = true } = options;
  const { waiting, active } = await queue.depth();
  const depth = waiting + active;
  const free = Math.min(window - depth, ahead - waiting);
  const jobs = free > 0 ? await chooseJobs(sql, await readWaiting(sql, free), free, inTurn ? LEVELS : []) : [];
  if (jobs.length === 0) return { moved: 0, depth };
  await queue.add(
    jobs.map(({ batchId, imageId, generation, priority }) => ({ batchId, imageId, generation, priority })),
  );
  options.onMoved?.(jobs);
  await sql.begin(async (tx) => {
    const locked = lockRows(
      tx,
      jobs.map((job) => job.batchId),
    );
    // a batch paused in the meantime keeps its rows: its jobs in Redis claim nothing, and are added again when it goes on
    const sent = tx`
      WITH sent AS (
        DELETE FROM job_outbox o USING batches b
        WHERE o.id = ANY(${jobs.map((job) => job.id)}::bigint[]) AND b.id = o.batch_id AND b.status IN ('queued', 'running')
        RETURNING o.batch_id, o.image_id, o.generation
      )
      UPDATE batch_items t SET lease_until = clock_timestamp() + ${options.leaseMs}::float8 * interval '1 ms'
      FROM sent WHERE t.batch_id = sent.batch_id AND t.image_id = sent.image_id AND t.generation = sent.generation
        AND t.status = 'queued'`;
    await Promise.all([locked, sent]);
  });
  return { moved: jobs.length, depth };
}
