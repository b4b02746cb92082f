// What exports of a large batch cost a real API process: time, CPU, the peak of its resident memory, and how long a request waits
// meanwhile. 10,000 images of about 130 cells (one stored result for all of them), each format once; about two minutes.
//
//   node test/figures/exports.mjs [FORMAT ...]            (Node 24, Linux)
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from '../../loadtest/src/measure/proc.ts';
import { EXPORT_FORMATS } from '../../service/src/contract/exports.ts';
import { encodePolygons } from '../../service/src/contract/polygons-format.ts';
import { scene } from '../../service/test/exports/scene.ts';
import { KEY, startGround } from './ground.mjs';

const IMAGES = 10_000;
const SIDE = 512;
const RSS_LIMIT_BYTES = 512e6;

async function seedBatch(sql) {
  const [projectId, batchId, resultId] = [randomUUID(), randomUUID(), randomUUID()];
  const sha256 = Buffer.alloc(32, 1);
  const polygons = scene(SIDE, SIDE, 80, 3);
  const cells = polygons.filter(({ type }) => type === 'external').length;
  await sql`insert into projects (id, name, pixel_size_um) values (${projectId}, 'figures', 0.5)`;
  await sql`insert into blobs (sha256, size_bytes, mime_type, width, height, channels, pages, average_colour)
    values (${sha256}, 1, 'image/png', ${SIDE}, ${SIDE}, 1, 1, 0)`;
  await sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total, completed)
    values (${batchId}, ${projectId}, 'completed', 'nuclei', '1', 0.5, 't=0.5', ${IMAGES}, ${IMAGES})`;
  await sql`insert into results (id, sha256, model, model_version, parameters, threshold, image_width, image_height, polygon_count,
      processing_ms, stages, polygons)
    values (${resultId}, ${sha256}, 'nuclei', '1', 't=0.5', 0.5, ${SIDE}, ${SIDE}, ${cells}, 1, '{}', ${Buffer.from(encodePolygons(polygons))})`;
  await sql`insert into images (id, project_id, name, sha256, status, result_id)
    select gen_random_uuid(), ${projectId}, 'image-' || n || '.png', ${sha256}, 'completed', ${resultId} from generate_series(1, ${IMAGES}::int) n`;
  await sql`insert into batch_items (batch_id, image_id, status, result_id) select ${batchId}, id, 'completed', ${resultId} from images`;
  return { batchId, cells };
}

async function measure({ pid, url }, batchId, format) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  // 5: the kernel's high-water mark of resident memory starts anew
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = readProcess(pid);
  const started = performance.now();
  const body = JSON.stringify({ format });
  const created = await fetch(`${url}/api/batches/${batchId}/exports`, { method: 'POST', headers, body });
  let state = await created.json();
  let slowestMs = 0;
  while (state.status === 'queued' || state.status === 'running') {
    await sleep(100);
    const asked = performance.now();
    state = await (await fetch(`${url}/api/exports/${state.id}`, { headers })).json();
    slowestMs = Math.max(slowestMs, performance.now() - asked);
  }
  if (state.status !== 'ready') throw new Error(`${format}: ${state.status}: ${state.error}`);
  const after = readProcess(pid);
  return {
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    peakRssBytes: after.peakRssBytes,
    sizeBytes: state.sizeBytes,
    slowestMs,
  };
}

async function main(formats) {
  const { sql, api, stop } = await startGround();
  try {
    const { batchId, cells } = await seedBatch(sql);
    console.log(
      `${IMAGES} images of ${SIDE} x ${SIDE} pixels and ${cells} cells each, one process, one format after the other\n`,
    );
    console.log('| format | file | time | CPU | peak RSS | slowest request |\n| --- | --- | --- | --- | --- | --- |');
    for (const format of formats) {
      const found = await measure(api, batchId, format);
      if (found.peakRssBytes >= RSS_LIMIT_BYTES) process.exitCode = 1;
      const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
      console.log(
        `| ${format} | ${mb(found.sizeBytes)} | ${found.seconds.toFixed(1)} s | ${found.cpuSeconds.toFixed(1)} s | ${mb(found.peakRssBytes)} | ${found.slowestMs.toFixed(0)} ms |`,
      );
    }
  } finally {
    await stop();
  }
}

await main(process.argv.length > 2 ? process.argv.slice(2) : EXPORT_FORMATS);
