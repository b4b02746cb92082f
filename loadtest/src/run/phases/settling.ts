import { settleOf, type ExpectedCell, type Settle } from '../../drivers/browser/settle.ts';
import { need, type Bench, type FollowedBatch } from '../bench.ts';
import { orStop, pause } from '../stop.ts';

/** Every image's status and number of polygons, as the list route answers them. */
export async function expectedCells(bench: Bench): Promise<Map<string, ExpectedCell>> {
  const { client } = bench.services;
  const expected = new Map<string, ExpectedCell>();
  for (let offset = 0, total = 1; offset < total; offset += 500) {
    const page = await client.call('GET /api/projects/{id}/images', {
      path: { id: need(bench.projectId, 'the project') },
      query: { limit: 500, offset },
      signal: bench.signal,
    });
    total = page.total;
    for (const { id, status, polygonCount } of page.items) expected.set(id, { status, polygonCount });
  }
  return expected;
}

/** The earlier of the two stamps of the batch's last frame: a blocked page delays its own (see docs of the measure). */
export function lastFrameAt(bench: Bench, batchId: string): number | undefined {
  const stamps = [bench.socket?.log.lastFrameOf(batchId), bench.page?.frames.lastFrameOf(batchId)];
  const known = stamps.filter((stamp) => stamp !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

export interface SettledPage extends Settle {
  settleMs: number;
  fromStartMs: number;
}

/** Waits until the page has settled on the batch, or for the scenario's timeout: then the wait itself is the (failing) number. */
export async function awaitSettle(bench: Bench, followed: FollowedBatch): Promise<SettledPage> {
  const { settleTimeoutMs, quietMs } = bench.scenario.phases.burst;
  const page = need(bench.page, 'the page');
  const expected = await expectedCells(bench);
  const t0Epoch = lastFrameAt(bench, followed.batch.id) ?? followed.finishedAtMs;
  const question = {
    t0: page.toPage(t0Epoch),
    batchId: followed.batch.id,
    expected,
    overlays: true,
    quietMs,
  };
  const until = t0Epoch + settleTimeoutMs;
  for (;;) {
    await pause(100, bench.signal);
    const late = () => Date.now() > until;
    // The whole record is read only when it can hold an answer: reading it is work for the page that is measured.
    if ((await orStop(bench.signal, page.quietMs())) < quietMs && !late()) continue;
    const settle = settleOf(await orStop(bench.signal, page.dump()), question);
    if (settle.settled || late()) {
      const t1 = settle.settled ? settle.t1 : Math.max(settle.t1, page.toPage(until));
      await page.disarm();
      return { ...settle, settleMs: t1 - question.t0, fromStartMs: t1 - page.toPage(followed.clickedAtMs) };
    }
  }
}
