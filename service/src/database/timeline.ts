import type { Image } from '#contract/images.ts';
import type { Timeline } from '#contract/timeline.ts';
import type { Sql } from './client.ts';

/** Dates become ISO text, as in every reply. */
const plain = <T>(rows: readonly unknown[]): T[] => JSON.parse(JSON.stringify(rows)) as T[];

/** What happened to one image, oldest first. */
export async function readTimeline(sql: Sql, image: Image): Promise<Timeline> {
  const [batches, stages] = await Promise.all([
    sql`
      select batch_id as "batchId", status, generation, attempts, crashes, worker, queued_at as "queuedAt",
        started_at as "startedAt", finished_at as "finishedAt", error_code as "errorCode", error_message as "errorMessage"
      from batch_items where image_id = ${image.id} order by queued_at`,
    sql`
      select stage, started_at as "startedAt", duration_ms as "durationMs", batch_id as "batchId", attempt, worker, cause
      from image_stages where image_id = ${image.id} order by started_at`,
  ]);
  return {
    imageId: image.id,
    status: image.status,
    createdAt: image.createdAt,
    batches: plain<Timeline['batches'][number]>(batches),
    stages: plain<Timeline['stages'][number]>(stages),
  };
}
