import { addressOf } from '#contract/client.ts';
import { createHttpClient, type HttpClient } from '../drivers/http-client.ts';
import { openLedgerSocket, type FrameLog } from '../drivers/ledger-socket.ts';
import { queryCount } from '../measure/api.ts';
import { createLagMeter, foreignShare, readMachineCpu } from '../measure/noise.ts';
import { histogramMean, sumOf, type Sample } from '../measure/prometheus.ts';
import { growthBetween, scrapeAll, type Scrape } from '../measure/scrape.ts';
import { quantile } from '../measure/statistics.ts';
import { netQueriesPerImage } from '../measure/window-queries.ts';
import { orStop, pause } from '../run/stop.ts';
import type { BlockFigures } from './contract.ts';
import { readMix } from './read-mix.ts';
import { cpuByRole, isServer } from './side/tree.ts';
import type { Side } from './side/side.ts';

export interface BlockInput {
  side: Side;
  projectId: string;
  imageIds: readonly string[];
  threshold: number;
  /** Images of a batch before the measured one, whose figures nobody sees. */
  warmImages: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** After the batch's end this long for events that are late. */
const LATE_EVENTS_MS = 3_000;
const POLL_MS = 5;
const STAGES = 'segbench_stage_duration_seconds';
const WARNINGS = 'segbench_process_warnings_total';

/** Runs one batch of all images on a side that was just woken, and says what it cost. The other side sleeps. */
export async function measureBlock(input: BlockInput): Promise<BlockFigures> {
  const { side, projectId, signal } = input;
  const client = createHttpClient({ baseUrl: side.url, key: side.key, connections: 8 });
  try {
    const socket = await orStop(signal, openLedgerSocket({ baseUrl: side.url, key: side.key, projectId }));
    try {
      const warm = input.imageIds.slice(0, input.warmImages);
      if (warm.length > 0) await runBatch(client, socket.log, { ...input, imageIds: warm });
      return await measure(client, socket.log, input);
    } finally {
      socket.close();
    }
  } finally {
    client.close();
  }
}

async function measure(client: HttpClient, log: FrameLog, input: BlockInput): Promise<BlockFigures> {
  const { side, imageIds, projectId, signal } = input;
  const images = imageIds.length;
  const lag = createLagMeter(10);
  const [machine, own, scrapes, before] = await Promise.all([
    readMachineCpu(),
    Promise.resolve(process.cpuUsage()),
    scrapeAll(side.metrics),
    side.tree(),
  ]);
  const batch = await runBatch(client, log, input);
  const [after, machineAfter] = await Promise.all([side.tree(), readMachineCpu()]);
  const harness = process.cpuUsage(own);
  lag.stop();
  const scraped = await scrapeAll(side.metrics);
  const counted = growthBetween(scrapes, scraped);
  const used = difference(cpuByRole(before), cpuByRole(after));
  const ownSeconds = total(used, () => true) + (harness.user + harness.system) / 1e6;
  const reads = await readMix(client, { projectId, imageIds, signal });
  return {
    cpuMsPerImage: (total(used, (role) => !isServer(role)) * 1000) / images,
    imageP50Ms: quantile(batch.imageMs, 0.5),
    imageP95Ms: quantile(batch.imageMs, 0.95),
    batchMsPerImage: batch.durationMs / images,
    imagesPerSecond: (images / batch.durationMs) * 1000,
    apiP50Ms: quantile(reads.latenciesMs, 0.5),
    apiP95Ms: quantile(reads.latenciesMs, 0.95),
    queriesPerImage: side.metrics.length > 0 ? netQueriesPerImage(queryCount(counted), images, batch.frames) : null,
    apiBytesPerImage: reads.bytes / images,
    framesPerBatch: batch.frames,
    eventsWrong: batch.eventsWrong,
    notCompleted: batch.notCompleted,
    listenerWarnings: listenerWarnings(scraped),
    cpuMsByRole: Object.fromEntries(Object.entries(used).map(([role, seconds]) => [role, (seconds * 1000) / images])),
    stageMs: stageMeans(counted),
    foreignCpuShare: foreignShare(machine, machineAfter, ownSeconds),
    generatorLagP99Ms: lag.p99Ms(),
    durationMs: batch.durationMs,
  };
}

interface RunBatch {
  durationMs: number;
  /** From the POST to the image's event, each image once. */
  imageMs: number[];
  frames: number;
  eventsWrong: number;
  notCompleted: number;
}

/** Starts one batch, computed anew, and follows it by the socket to its last event. */
async function runBatch(client: HttpClient, log: FrameLog, input: BlockInput): Promise<RunBatch> {
  const { projectId, imageIds, threshold, timeoutMs, signal, side } = input;
  const postedAtMs = performance.timeOrigin + performance.now();
  const { id } = await client.call('POST /api/projects/{id}/batches', {
    path: { id: projectId },
    body: { imageIds: [...imageIds], threshold, force: true },
    signal,
  });
  await followed(log, id, { count: imageIds.length, untilMs: Date.now() + timeoutMs, signal }).catch(
    (error: unknown) => {
      throw new Error(`${side.label}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    },
  );
  const events = log.terminalOf(id);
  const first = [...events.values()].flatMap(([event]) => (event ? [event] : []));
  const once = [...events.values()].filter((all) => all.length === 1).length;
  const imageMs = first.map(({ atMs }) => atMs - postedAtMs);
  return {
    durationMs: Math.max(...imageMs),
    imageMs,
    frames: log.framesOf(id),
    eventsWrong: Math.max(imageIds.length, events.size) - once,
    notCompleted: imageIds.length - first.filter(({ status }) => status === 'completed').length,
  };
}

/** Until every image's end was told; or the batch is over, and what was not told by then will not come. */
async function followed(
  log: FrameLog,
  batchId: string,
  given: { count: number; untilMs: number; signal: AbortSignal },
): Promise<void> {
  for (let overAtMs: number | undefined; log.terminalOf(batchId).size < given.count;) {
    if (Date.now() > given.untilMs)
      throw new Error(`${log.terminalOf(batchId).size} of ${given.count} images had ended when the time was up`);
    if (log.isFinished(batchId)) overAtMs ??= Date.now();
    if (overAtMs !== undefined && Date.now() - overAtMs > LATE_EVENTS_MS) break;
    await pause(POLL_MS, given.signal);
  }
  if (log.terminalOf(batchId).size === 0) throw new Error('the batch ended, and not one of its events came');
}

export function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([role, seconds]) => [role, seconds - (before[role] ?? 0)]));
}

export const total = (byRole: Record<string, number>, counts: (role: string) => boolean): number =>
  Object.entries(byRole).reduce((sum, [role, seconds]) => sum + (counts(role) ? seconds : 0), 0);

/** Node warns of an emitter once, whenever that is: counted since the process began. Null: this commit does not count them. */
function listenerWarnings(scraped: readonly Scrape[]): number | null {
  const all = scraped
    .flatMap(({ samples }) => samples)
    .filter(({ name, labels }) => name === WARNINGS && labels['name'] === 'MaxListenersExceededWarning');
  return all.length > 0 ? all.reduce((sum, { value }) => sum + value, 0) : null;
}

/** Mean time of an image in each stage that the service names, ms. */
function stageMeans(counted: readonly Sample[]): Record<string, number> {
  const names = new Set(
    counted.filter(({ name }) => name === `${STAGES}_count`).map(({ labels }) => labels['stage'] ?? ''),
  );
  const means: Record<string, number> = {};
  for (const stage of names) {
    const isIt = (labels: Record<string, string>): boolean => labels['stage'] === stage;
    const mean = sumOf(counted, `${STAGES}_count`, isIt) > 0 ? histogramMean(counted, STAGES, isIt) : null;
    if (mean !== null) means[stage] = mean * 1000;
  }
  return means;
}

/** Asked until it answers 200: a side that was just woken has to notice that time went by. */
export async function awaitReady(side: Side, signal: AbortSignal, withinMs = 20_000): Promise<void> {
  const client = createHttpClient({ baseUrl: side.url, key: side.key, connections: 1 });
  const untilMs = Date.now() + withinMs;
  try {
    for (let last = 'no answer'; ; await pause(50, signal)) {
      const reply = await client
        .request(addressOf('GET /readyz'), { signal, timeoutMs: 5_000 })
        .catch((error: unknown) => void (last = String(error)));
      if (reply?.status === 200) return;
      if (reply) last = `status ${reply.status}`;
      if (Date.now() > untilMs) throw new Error(`${side.label} does not answer after it was woken: ${last}`);
    }
  } finally {
    client.close();
  }
}
