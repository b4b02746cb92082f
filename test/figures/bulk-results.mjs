// Bulk results of 1,000 images through a real API process: time to the last byte, bytes, growth of its memory, and the raw
// read of the same rows. `node test/figures/bulk-results.mjs`
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { encodePolygons } from '../../service/src/contract/polygons-format.ts';
import { KEY, startGround } from './ground.mjs';

const { sql, api, stop } = await startGround();

/** A cell of 40 points on a wobbly circle. */
const cell = (id) => {
  const [x, y] = [20 + ((id * 37) % 980), 20 + ((id * 91) % 980)];
  const points = Array.from({ length: 40 }, (_, i) => {
    const r = 12 + ((id * 7 + i * 3) % 4);
    return [Math.round(x + r * Math.cos(i / 6.37)), Math.round(y + r * Math.sin(i / 6.37))];
  }).flat();
  return { id, type: 'external', parentId: null, points, area: 450, bbox: [x - 15, y - 15, 30, 30], confidence: 0.9 };
};
async function fill(cells) {
  const project = randomUUID();
  const polygons = Buffer.from(encodePolygons(Array.from({ length: cells }, (_, i) => cell(i + 1))));
  await sql`insert into projects (id, name) values (${project}, 'figures')`;
  const rows = Array.from({ length: 1000 }, () => {
    const id = randomUUID();
    return { id, result: randomUUID(), sha256: createHash('sha256').update(id).digest() };
  });
  await sql`insert into blobs ${sql(rows.map(({ sha256 }) => ({ sha256, size_bytes: 1, mime_type: 'image/png', width: 1024, height: 1024, channels: 1, pages: 1, average_colour: 0 })))}`;
  for (let at = 0; at < 1000; at += 100)
    await sql`insert into results ${sql(rows.slice(at, at + 100).map(({ result, sha256 }) => ({ id: result, sha256, model: 'nuclei', model_version: '1', parameters: 't', threshold: 0.5, image_width: 1024, image_height: 1024, polygon_count: cells, processing_ms: 1, stages: {}, polygons })))}`;
  await sql`insert into images ${sql(rows.map(({ id, result, sha256 }, i) => ({ id, project_id: project, name: `${i}`, sha256, status: 'completed', result_id: result, polygon_count: cells })))}`;
  return rows;
}
const rss = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${api.pid}/status`, 'utf8'))[1]) / 1024;
async function ask(ids, accept) {
  const before = await rss();
  let peak = before;
  const timer = setInterval(() => void rss().then((now) => (peak = Math.max(peak, now))), 20);
  const begin = performance.now();
  const reply = await fetch(`${api.url}/api/segmentation/batch/results`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      accept,
      'accept-encoding': 'identity',
    },
    body: JSON.stringify({ imageIds: ids }),
  });
  let bytes = 0;
  for await (const chunk of reply.body) bytes += chunk.length;
  clearInterval(timer);
  return { ms: performance.now() - begin, mb: bytes / 1e6, grownMb: Math.max(peak, await rss()) - before };
}

console.log('results    form     ms   of raw read      MB   RSS growth MB');
try {
  for (const [name, cells] of [
    ['sparse', 20],
    ['dense', 300],
  ]) {
    const rows = await fill(cells);
    const ids = rows.map(({ id }) => id);
    await ask(ids, 'application/vnd.segbench.polygons');
    for (const [form, accept] of [
      ['binary', 'application/vnd.segbench.polygons'],
      ['ndjson', 'application/x-ndjson'],
      ['json', 'application/json'],
    ]) {
      const begin = performance.now();
      await sql`select * from results where id = any(${rows.map(({ result }) => result)}::uuid[])`;
      const raw = performance.now() - begin;
      const { ms, mb, grownMb } = await ask(ids, accept);
      console.log(
        `${name.padEnd(9)} ${form.padEnd(7)} ${ms.toFixed(0).padStart(5)} ${(ms / raw).toFixed(2).padStart(13)} ${mb.toFixed(1).padStart(7)} ${grownMb.toFixed(0).padStart(15)}`,
      );
    }
  }
} finally {
  await stop();
}
