import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import type { Sql } from 'postgres';
import { addressOf } from '#contract/client.ts';
import type { Project, UploadReply } from '#contract/images.ts';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Polygon, ResultsReply } from '#contract/results.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import { multipartBody } from '../drivers/upload.ts';

const CORNERS = 40;
const CONFIDENCE = 0.9;
/** Of the step from one to the next: smallest radius, and how much of it varies. */
const RADIUS = { least: 0.34, steps: 4, step: 1 / 60 };
/** Side of the noise that a picture is enlarged from. */
const NOISE_SIDE = 2000;

export interface Sides {
  width: number;
  height: number;
}

/** `count` round cells on a raster over all of an image; between two of them at least a fifth of a step is free. Pure. */
export function outlinesOn({ width, height }: Sides, count: number): Polygon[] {
  const columns = Math.max(1, Math.ceil(Math.sqrt((count * width) / height)));
  const rows = Math.ceil(count / columns);
  const [dx, dy] = [width / columns, height / rows];
  return Array.from({ length: count }, (_, i) => {
    const [x, y] = [((i % columns) + 0.5) * dx, (Math.floor(i / columns) + 0.5) * dy];
    const points = Array.from({ length: CORNERS }, (__, k) => {
      const radius = Math.min(dx, dy) * (RADIUS.least + ((i * 7 + k * 3) % RADIUS.steps) * RADIUS.step);
      const angle = (k / CORNERS) * 2 * Math.PI;
      return [Math.round(x + radius * Math.cos(angle)), Math.round(y + radius * Math.sin(angle))];
    }).flat();
    const [xs, ys] = [points.filter((__, at) => at % 2 === 0), points.filter((__, at) => at % 2 === 1)];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const area = Math.round(Math.PI * (Math.min(dx, dy) * RADIUS.least) ** 2);
    const bbox = [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
    return { id: i + 1, type: 'external', parentId: null, points, area, bbox, confidence: CONFIDENCE };
  });
}

/** Gray noise as a JPEG. Without a colour of its own, so that on a screen what has one is outlines. */
export async function grayPicture({ width, height }: Sides): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 90, sigma: 12 } as const;
  const [w, h] = [Math.min(width, NOISE_SIDE), Math.min(height, NOISE_SIDE)];
  const { data, info } = await sharp({ create: { width: w, height: h, channels: 3, background: '#000', noise } })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .jpeg({ quality: 80 })
    .toBuffer();
}

/** One image that was uploaded as any other, with a result that was written into the database. */
export async function seedOutlines(
  sql: Sql,
  { target, outlines, ...sides }: Sides & { target: { url: string; key: string }; outlines: number },
) {
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 1 });
  try {
    const { id: projectId } = await client.json<Project>(addressOf('POST /api/projects'), {
      method: 'POST',
      body: { name: 'viewer' },
    });
    const bytes = await grayPicture(sides);
    const boundary = `segbench-${randomUUID()}`;
    const reply = await client.request(addressOf('POST /api/projects/{id}/images', { path: { id: projectId } }), {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: multipartBody([{ name: 'large.jpg', bytes }], boundary),
    });
    const image = reply.status === 201 ? (JSON.parse(reply.body.toString()) as UploadReply).images[0] : undefined;
    if (!image) throw new Error(`upload: status ${reply.status}: ${reply.body.toString().slice(0, 300)}`);
    await writeResult(sql, {
      imageId: image.id,
      sha256: image.sha256,
      polygons: outlinesOn(sides, outlines),
      ...sides,
    });
    return { imageId: image.id, sizeBytes: bytes.length };
  } finally {
    client.close();
  }
}

async function writeResult(
  sql: Sql,
  { imageId, sha256, polygons, width, height }: Sides & { imageId: string; sha256: string; polygons: Polygon[] },
): Promise<void> {
  const result = randomUUID();
  await sql`
    INSERT INTO results (id, sha256, model, model_version, parameters, threshold, image_width, image_height, polygon_count,
                         processing_ms, stages, polygons)
    VALUES (${result}, ${Buffer.from(sha256, 'hex')}, 'nuclei', '1', 't=0.5', 0.5, ${width}, ${height}, ${polygons.length},
            1, ${sql.json({})}, ${Buffer.from(encodePolygons(polygons))})`;
  await sql`UPDATE images SET status = 'completed', result_id = ${result}, polygon_count = ${polygons.length} WHERE id = ${imageId}`;
}

/** What the service itself says was found in an image. */
export async function polygonsOfImage(target: { url: string; key: string }, imageId: string): Promise<Polygon[]> {
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 1 });
  try {
    const reply = await client.json<ResultsReply>(addressOf('POST /api/segmentation/batch/results'), {
      method: 'POST',
      body: { imageIds: [imageId], lod: 'high' },
    });
    return reply.results[imageId]?.polygons ?? [];
  } finally {
    client.close();
  }
}
