// How well the service says beforehand what a batch will take: batches of 20 to 800 images in three projects of other sizes, one in
// four with another one before it, real inference. Prints the last score and what the service would have said of each.
//
//   node test/figures/forecasts.mjs [BATCHES=60] [WORKERS=2] [SEED=1]            (Node 24; about 8 minutes; on a quiet machine)
//
// The first three batches are those that a service without a history says; they count as any other.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient } from '../../loadtest/src/drivers/http-client.ts';
import { uploadFiles } from '../../loadtest/src/drivers/upload.ts';
import { generateImages } from '../../loadtest/src/images/generator.ts';
import { createRandom } from '../../loadtest/src/images/random.ts';
import { KEY, startGround } from './ground.mjs';

const SIDES = [128, 256, 512];
const IMAGES = 800;
const LEAST = 20;
/** What a person tries before all. */
const TRIED = 12;
const PERCENT = 100;

const post = (client, path, body) => client.json(path, { method: 'POST', body });

async function projectOf(client, side, folder) {
  const limits = { minSide: side, maxSide: side, medianSide: side, maxCells: Math.round((side / 128) ** 2 * 8) };
  const set = await generateImages({
    count: IMAGES,
    seed: side,
    directory: join(folder, `${side}`),
    labels: 0,
    limits,
  });
  const { id } = await post(client, '/api/projects', { name: `${side} pixels` });
  const { uploaded } = await uploadFiles({
    client,
    projectId: id,
    files: set.images.map(({ name, path, sha256 }) => ({ name, path, sha256 })),
    filesPerRequest: 20,
    concurrency: 2,
  });
  return { id, imageIds: uploaded.map(({ image }) => image.id) };
}

async function ended(client, id) {
  for (;;) {
    const batch = await client.json(`/api/batches/${id}`);
    if (batch.finishedAt !== null) return;
    await sleep(100);
  }
}

async function main(batches, workers, seed) {
  const random = createRandom(seed, 0);
  const folder = await mkdtemp(join(tmpdir(), 'segbench-forecasts-'));
  const ground = await startGround({ WORKERS: String(workers), LOG_LEVEL: 'error' });
  const roles = [await ground.role('relay'), await ground.role('worker')];
  const client = createHttpClient({ baseUrl: ground.api.url, key: KEY, connections: 4 });
  try {
    const projects = [];
    for (const side of SIDES) projects.push(await projectOf(client, side, folder));
    const start = async ({ id, imageIds }, count) => {
      const first = Math.floor(random() * (IMAGES - count + 1));
      const body = { imageIds: imageIds.slice(first, first + count), force: true };
      return (await post(client, `/api/projects/${id}/batches`, body)).id;
    };
    for (const project of projects) await ended(client, await start(project, TRIED));
    for (let done = 0; done < batches;) {
      const side = random() < 0.25 && done + 2 <= batches ? 2 : 1;
      const ids = [];
      for (; ids.length < side; done++) {
        const project = projects[Math.floor(random() * projects.length)];
        ids.push(await start(project, Math.round(LEAST * (IMAGES / LEAST) ** random())));
      }
      for (const id of ids) await ended(client, id);
    }
    report(await client.json('/api/forecasts'), workers);
  } finally {
    client.close();
    for (const role of roles) await role.stop();
    await ground.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report({ items, score }, workers) {
  for (const { projectName, forecast, tookSeconds, inside } of items.toReversed()) {
    const off = `${((tookSeconds / forecast.seconds - 1) * PERCENT).toFixed(0)} %`;
    console.log(
      `${projectName.padEnd(11)} ${String(forecast.images).padStart(4)} images, ${String(forecast.imagesAhead).padStart(3)} ahead: said ${forecast.seconds} s (${forecast.low} to ${forecast.high}, of ${forecast.basis.batches} alike), took ${tookSeconds.toFixed(1)} s, ${off}${inside ? '' : ', outside'}`,
    );
  }
  console.log(JSON.stringify({ workers, cores: availableParallelism(), cpu: cpus()[0].model, ...score }, null, 2));
}

const [batches = 60, workers = 2, seed = 1] = process.argv.slice(2).map(Number);
await main(batches, workers, seed);
