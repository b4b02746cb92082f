import type { Sql } from 'postgres';
import type { ObservedPage } from '../drivers/browser/page.ts';
import type { UploadedImage } from '../drivers/upload.ts';
import type { BatchClient } from './batch-client.ts';
import type { Follower } from './follower.ts';
import type { Observed } from './invariants.ts';
import type { World } from './world.ts';

export interface ItemRow {
  batchId: string;
  imageId: string;
  status: string;
  errorCode: string | null;
  results: number;
  crashes: number;
  attempts: number;
  finishedAtMs: number | null;
}

/** How many images of the project's batches have not ended. */
export async function openItems(sql: Sql, projectId: string): Promise<number> {
  const [row] = await sql<{ open: number }[]>`
    SELECT count(*)::int AS open FROM batch_items t JOIN batches b ON b.id = t.batch_id
    WHERE b.project_id = ${projectId} AND t.status IN ('queued', 'processing')`;
  return row?.open ?? 0;
}

/** The last number that was given; Infinity while events wait for theirs. */
export async function streamHead(sql: Sql, projectId: string): Promise<number> {
  const [row] = await sql<{ seq: number; waiting: boolean }[]>`
    SELECT s.seq::float8 AS seq, EXISTS (SELECT 1 FROM event_outbox o WHERE o.project_id = s.project_id) AS waiting
    FROM event_streams s WHERE s.project_id = ${projectId}`;
  return !row || row.waiting ? Infinity : row.seq;
}

const readItems = (sql: Sql, projectId: string) => sql<ItemRow[]>`
  SELECT t.batch_id AS "batchId", t.image_id AS "imageId", t.status, t.error_code AS "errorCode", t.crashes, t.attempts,
         extract(epoch FROM t.finished_at)::float8 * 1000 AS "finishedAtMs",
         (SELECT count(*)::int FROM results r WHERE r.sha256 = i.sha256 AND r.model = b.model
            AND r.model_version = b.model_version AND r.parameters = b.parameters) AS results
  FROM batch_items t JOIN batches b ON b.id = t.batch_id JOIN images i ON i.id = t.image_id
  WHERE b.project_id = ${projectId}`;

/** Asks every place for what it knows of the project: routes, rows, the client's events, the page. */
export async function observe(given: {
  world: World;
  client: BatchClient;
  projectId: string;
  uploaded: readonly UploadedImage[];
  follower: Follower;
  page: ObservedPage | undefined;
  doomed: Observed['doomed'];
  orphanedBefore: number;
}): Promise<{ observed: Observed; items: ItemRow[]; endedMs: number[] }> {
  const { world, client, projectId, uploaded, follower, page, doomed, orphanedBefore } = given;
  const { sql } = world.services;
  const [items, ids, counts] = await Promise.all([
    readItems(sql, projectId),
    sql<{ id: string }[]>`SELECT id FROM batches WHERE project_id = ${projectId}`,
    sql<{ status: string; n: number }[]>`
      SELECT status, sum(n)::int AS n FROM image_counts WHERE project_id = ${projectId} GROUP BY status HAVING sum(n) <> 0`,
  ]);
  const batches = await Promise.all(ids.map(({ id }) => client.batch(id)));
  const images = await client.images(projectId);
  const observed: Observed = {
    acknowledged: uploaded.map(({ image, file }) => ({ id: image.id, name: file.name })),
    images: images.map(({ id, status, error }) => ({ id, status, errorCode: error?.code ?? null })),
    items,
    batches: batches.map(({ id, status, total, counts: own }) => ({ id, status, total, counts: { ...own } })),
    projectCounts: Object.fromEntries(counts.map(({ status, n }) => [status, n])),
    client: follower.ledger.view,
    doomed,
    orphaned: world.orphaned() - orphanedBefore,
    ...(page
      ? {
          page: await pageSeen(
            page,
            ids.map(({ id }) => id),
          ),
        }
      : {}),
  };
  const endedMs = items.flatMap(({ finishedAtMs }) => finishedAtMs ?? []);
  return { observed, items: [...items], endedMs };
}

async function pageSeen(page: ObservedPage, batchIds: readonly string[]): Promise<NonNullable<Observed['page']>> {
  const { toasts } = await page.dump();
  const terminal = batchIds.flatMap((batchId) =>
    [...page.frames.terminalOf(batchId)].map(([imageId, events]) => [`${batchId}/${imageId}`, events.length] as const),
  );
  return {
    toasts: Object.fromEntries([...Map.groupBy(toasts, ({ key }) => key ?? '')].map(([key, all]) => [key, all.length])),
    sequenceGaps: page.frames.sequenceGaps(),
    terminal: new Map(terminal),
  };
}
