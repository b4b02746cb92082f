import type { Identity, RunData } from '../contract.ts';
import { apiLatencyMeanMs, queryCount, queryP95, workerTransactions } from '../measure/api.ts';
import { identitiesOf } from '../measure/identities.ts';
import { reconcile } from '../measure/ledger.ts';
import { readLedger } from '../measure/ledger-rows.ts';
import { percentileOf } from '../measure/percentile.ts';
import type { Sample } from '../measure/prometheus.ts';
import { growthBetween, scrapeAll } from '../measure/scrape.ts';
import { harnessStages, readStageSums, readStages } from '../measure/stages.ts';
import { measured, need, type Bench } from './bench.ts';
import { readStageSpans, tellStory, type Story } from './story.ts';

export interface Collected {
  delivery: RunData['delivery'];
  stages: RunData['stages'];
  failedByCode: Record<string, number>;
  findings: string[];
  database?: RunData['database'];
  batchEvents?: RunData['batchEvents'];
  identities: Identity[];
  story: Story;
}

/** What every role counted since the run began: latencies of routes and queries. */
export async function collectCounters(bench: Bench): Promise<void> {
  const after = await scrapeAll(bench.services.processes);
  bench.scrapes['end'] = after;
  for (const [name, scrapes] of Object.entries(bench.scrapes))
    await bench.folder.text(
      `raw/metrics-${name}.prom`,
      scrapes.map(({ role, pid, text }) => `# ${role} ${pid}\n${text}`).join('\n'),
    );
  const counted: Sample[] = growthBetween(need(bench.scrapes['start'], 'the first scrape'), after);
  measured(bench, 'api_latency_mean_ms', { actual: apiLatencyMeanMs(counted) });
  measured(bench, 'db_query_p95_ms', queryP95(counted) ?? { actual: null });
}

export async function collectProcesses(bench: Bench): Promise<RunData['process']> {
  const uses = bench.sampler.summary();
  const peakOf = (...roles: string[]) => Math.max(0, ...roles.map((role) => uses[role]?.rssPeakBytes ?? 0));
  measured(bench, 'service_rss_bytes', peakOf('api'));
  measured(bench, 'worker_rss_bytes', peakOf('worker', 'inference'));
  return uses;
}

/** Adds up every image's way, and what the database recorded of the measured batch. */
export async function collectLedger(bench: Bench): Promise<Collected> {
  const { sql } = bench.services;
  const projectId = need(bench.projectId, 'the project');
  const first = need(bench.first, 'the batch');
  const batchIds = [first, bench.burst].flatMap((followed) => (followed ? [followed.batch.id] : []));
  const { rows, counters, strayEvents } = await readLedger({
    sql,
    projectId,
    batchIds,
    uploaded: need(bench.upload, 'the upload').uploaded,
    outside: bench.socket?.log,
    browser: bench.page?.frames,
    cells: bench.cells,
  });
  await bench.folder.ndjson('raw/ledger.ndjson', rows);
  const sequenceGaps = (bench.page?.frames.sequenceGaps() ?? 0) + (bench.socket?.log.sequenceGaps() ?? 0);
  const { delivery, findings } = reconcile({ rows, counters, strayEvents, sequenceGaps });
  measured(bench, 'delivery_missing', { actual: delivery.missing, ...(findings[0] ? { note: findings[0] } : {}) });
  measured(bench, 'delivery_duplicates', delivery.duplicates);

  const executions = await sql<{ ms: number }[]>`
    SELECT r.processing_ms AS ms FROM batch_items b JOIN results r ON r.id = b.result_id
    WHERE b.batch_id = ${first.batch.id}`;
  const inference = percentileOf(
    executions.map(({ ms }) => ms),
    0.95,
  );
  if (inference) measured(bench, 'inference_p95_ms', inference);
  const failed = await sql<{ code: string; count: number }[]>`
    SELECT coalesce(error_code, 'UNKNOWN') AS code, count(*)::int AS count FROM batch_items
    WHERE batch_id = ${first.batch.id} AND status = 'failed' GROUP BY 1`;
  const stages = {
    ...(await readStages(sql, projectId, first.batch.id)),
    ...harnessStages(rows, bench.client.settleMs),
  };
  const identities = identitiesOf({
    batchId: first.batch.id,
    rows,
    frames: bench.socket?.log.frames() ?? [],
    stages: await readStageSums(sql, first.batch.id),
  });
  return {
    delivery,
    identities,
    story: tellStory(rows, await readStageSpans(sql, first.batch.id), bench.sampler.series()),
    stages,
    findings,
    failedByCode: Object.fromEntries(failed.map(({ code, count }) => [code, count])),
    ...queriesOf(bench, rows.length),
    ...eventsOf(bench, first.batch.id),
  };
}

function queriesOf(bench: Bench, images: number): Pick<Collected, 'database'> {
  const { beforeBatch, afterBatch } = bench.scrapes;
  if (!beforeBatch || !afterBatch || images === 0) return {};
  const growth = growthBetween(beforeBatch, afterBatch);
  const queries = queryCount(growth);
  return { database: { queries, queriesPerImage: queries / images, ...workerTransactions(growth) } };
}

function eventsOf({ socket }: Bench, batchId: string): Pick<Collected, 'batchEvents'> {
  const [from, to] = [socket?.log.firstFrameOf(batchId), socket?.log.lastFrameOf(batchId)];
  if (!socket || from === undefined || to === undefined) return {};
  return { batchEvents: { frames: socket.log.framesOf(batchId), durationMs: to - from } };
}
