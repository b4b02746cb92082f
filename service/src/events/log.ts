import { randomUUID } from 'node:crypto';
import { IMAGE_STATUSES, type ImageStatus } from '../contract/common.ts';
import type { SnapshotFrame } from '../contract/events.ts';
import type { Sql } from '../database/client.ts';
import { readBatchStates } from './batch-states.ts';

/** Where a project's stream stands. `frameNo` counts frames, `seq` events. */
export interface StreamHead {
  epoch: string;
  seq: number;
  frameNo: number;
}
/** A stored frame, as text. */
export interface LoggedFrame {
  frameNo: number;
  from: number;
  to: number;
  text: string;
}

/** The stream's head; a stream that does not exist yet begins here, with a new epoch. */
export async function openStream(sql: Sql, projectId: string): Promise<StreamHead> {
  const find = () => sql<StreamHead[]>`
    SELECT epoch, seq, frame_no AS "frameNo" FROM event_streams WHERE project_id = ${projectId}`;
  const [known] = await find();
  if (known) return known;
  await sql`INSERT INTO event_streams (project_id, epoch) VALUES (${projectId}, ${randomUUID()}) ON CONFLICT DO NOTHING`;
  const [created] = await find();
  return created!;
}

/** Frames after `frameNo` in order, and the head, in one query; no head when the project was deleted. */
export async function readFrames(
  sql: Sql,
  projectId: string,
  frameNo: number,
  limit: number,
): Promise<{ head: StreamHead | null; frames: LoggedFrame[] }> {
  const rows = await sql<(StreamHead & { no: number | null; from: number; to: number; text: string })[]>`
    SELECT s.epoch, s.seq, s.frame_no AS "frameNo", l.frame_no AS no, l.from_seq AS "from", l.to_seq AS "to", l.frame AS text
    FROM event_streams s JOIN projects p ON p.id = s.project_id AND p.deleted_at IS NULL
    LEFT JOIN LATERAL (
      SELECT * FROM event_log WHERE project_id = s.project_id AND frame_no > ${frameNo} ORDER BY frame_no LIMIT ${limit}
    ) l ON true
    WHERE s.project_id = ${projectId} ORDER BY l.frame_no`;
  const [first] = rows;
  const head = first ? { epoch: first.epoch, seq: first.seq, frameNo: first.frameNo } : null;
  const frames = rows.flatMap((row) =>
    row.no === null ? [] : [{ frameNo: row.no, from: row.from, to: row.to, text: row.text }],
  );
  return { head, frames };
}

/**
 * After which frame a reader that has everything up to `since` goes on; null when that cannot be replayed any more, because
 * frames were pruned or the number was never given. Frames of batch states that stand right after `since` are replayed too.
 */
export async function replayStart(
  sql: Sql,
  projectId: string,
  head: StreamHead,
  since: number,
): Promise<number | null> {
  if (since > head.seq) return null;
  const [row] = await sql<{ frameNo: number; from: number }[]>`
    SELECT frame_no AS "frameNo", from_seq AS "from" FROM event_log
    WHERE project_id = ${projectId} AND to_seq >= ${since} AND (to_seq > ${since} OR from_seq > ${since})
    ORDER BY frame_no LIMIT 1`;
  if (row === undefined) return since === head.seq ? head.frameNo : null;
  return row.from <= since + 1 ? row.frameNo - 1 : null;
}

/** How many finished batches a snapshot tells about, besides all open ones. */
const RECENT_BATCHES = 20;

/** The project's state, at `head` or later: replaying newer events over it changes nothing wrongly. */
export async function readSnapshot(sql: Sql, projectId: string, head: StreamHead): Promise<SnapshotFrame> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const rows = await tx<{ status: ImageStatus; count: number }[]>`
      SELECT status, sum(n)::int AS count FROM image_counts WHERE project_id = ${projectId} GROUP BY status`;
    const ids = await tx<{ id: string }[]>`
      (SELECT id FROM batches WHERE project_id = ${projectId} AND status IN ('queued', 'running', 'paused'))
      UNION
      (SELECT id FROM batches WHERE project_id = ${projectId} ORDER BY created_at DESC LIMIT ${RECENT_BATCHES})`;
    const batches = await readBatchStates(
      tx,
      ids.map((row) => row.id),
    );
    const counts = Object.fromEntries(IMAGE_STATUSES.map((status) => [status, 0])) as Record<ImageStatus, number>;
    for (const { status, count } of rows) counts[status] = count;
    return { type: 'snapshot' as const, epoch: head.epoch, seq: head.seq, counts, batches };
  });
}
