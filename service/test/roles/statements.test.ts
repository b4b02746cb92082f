import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { fakeBackend, insertProject, wrongCounters } from '../batches/fixture.ts';
import { startPath } from './path.ts';

const IMAGES = 100;
const WORKERS = 2;

/** Answers each image after the one before it, a place at a time, as a child does. */
function steadyBackend(executionMs: number) {
  const places = Array.from({ length: WORKERS }, () => Promise.resolve());
  let next = 0;
  return fakeBackend(() => {
    const place = next++ % WORKERS;
    places[place] = places[place]!.then(() => sleep(executionMs));
    return places[place];
  });
}
/** Statements that a role has sent to PostgreSQL since its start. */
async function statementsOf({ metricsUrl }: { metricsUrl: string }): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(/^segbench_db_query_duration_seconds_count\S* (\d+)/m.exec(text)![1]);
}

it('claims and writes in groups where results come one by one: few statements an image', async () => {
  const path = await startPath({ WORKERS: String(WORKERS), QUEUE_WINDOW: '500', EVENT_WINDOW_MS: '100' });
  try {
    const { projectId } = await insertProject(path.sql, IMAGES);
    await path.relay();
    const worker = await path.worker(steadyBackend(60).backend);
    const before = await statementsOf(worker);
    const batch = await path.start(projectId);
    await path.ended(batch.id);
    const sent = (await statementsOf(worker)) - before;
    // A claim has 6 and a settled group 8: an image by itself would have 14.
    expect(sent).toBeGreaterThan(0);
    expect(sent / IMAGES).toBeLessThan(3);
    expect((await path.get(batch.id)).counts.completed).toBe(IMAGES);
    expect(await wrongCounters(path.sql)).toEqual([]);
  } finally {
    await path.close();
  }
});
