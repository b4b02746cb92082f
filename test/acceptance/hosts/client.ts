/** A client on a host of its own: one batch by HTTP, followed by its event socket, with requests beside it; then a verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { createHttpClient } from '../../../loadtest/src/drivers/http-client.ts';
import { openResumingSocket } from '../../../loadtest/src/load/resuming-socket.ts';
import { seedProject, wrongCounters } from '../../../loadtest/src/load/simulated.ts';
import { startBatch } from '../../../loadtest/src/load/traffic.ts';
import { startClient, wrongEvents } from '../kit.ts';
import { tell, untilEnded } from './message.ts';

const [url = '', key = '', count = '0'] = process.argv.slice(2);
const images = Number(count);
const LONGEST_MS = 4 * 60_000;
const sql = postgres(process.env['DATABASE_URL'] ?? '', { max: 2, onnotice: () => {} });
const http = createHttpClient({ baseUrl: url, key, connections: 1 });
untilEnded(() => sql.end({ timeout: 1 }));

const { projectId, imageIds } = await seedProject(sql, { name: 'hosts', images, side: 64, seed: 1 });
const target = { url, key, projectId, imageIds };
const socket = openResumingSocket(target);
await sleep(500);
const stopClient = startClient(target);
const batch = await startBatch(target, projectId);
const began = Date.now();
for (let over = false; !over && Date.now() - began < LONGEST_MS;) {
  const [row] = await sql<{ done: number; over: boolean }[]>`
    SELECT completed + failed AS done, finished_at IS NOT NULL AS over FROM batches WHERE id = ${batch.id}`;
  const { queue } = await http.call('GET /api/now').catch(() => ({ queue: { workers: [] as { id: string }[] } }));
  over = row?.over ?? false;
  const byWorker = await sql<{ worker: string; ended: number }[]>`
    SELECT split_part(worker, '/', 1) AS worker, count(*)::int AS ended FROM batch_items
    WHERE batch_id = ${batch.id} AND status = 'completed' GROUP BY 1`;
  tell({
    type: 'progress',
    done: row?.done ?? 0,
    workers: new Set(queue.workers.map(({ id }) => id.split('/')[0])).size,
    ended: Object.fromEntries(byWorker.map(({ worker, ended }) => [worker, ended])),
  });
  await sleep(250);
}
const tookMs = Date.now() - began;
await sleep(1500);
const requests = await stopClient();
socket.close();
const [rows] = await sql<{ ended: number; completed: number; again: number; results: number }[]>`
  SELECT count(*) FILTER (WHERE status IN ('completed', 'failed'))::int AS ended, count(*) FILTER (WHERE status = 'completed')::int AS completed,
         count(*) FILTER (WHERE attempts > 1)::int AS again,
         (SELECT count(*)::int FROM results r JOIN images i ON i.sha256 = r.sha256 WHERE i.project_id = ${projectId}) AS results
  FROM batch_items WHERE batch_id = ${batch.id}`;
const { ended, completed, again, results } = rows!;
const counters = await wrongCounters(sql);
/** What is known of images that did not end, so that somebody can say why. */
const open = await sql<{ text: string }[]>`
  SELECT concat_ws(' ', i.status, 'generation', i.generation, 'attempt', i.attempts, 'of', i.worker, 'lease', extract(epoch FROM i.lease_until - now())::int,
                   's, in the outbox', (SELECT count(*) FROM job_outbox o WHERE o.image_id = i.image_id)) AS text
  FROM batch_items i WHERE batch_id = ${batch.id} AND status NOT IN ('completed', 'failed') LIMIT 5`;
const known = process.env['HOSTS_PLANT'] === 'lost' ? [...imageIds, 'an image that nobody segments'] : imageIds;
const problems = [
  ...wrongEvents(socket.log, batch.id, known),
  ...(completed === images
    ? []
    : [`${ended} of ${images} images ended, ${completed} completed`, ...open.map(({ text }) => text)]),
  ...(results === images ? [] : [`${results} results of ${images} images`]),
  ...(counters === 0 ? [] : [`${counters} batches with wrong counters`]),
  ...(requests.ok === requests.sent
    ? []
    : [`${requests.sent - requests.ok} requests failed: ${JSON.stringify(requests.failed)}`]),
];
tell({
  type: 'verdict',
  problems,
  facts: {
    images,
    completed,
    'after more than one attempt': again,
    requests: requests.sent,
    seconds: Math.round(tookMs / 1000),
  },
});
http.close();
await sql.end({ timeout: 1 });
process.disconnect?.();
