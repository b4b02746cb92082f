import { randomUUID } from 'node:crypto';
import { isTerminal } from '../contract/common.ts';
import type { BatchState } from '../contract/events.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { readBatchStates } from './batch-states.ts';
import { numberFrames } from './numbering.ts';
import { toPendingEvent, type OutboxRow, type PendingEvent } from './window.ts';
import type { Follower } from '../traces/follow.ts';
import { placeOf, type TracedEnd } from '../traces/plan.ts';

/** Rows drained in one transaction. */
const DRAIN_MAX = 5_000;

interface DrainedRow {
  id: number;
  projectId: string;
  imageId: string | null;
  batchId: string | null;
  status: OutboxRow['status'] | null;
  polygonCount: number | null;
  code: OutboxRow['code'];
  createdMs: number;
  traceparent?: string;
}
export interface SentEvent {
  status: OutboxRow['status'];
  /** From being written to being numbered. */
  publishMs: number;
}
export interface SequencerOptions {
  /** Planted violation for the harness's own tests; see `plant.ts`. */
  tamper?: (events: PendingEvent[]) => PendingEvent[];
  /** The projects whose frames are about to be seen. */
  beforeCommit?: (projectIds: string[]) => Promise<void>;
  onSent?: (events: SentEvent[]) => void;
  /** Where images are traced: whose events carry their place in a trace. */
  follower?: Follower | null;
}

/**
 * Removes what is visible, lowest ids first. Never a high-water mark: a lower id may be committed after a higher one. As an array,
 * so that a long backlog is not read from end to end for each window.
 */
const drain = (tx: Transaction) => tx<DrainedRow[]>`
  WITH taken AS (
    DELETE FROM event_outbox WHERE id = ANY(ARRAY(SELECT id FROM event_outbox ORDER BY id LIMIT ${DRAIN_MAX}))
    RETURNING *
  )
  SELECT id, project_id AS "projectId", image_id AS "imageId", batch_id AS "batchId", status,
         polygon_count AS "polygonCount", code, extract(epoch FROM created_at)::float8 * 1000 AS "createdMs"
  FROM taken ORDER BY id`;

/** Batches of these rows whose state may be told: not while events of theirs are still waiting to be drained. */
async function statesToTell(tx: Transaction, rows: readonly DrainedRow[]): Promise<BatchState[]> {
  const ids = new Set(rows.flatMap((row) => row.batchId ?? []));
  if (rows.length === DRAIN_MAX) {
    const waiting = await tx<{ id: string }[]>`
      SELECT DISTINCT batch_id AS id FROM event_outbox WHERE batch_id = ANY(${[...ids]}::uuid[])`;
    for (const { id } of waiting) ids.delete(id);
  }
  return readBatchStates(tx, [...ids]);
}

/** Numbers one project's window and stores its frames for replay. */
async function publish(
  tx: Transaction,
  projectId: string,
  rows: readonly DrainedRow[],
  states: readonly BatchState[],
  options: SequencerOptions,
): Promise<void> {
  const [stream] = await tx<{ epoch: string; seq: number; frameNo: number }[]>`
    INSERT INTO event_streams (project_id, epoch) VALUES (${projectId}, ${randomUUID()})
    ON CONFLICT (project_id) DO UPDATE SET seq = event_streams.seq
    RETURNING epoch, seq, frame_no AS "frameNo"`;
  const pending = rows.flatMap((row) =>
    row.imageId === null || row.status === null
      ? []
      : [toPendingEvent({ ...row, imageId: row.imageId, status: row.status })],
  );
  const own = new Set(rows.map((row) => row.batchId));
  const numbered = numberFrames(
    stream!,
    options.tamper?.(pending) ?? pending,
    states.filter((state) => own.has(state.id)),
  );
  if (numbered.frames.length === 0) return;
  const stored = numbered.frames.map((frame, index) => ({
    project_id: projectId,
    frame_no: stream!.frameNo + index + 1,
    from_seq: frame.from,
    to_seq: frame.to,
    frame: JSON.stringify(frame),
  }));
  await Promise.all([
    tx`INSERT INTO event_log ${tx(stored)}`,
    tx`
      UPDATE event_streams SET seq = ${numbered.seq}, frame_no = ${stream!.frameNo + stored.length}
      WHERE project_id = ${projectId}`,
    tx`SELECT pg_notify('segbench_frames', ${projectId})`,
  ]);
}
/** Project by project, in the order of their ids: two sequencers at once must not deadlock. */
async function publishAll(
  tx: Transaction,
  projectIds: readonly string[],
  byProject: ReadonlyMap<string, DrainedRow[]>,
  states: readonly BatchState[],
  options: SequencerOptions,
): Promise<void> {
  for (const id of projectIds) await publish(tx, id, byProject.get(id)!, states, options);
}

