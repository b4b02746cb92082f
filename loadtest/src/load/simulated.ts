import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { FIRST_TENANT } from '../../../service/src/tenants/first.ts';

/** A profile of no device: every image takes `ms`, whatever it shows. @returns the value of POOL */
export async function timerPool(directory: string, ms: number): Promise<string> {
  const point = (images: number) => ({ images, width: 256, height: 256, ms, n: 1 });
  const file = join(directory, `timer-${ms}-ms.json`);
  await writeFile(
    file,
    JSON.stringify({
      name: `timer-${ms}-ms`,
      device: 'none: a timer',
      model: 'none',
      versions: {},
      source: 'made up: what is measured is the way to the model and back',
      statistic: 'mean',
      covers: 'decode to polygons',
      points: [point(1), point(2)],
      time: { fixedMs: ms, msPerMegapixel: 1e-6, residual: 0, r2: 1 },
      residuals: [1],
      coldStartMs: 0,
      failureRatio: 0,
    }),
  );
  return `sim:${file}`;
}

/**
 * A project whose images are rows only: each has a content of its own, by its hash, and no file. Good for a simulated pool, which
 * looks at no picture; ten thousand take a second. Several sides take turns.
 */
export async function seedProject(
  sql: Sql,
  options: { name: string; images: number; side: number | readonly number[]; seed: number; tenantId?: string },
) {
  const { name, images, seed, tenantId = FIRST_TENANT } = options;
  const sides = typeof options.side === 'number' ? [options.side] : options.side;
  const projectId = randomUUID();
  await sql`INSERT INTO projects (id, name, tenant_id) VALUES (${projectId}, ${name}, ${tenantId})`;
  const hashes = Array.from({ length: images }, (_, index) =>
    createHash('sha256').update(`${seed}/${projectId}/${index}`).digest('hex'),
  );
  await sql`
    INSERT INTO blobs (sha256, size_bytes, mime_type, width, height, channels, pages, average_colour)
    SELECT decode(s, 'hex'), 1, 'image/png', side, side, 1, 1, 0
    FROM unnest(${hashes}::text[], ${hashes.map((_, index) => sides[index % sides.length]!)}::int[]) AS w (s, side)`;
  const rows = await sql<{ id: string }[]>`
    INSERT INTO images (id, project_id, name, sha256)
    SELECT gen_random_uuid(), ${projectId}::uuid, lpad(n::text, 6, '0') || '.png', decode(s, 'hex')
    FROM unnest(${hashes}::text[]) WITH ORDINALITY AS w (s, n) RETURNING id`;
  return { projectId, imageIds: rows.map(({ id }) => id) };
}

/** Images that ended, of all batches, by their rows. */
export async function countEnded(sql: Sql): Promise<{ completed: number; failed: number }> {
  const [row] = await sql<{ completed: number; failed: number }[]>`
    SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed, count(*) FILTER (WHERE status = 'failed')::int AS failed
    FROM batch_items`;
  return row ?? { completed: 0, failed: 0 };
}

/** How many batches have counters that differ from their counted rows. */
export async function wrongCounters(sql: Sql): Promise<number> {
  const rows = await sql`
    SELECT 1 FROM batches b, LATERAL (
      SELECT count(*) AS rows, count(*) FILTER (WHERE status = 'queued') AS q, count(*) FILTER (WHERE status = 'processing') AS p,
             count(*) FILTER (WHERE status = 'completed') AS c, count(*) FILTER (WHERE status = 'failed') AS f,
             count(*) FILTER (WHERE status = 'cancelled') AS x
      FROM batch_items WHERE batch_id = b.id
    ) c
    WHERE (b.total, b.queued, b.processing, b.completed, b.failed, b.cancelled) IS DISTINCT FROM (c.rows, c.q, c.p, c.c, c.f, c.x)`;
  return rows.length;
}
