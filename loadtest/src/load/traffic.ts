import type { Sql } from 'postgres';
import { addressOf } from '#contract/client.ts';
import type { Batch } from '#contract/batches.ts';
import type { OverloadScenario } from '../../../scenarios/scenario.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import { identitiesOfBatch, type ToldAt } from '../measure/batch-identities.ts';
import { littlesLaw, type Identity } from '../measure/identities.ts';
import type { Counted } from '../measure/littles-law.ts';
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

const LOOK_MS = 50;

/**
 * Looks at a batch in the database until it ends, so that nothing is asked of the service. An image's end is written before its
 * transaction can be seen: what is open when a look begins may hold ends as old as itself.
 * @param given.patient a question that fails is asked again
 * @returns ms from its creation to its end
 */
export async function followBatch(
  sql: Sql,
  id: string,
  given: { signal: AbortSignal; everyMs?: number; patient?: boolean; onLook?: (done: number, look: Counted) => void },
): Promise<number> {
  const { signal, everyMs = LOOK_MS, patient = false, onLook } = given;
  const ask = async () => {
    const [open] = await sql<{ sinceMs: number }[]>`
      SELECT extract(epoch FROM least(min(xact_start), clock_timestamp()))::float8 * 1000 AS "sinceMs"
      FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL`;
    const [row] = await sql<{ done: number; total: number; tookMs: number | null; atMs: number }[]>`
      SELECT completed + failed AS done, total, extract(epoch FROM finished_at - created_at)::float8 * 1000 AS "tookMs",
             extract(epoch FROM clock_timestamp())::float8 * 1000 AS "atMs"
      FROM batches WHERE id = ${id}`;
    return row && { ...open, ...row };
  };
  for (;;) {
    const look = await ask().catch((error: unknown) => {
      if (!patient) throw error;
    });
    if (look) {
      const { done, total, tookMs, ...when } = look;
      if (tookMs !== null) return tookMs;
      onLook?.(done, { ...when, left: total - done });
    }
    await pause(everyMs, signal);
  }
}

/**
 * Waits for the end of a batch, and has what was counted on the way agree with its rows. Of one that others run beside, this is called
 * when it starts: what nobody counted can't be compared.
 * @returns ms from its creation to its end
 */
export function awaitBatch(
  { fleet, signal, checks }: Pick<Load, 'fleet' | 'signal' | 'checks'>,
  id: string,
  given: { onDone?: (done: number) => void; toldAt?: ToldAt; everyMs?: number } = {},
): Promise<number> {
  const { onDone, toldAt, ...rest } = given;
  const counted: Counted[] = [];
  const onLook = (done: number, look: Counted) => {
    counted.push(look);
    onDone?.(done);
  };
  const ending = followBatch(fleet.sql, id, { ...rest, signal, onLook }).then(async (tookMs) => {
    checks.add(await identitiesOfBatch(fleet.sql, id, { counted, toldAt }));
    return tookMs;
  });
  // Whoever does something else meanwhile hears of a stop there.
  ending.catch(() => {});
  return ending;
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

/** Sends a load, and has the requests that were on their way agree with their times. */
export async function sendLoad({ signal, checks }: Pick<Load, 'signal' | 'checks'>, task: GeneratorTask) {
  const report = await generate(task, signal);
  checks.add([requestLaw(report)]);
  return report;
}
const requestLaw = ({ inFlight, sent }: GeneratorReport): Identity =>
  littlesLaw(inFlight, {
    name: 'Little’s law of requests',
    what: 'requests on their way as counted; by their rate and mean time in the histogram',
    of: sent,
  });

/** Sends loads of one mix to one address, each with a seed of its own. */
export function createTraffic(load: Load, target: { url: string; key: string }, mix: MixRequest[]) {
  let { seed } = load.input.options;
  return (
    given: Pick<GeneratorTask, 'load' | 'durationMs'> & { bucketMs?: number; settleMs?: number },
  ): Promise<GeneratorReport> => sendLoad(load, { ...target, mix, seed: seed++, bucketMs: 500, settleMs: 0, ...given });
}

export const perSecond = ({ ok, tookMs }: GeneratorReport): number => (ok / Math.max(1, tookMs)) * 1000;
export const failures = ({ failed }: GeneratorReport): number => Object.values(failed).reduce((sum, n) => sum + n, 0);