/** Stage `publish` of every terminal event, for the timeline and the ledger. */
const insertPublishStages = (tx: Transaction, rows: readonly DrainedRow[]) => tx`
  INSERT INTO image_stages (image_id, batch_id, stage, started_at, duration_ms)
  SELECT s.image_id, s.batch_id, 'publish', to_timestamp(s.ms / 1000),
         greatest(0, extract(epoch FROM clock_timestamp())::float8 * 1000 - s.ms)
  FROM unnest(${rows.map((r) => r.imageId)}::uuid[], ${rows.map((r) => r.batchId)}::uuid[],
              ${rows.map((r) => r.createdMs)}::float8[]) AS s (image_id, batch_id, ms)
  JOIN images i ON i.id = s.image_id`;

/**
 * Drains one window of `event_outbox` into numbered, stored frames: one transaction at REPEATABLE READ, so that the batches'
 * counts come from the very snapshot whose events they sum up. Two sequencers at once (a leader that does not know yet) block on
 * the stream's row and one of them starts over; neither gap nor duplicate can come of it.
 * @returns true when there may be more to drain
 */
export async function sequenceOnce(sql: Sql, options: SequencerOptions = {}): Promise<boolean> {
  const { follower } = options;
  let traced = new Map<string, TracedEnd>();
  const sent = await sql.begin('isolation level repeatable read', async (tx) => {
    const rows = await drain(tx);
    if (rows.length === 0) return rows;
    // what is asked for at once is sent at once: a round trip costs more than the query
    const [alive, states] = await Promise.all([
      tx<{ id: string }[]>`
        SELECT id FROM projects WHERE id = ANY(${[...new Set(rows.map((row) => row.projectId))]}::uuid[]) AND deleted_at IS NULL
        ORDER BY id`,
      statesToTell(tx, rows),
    ]);
    const byProject = Map.groupBy(rows, (row) => row.projectId);
    const terminal = rows.filter((row) => row.status !== null && isTerminal(row.status));
    if (follower && terminal.length > 0) {
      traced = await follower.contexts(tx, terminal);
      for (const row of terminal) {
        const end = traced.get(follower.keyOf(row));
        if (end) row.traceparent = placeOf(end);
      }
    }
    await Promise.all([
      ...(terminal.length > 0 ? [insertPublishStages(tx, terminal)] : []),
      publishAll(
        tx,
        alive.map(({ id }) => id),
        byProject,
        states,
        options,
      ),
    ]);
    await options.beforeCommit?.(alive.map(({ id }) => id));
    return rows;
  });
  follower?.ended(traced.values());
  const now = Date.now();
  options.onSent?.(
    sent.flatMap((row) =>
      row.status === null ? [] : [{ status: row.status, publishMs: Math.max(0, now - row.createdMs) }],
    ),
  );
  return sent.length === DRAIN_MAX;
}

/** Forgets frames that are too old or too many; a reader that comes back for them gets a snapshot. */
export async function pruneFrames(sql: Sql, options: { maxAgeMs: number; maxFrames: number }): Promise<void> {
  await sql`DELETE FROM event_log WHERE created_at < now() - ${options.maxAgeMs}::float8 * interval '1 ms'`;
  await sql`
    DELETE FROM event_log l USING event_streams s
    WHERE l.project_id = s.project_id AND l.frame_no <= s.frame_no - ${options.maxFrames}::bigint`;
}
