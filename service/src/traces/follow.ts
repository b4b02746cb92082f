import { Counter } from 'prom-client';
import { startLoop, type Loop } from '../batches/loop.ts';
import type { ItemKey } from '../batches/outcome.ts';
import type { Sql, Transaction } from '../database/client.ts';
import type { Metrics } from '../metrics.ts';
import { newSpanId } from './context.ts';
import { createMoves } from './moves.ts';
import { planSpans, type StoredItem, type StoredStage, type TracedEnd } from './plan.ts';
import type { Traces } from './traces.ts';

/** Images that wait for their spans, at most. */
const IMAGES_MAX = 10_000;
/** Jobs whose way into the queue is remembered: `QUEUE_WINDOW` allows half of it. */
const MOVES_MAX = 10_000;
/** Images of one query. */
const PAGE = 50;
/** An image that passes every stage once; one with more attempts may be over, and a span of it is dropped then. */
const SPANS_EACH = 14;
const EVERY_MS = 500;

/** A terminal event, as the sequencer has it. */
export interface Ended {
  imageId: string | null;
  batchId: string | null;
  status: string | null;
  code: string | null;
}

interface Contexts {
  imageId: string;
  batchId: string | null;
  upload: string | null;
  batch: string | null;
}

const keyOf = ({ imageId, batchId }: { imageId: string | null; batchId: string | null }) => `${imageId}/${batchId}`;

/**
 * Follows images that a traced request brought or started: gives each an own span, which its event names, and once the event is
 * out makes spans of the stages that PostgreSQL keeps. Workers and the result's transaction know nothing of it.
 */
export function createFollower(deps: { sql: Sql; traces: Traces; metrics: Metrics; imagesMax?: number }) {
  const { sql, traces, metrics, imagesMax = IMAGES_MAX } = deps;
  const moves = createMoves(MOVES_MAX);
  const waiting: TracedEnd[] = [];
  const lost = new Counter({
    name: 'segbench_trace_images_dropped_total',
    help: 'Images whose spans were not made because too many waited.',
    registers: metrics.registers,
  });

  /** Those of these ends that belong to a trace. */
  async function contexts(tx: Transaction, rows: readonly Ended[]): Promise<Map<string, TracedEnd>> {
    const images = rows.flatMap((row) => (row.imageId === null ? [] : [{ ...row, imageId: row.imageId }]));
    const found = await tx<Contexts[]>`
      SELECT w.image_id AS "imageId", w.batch_id AS "batchId", i.traceparent AS upload, b.traceparent AS batch
      FROM unnest(${images.map((row) => row.imageId)}::uuid[], ${images.map((row) => row.batchId)}::uuid[]) AS w (image_id, batch_id)
        JOIN images i ON i.id = w.image_id LEFT JOIN batches b ON b.id = w.batch_id
      WHERE i.traceparent IS NOT NULL OR b.traceparent IS NOT NULL`;
    const known = new Map(found.map((row) => [keyOf(row), row]));
    return new Map(
      images.flatMap(({ imageId, batchId, status, code }) => {
        const place = known.get(keyOf({ imageId, batchId }));
        if (!place || status === null) return [];
        return [[keyOf(place), { ...place, status, code, spanId: newSpanId() }] as const];
      }),
    );
  }

  async function step(): Promise<boolean> {
    const some = Math.min(PAGE, Math.floor(traces.room() / SPANS_EACH));
    if (some === 0 || waiting.length === 0) return false;
    const ends = waiting.splice(0, some);
    const images = ends.map(({ imageId }) => imageId);
    const batches = ends.map(({ batchId }) => batchId);
    const [stages, items] = await Promise.all([
      sql<(StoredStage & Pick<TracedEnd, 'imageId' | 'batchId'>)[]>`
        SELECT s.image_id AS "imageId", s.batch_id AS "batchId", s.stage, extract(epoch FROM s.started_at)::float8 * 1000 AS "startedMs",
               s.duration_ms AS "durationMs", s.cpu_ms AS "cpuMs", s.attempt, s.worker, s.cause
        FROM unnest(${images}::uuid[], ${batches}::uuid[]) AS w (image_id, batch_id)
          JOIN image_stages s ON s.image_id = w.image_id AND s.batch_id = w.batch_id ORDER BY s.started_at`,
      sql<(StoredItem & Pick<ItemKey, 'imageId' | 'batchId' | 'generation'>)[]>`
        SELECT t.image_id AS "imageId", t.batch_id AS "batchId", t.generation, t.attempts,
               extract(epoch FROM t.queued_at)::float8 * 1000 AS "queuedMs", extract(epoch FROM t.started_at)::float8 * 1000 AS "claimedMs"
        FROM unnest(${images}::uuid[], ${batches}::uuid[]) AS w (image_id, batch_id)
          JOIN batch_items t ON t.image_id = w.image_id AND t.batch_id = w.batch_id`,
    ]);
    const stagesOf = Map.groupBy(stages, keyOf);
    const itemOf = new Map(items.map((item) => [keyOf(item), item]));
    for (const end of ends) {
      const item = itemOf.get(keyOf(end)) ?? null;
      const moved = item ? moves.take(item) : null;
      for (const span of planSpans(end, stagesOf.get(keyOf(end)) ?? [], item, moved)) traces.past(span);
    }
    return waiting.length > 0;
  }

  return {
    moved: (jobs: readonly ItemKey[]) => moves.add(jobs),
    contexts,
    keyOf,
    /** Their events are out, and their stages are all there. */
    ended(ends: Iterable<TracedEnd>): void {
      for (const end of ends) {
        if (waiting.length < imagesMax) waiting.push(end);
        else lost.inc();
      }
    },
    step,
    start: (onError: (error: unknown) => void): Loop => startLoop({ everyMs: EVERY_MS, step, onError }),
  };
}
export type Follower = ReturnType<typeof createFollower>;
