import type { Batch } from '#contract/batches.ts';
import { clickButton } from '../../drivers/browser/input.ts';
import { need, uploadedOf, type Bench, type FollowedBatch } from '../bench.ts';
import { orStop, pause } from '../stop.ts';

const BATCHES = /^\/api\/projects\/[^/]+\/batches$/;
const CLICK_REPLY_MS = 60_000;

/**
 * Presses the page's own "Segment all" and follows the batch from outside the page to its end: until the subscriber has been
 * told of every image, or the service says that it is over. A batch past its time is left as it is: the ledger counts it.
 */
export async function startAndFollow(bench: Bench): Promise<FollowedBatch> {
  const { services, scenario, progress, signal } = bench;
  const page = need(bench.page, 'the page');
  const { log } = need(bench.socket, 'the event socket');
  const total = uploadedOf(bench).length;
  await page.arm(total);
  const reply = page.nextReply<Batch>('POST', BATCHES, CLICK_REPLY_MS);
  reply.catch(() => {});
  const clickedAtMs = performance.timeOrigin + performance.now();
  await orStop(signal, clickButton(page, 'Segment all'));
  const created = await orStop(signal, reply);
  const post = page.network.all().findLast(({ method, path }) => method === 'POST' && BATCHES.test(path));

  const until = Date.now() + scenario.phases.batch.timeoutMs;
  let batch = created;
  for (let polledAt = Date.now(); Date.now() < until;) {
    const told = log.terminalOf(created.id).size;
    progress.update(told);
    if (told >= created.total && log.isFinished(created.id)) break;
    if (Date.now() - polledAt > 5000) {
      polledAt = Date.now();
      batch = await services.client.call('GET /api/batches/{id}', { path: { id: created.id }, signal });
      if (batch.status === 'paused')
        throw new Error(`the batch paused itself: ${batch.pausedReason ?? 'no reason given'}`);
      // Over and told of all; or over for a while, and what was not told will not come.
      if (batch.finishedAt && Date.now() - Date.parse(batch.finishedAt) > 5000) break;
    }
    await pause(20, signal);
  }
  batch = await services.client.call('GET /api/batches/{id}', { path: { id: created.id }, signal });
  progress.update(log.terminalOf(created.id).size);
  const finishedAtMs = batch.finishedAt ? Date.parse(batch.finishedAt) : Date.now();
  return { batch, clickedAtMs, postedAtMs: post?.atMs ?? clickedAtMs, finishedAtMs };
}
