import { addressOf } from '#contract/client.ts';
import type { Batch } from '#contract/batches.ts';
import type { OverloadScenario } from '../../../scenarios/scenario.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import { generate } from './generator.ts';
import type { GeneratorReport, GeneratorTask, MixRequest } from './generator-protocol.ts';
import type { Load } from './load-run.ts';
import { pause } from '../run/stop.ts';

/** Starts a batch by HTTP; the service takes it on or the run ends. */
export function startBatch(
  target: { url: string; key: string },
  projectId: string,
  body: Record<string, unknown> = { all: true },
): Promise<Batch> {
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 1 });
  return client
    .json<Batch>(addressOf('POST /api/projects/{id}/batches', { path: { id: projectId } }), { method: 'POST', body })
    .finally(() => client.close());
}

/** Waits in the database, so that nothing is asked of the service. @returns ms from its creation to its end */
export async function awaitBatch(
  { fleet, signal }: Load,
  id: string,
  onDone?: (done: number) => void,
): Promise<number> {
  for (;;) {
    const [row] = await fleet.sql<{ done: number; tookMs: number | null }[]>`
      SELECT completed + failed AS done, extract(epoch FROM finished_at - created_at)::float8 * 1000 AS "tookMs"
      FROM batches WHERE id = ${id}`;
    const tookMs = row?.tookMs ?? null;
    if (tookMs !== null) return tookMs;
    onDone?.(row?.done ?? 0);
    await pause(50, signal);
  }
}

/** The requests of the scenario's mix over one project. */
export function mixOf(
  { mix, resultsPerRequest, pageSize }: OverloadScenario['phases'],
  project: { projectId: string; imageIds: readonly string[] },
): MixRequest[] {
  const { projectId, imageIds } = project;
  const pages = Math.max(1, Math.floor(imageIds.length / pageSize));
  const results = addressOf('POST /api/segmentation/batch/results');
  const makers: Record<(typeof mix)[number], (turn: number) => MixRequest> = {
    results: (turn) => ({
      name: 'results',
      method: 'POST',
      path: results,
      body: JSON.stringify({
        imageIds: Array.from(
          { length: resultsPerRequest },
          (_, index) => imageIds[(turn * 7 + index) % imageIds.length],
        ),
      }),
    }),
    list: (turn) => ({
      name: 'list',
      method: 'GET',
      path: addressOf('GET /api/projects/{id}/images', {
        path: { id: projectId },
        query: { limit: pageSize, offset: (turn % pages) * pageSize },
      }),
    }),
    image: (turn) => ({
      name: 'image',
      method: 'GET',
      path: addressOf('GET /api/images/{id}', { path: { id: imageIds[turn % imageIds.length]! } }),
    }),
  };
  // Long enough for pages and ids to differ.
  return Array.from({ length: 8 }, (_, turn) => mix.map((name, at) => makers[name](turn * mix.length + at))).flat();
}

/** Sends loads of one mix to one address, each with a seed of its own. */
export function createTraffic(load: Load, target: { url: string; key: string }, mix: MixRequest[]) {
  let { seed } = load.input.options;
  return (
    given: Pick<GeneratorTask, 'load' | 'durationMs'> & { bucketMs?: number; settleMs?: number },
  ): Promise<GeneratorReport> =>
    generate({ ...target, mix, seed: seed++, bucketMs: 500, settleMs: 0, ...given }, load.signal);
}

export const perSecond = ({ ok, tookMs }: GeneratorReport): number => (ok / Math.max(1, tookMs)) * 1000;
export const failures = ({ failed }: GeneratorReport): number => Object.values(failed).reduce((sum, n) => sum + n, 0);
