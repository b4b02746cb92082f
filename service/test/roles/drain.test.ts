import { afterEach, beforeEach, expect, it } from 'vitest';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { fakeBackend, insertProject, until, wrongCounters } from '../batches/fixture.ts';
import { startPath, type Path } from './path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath({ LEASE_MS: '600000' });
});
afterEach(() => path.close());

/** Two images run until the gate opens; the others wait behind them, and leave when they are given up. */
function busyBackend(gate: Promise<void>) {
  const fake = fakeBackend();
  const backend: InferenceBackend = {
    ...fake.backend,
    async infer(request, options) {
      const running = fake.asked.length < 2;
      const done = fake.backend.infer(request, options);
      if (running) await gate;
      else
        await new Promise<void>((resolve, reject) => {
          void gate.then(resolve);
          options.signal?.addEventListener('abort', () => reject(options.signal!.reason as Error));
        });
      return done;
    },
  };
  return { asked: fake.asked, backend };
}

it('finishes what runs and hands back the rest at once when a worker ends', async () => {
  const { projectId } = await insertProject(path.sql, 40);
  await path.relay();
  const gate = Promise.withResolvers<void>();
  const busy = busyBackend(gate.promise);
  const worker = await path.worker(busy.backend);
  const batch = await path.start(projectId);
  await until(() => busy.asked.length >= 4);
  const ending = path.end(worker);
  await new Promise((resolve) => setTimeout(resolve, 100));
  gate.resolve();
  await ending;
  expect(await path.sql`SELECT 1 FROM batch_items WHERE status = 'processing'`).toHaveLength(0);
  expect((await path.get(batch.id)).counts).toMatchObject({ completed: 2, queued: 38, processing: 0 });
  const next = fakeBackend();
  await path.worker(next.backend);
  await path.ended(batch.id);
  expect(next.asked).toHaveLength(38);
  const attempts = await path.sql<{ most: number }[]>`SELECT max(attempts) AS most FROM batch_items`;
  expect(attempts[0]!.most).toBe(1);
  expect(await path.sql`SELECT 1 FROM results`).toHaveLength(40);
  expect(await wrongCounters(path.sql)).toEqual([]);
});
