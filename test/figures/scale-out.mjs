// How throughput grows with worker processes, and what it costs when half of them are killed in the middle of a batch. Each worker
// has one simulated device of 1 s an image and decodes nothing, so that the cores of this machine do not bind; queue, claims,
// results and events are real. About 40 s for each number of workers.
//
//   node test/figures/scale-out.mjs [1,2,4,8,16,32]            (Node 24, Linux)
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEY, startGround } from './ground.mjs';

const EACH = 40;
const EXECUTION_MS = 1000;
const LEASE_MS = 5000;
/** Least share of the ideal throughput, by the number of workers. */
const LEAST = (workers) => (workers <= 4 ? 0.95 : 0.9);

const PROFILE = {
  name: 'one-second',
  device: 'none',
  model: 'none',
  versions: {},
  source: 'made up: every image takes one second',
  statistic: 'mean',
  covers: 'model only',
  points: [1, 2].map((images) => ({ images, width: 256, height: 256, ms: EXECUTION_MS, n: 1 })),
  time: { fixedMs: EXECUTION_MS, msPerMegapixel: 0.001, residual: 0, r2: 1 },
  residuals: [1],
  coldStartMs: 0,
  failureRatio: 0,
};

/** Images without files: a simulated device does not open them. */
async function seedImages(sql, count) {
  const projectId = randomUUID();
  await sql`insert into projects (id, name) values (${projectId}, 'figures')`;
  for (let i = 0; i < count; i++) {
    const sha256 = randomBytes(32);
    await sql`insert into blobs (sha256, size_bytes, mime_type, width, height, channels, pages, average_colour)
      values (${sha256}, 1, 'image/png', 256, 256, 1, 1, 0)`;
    await sql`insert into images (id, project_id, name, sha256) values (${randomUUID()}, ${projectId}, ${`${i}.png`}, ${sha256})`;
  }
  return projectId;
}

async function runBatch({ sql, api }, images, whileRunning) {
  const projectId = await seedImages(sql, images);
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const ask = async (path, init) => (await fetch(`${api.url}/api${path}`, { headers, ...init })).json();
  let batch = await ask(`/projects/${projectId}/batches`, { method: 'POST', body: JSON.stringify({ all: true }) });
  await whileRunning?.(async () => (batch = await ask(`/batches/${batch.id}`)));
  while (batch.finishedAt === null) {
    await sleep(200);
    batch = await ask(`/batches/${batch.id}`);
  }
  if (batch.counts.completed !== images) throw new Error(`${batch.counts.completed} of ${images} completed`);
  // What readers were sent: frames of the last batch may be on their way yet.
  let told = [];
  while (told.length < images) {
    const frames = await sql`select frame from event_log where project_id = ${projectId}`;
    told = frames.flatMap(({ frame }) => JSON.parse(frame).events.filter(({ status }) => status === 'completed'));
  }
  const twice = told.length - new Set(told.map(({ imageId }) => imageId)).size;
  return { seconds: (Date.parse(batch.finishedAt) - Date.parse(batch.startedAt)) / 1000, twice };
}

async function main(counts) {
  const profile = join(process.env.TMPDIR ?? '/tmp', `segbench-one-second-${process.pid}.json`);
  await writeFile(profile, JSON.stringify(PROFILE));
  const ground = await startGround({
    POOL: `sim:${profile}`,
    WORKERS: '1',
    LEASE_MS: String(LEASE_MS),
    QUEUE_WINDOW: '2000',
    DATABASE_POOL: '2',
  });
  const running = [await ground.role('relay')];
  const workers = [];
  try {
    console.log(
      'Simulated: no model ran.\n\n| workers | images | time | images/s | share of ideal |\n| --- | --- | --- | --- | --- |',
    );
    let alone = null;
    for (const count of counts) {
      while (workers.length < count) workers.push(await ground.role('worker'));
      const { seconds, twice } = await runBatch(ground, EACH * count);
      const rate = (EACH * count) / seconds;
      alone ??= rate / count;
      const share = rate / count / alone;
      if (share < LEAST(count) || twice > 0) process.exitCode = 1;
      console.log(
        `| ${count} | ${EACH * count} | ${seconds.toFixed(1)} s | ${rate.toFixed(2)} | ${share.toFixed(3)} |`,
      );
    }
    const images = EACH * workers.length;
    const half = Math.floor(workers.length / 2);
    const { seconds, twice } = await runBatch(ground, images, async (state) => {
      while ((await state()).counts.completed < 0.4 * images) await sleep(200);
      for (const worker of workers.slice(0, half)) process.kill(-worker.pid, 'SIGKILL');
    });
    if (twice > 0) process.exitCode = 1;
    const ideal = 0.4 * EACH + (0.6 * images) / (workers.length - half);
    console.log(
      `\n${half} of ${workers.length} workers killed after 40 % of ${images} images: all completed, ${twice} told twice, in ${seconds.toFixed(1)} s; ${ideal.toFixed(1)} s by arithmetic, and images of the dead wait ${LEASE_MS / 1000} s for their lease to end.`,
    );
  } finally {
    await Promise.allSettled([...running, ...workers].map((role) => role.stop()));
    await ground.stop();
  }
}

const counts = (process.argv[2] ?? '1,2,4,8,16,32').split(',').map(Number);
if (!counts.every((count) => Number.isInteger(count) && count >= 1 && count <= 64)) {
  console.error(`"${process.argv[2]}": expected a comma list of whole numbers from 1 to 64`);
  process.exit(2);
}
await main(counts);
