import type { BrowseKind, BrowseScenario } from '../../../scenarios/scenario.ts';
import type { Measurement, ReportTable, RunData } from '../contract.ts';
import { seedLargeFile } from '../drivers/downloads.ts';
import { openLedgerSocket, toldBy, type FrameLog, type LedgerSocket } from '../drivers/ledger-socket.ts';
import { identitiesOfBatch } from '../measure/batch-identities.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { browseMix } from './browse-mix.ts';
import type { GeneratorReport } from './generator-protocol.ts';
import { runLoad, type Load } from './load-run.ts';
import { timed, whyShort } from './pacing.ts';
import { seedProject } from './simulated.ts';
import { awaitBatch, failures, sendLoad, startBatch } from './traffic.ts';

const SIDE = 256;
const BUCKET_MS = 1000;
const ENDS_WITHIN_MS = 60_000;
/** A window and a poll of the hub, with a margin: what has not come by then is not coming. */
const LAST_FRAME_MS = 1500;

const KINDS: Record<BrowseKind, string> = {
  list: 'page of the image list',
  detail: 'one image',
  result: 'result of one image',
  results: 'results of many images',
  graphql: 'project and images by GraphQL',
  range: 'range of a download',
  submit: 'start of a batch',
};

export function runBrowse(scenario: BrowseScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: scenario.phases.imageMs };
  return runLoad({ scenario, plan, startedAt, input }, (load) => browse(scenario, load));
}

interface BatchRow {
  id: string;
  total: number;
  completed: number;
  failed: number;
  open: boolean;
  projectId: string;
}

/** Every batch of the run, once all have ended or the time for it is over. */
async function endedBatches({ fleet, signal }: Load): Promise<BatchRow[]> {
  for (const until = Date.now() + ENDS_WITHIN_MS; ;) {
    const rows = await fleet.sql<BatchRow[]>`
      SELECT id, project_id AS "projectId", total, completed, failed, finished_at IS NULL AS open FROM batches`;
    if (rows.every(({ open }) => !open) || Date.now() > until) return rows;
    await pause(100, signal);
  }
}

/** What subscribers saw of the terminal events of these batches. */
export function seenBy(
  logs: ReadonlyMap<string, FrameLog>,
  batches: readonly Pick<BatchRow, 'id' | 'projectId' | 'completed' | 'failed'>[],
) {
  const seen = { received: 0, missing: 0, duplicates: 0, gaps: 0 };
  for (const log of logs.values()) seen.gaps += log.sequenceGaps();
  for (const { id, projectId, completed, failed } of batches) {
    const log = logs.get(projectId);
    if (!log) continue;
    const byImage = [...log.terminalOf(id).values()];
    const received = byImage.reduce((sum, events) => sum + events.length, 0);
    seen.received += received;
    seen.duplicates += received - byImage.length;
    seen.missing += Math.max(0, completed + failed - byImage.length);
  }
  return seen;
}

async function browse({ phases }: BrowseScenario, load: Load): Promise<void> {
  const { input, fleet, signal } = load;
  const { seed, quick, count } = input.options;
  const images = count ?? phases.pageSize;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const seeded = (name: string, number: number) => seedProject(fleet.sql, { name, images: number, side: SIDE, seed });
  const sockets = new Map<string, LedgerSocket>();
  const world = await load.phase('results to read', async () => {
    const project = await seeded('browse', images);
    const users = await Promise.all(
      Array.from({ length: phases.users }, (_, user) => seeded(`user ${user + 1}`, phases.imagesPerUser)),
    );
    for (const { projectId } of [project, ...users])
      sockets.set(projectId, await openLedgerSocket({ baseUrl: target.url, key: target.key, projectId }));
    const batch = await startBatch(target, project.projectId);
    await awaitBatch(load, batch.id);
    const { dataDir, sql } = fleet;
    const file = await seedLargeFile({ sql, dataDir, batchId: batch.id, mebibytes: phases.fileMebibytes, seed });
    return { ...project, file, userProjects: users.map(({ projectId }) => projectId) };
  });

  const report = await load.phase(
    'browsing',
    () =>
      sendLoad(load, {
        ...target,
        mix: browseMix(phases, world),
        seed,
        load: { kind: 'open', perSecond: phases.requestsPerSecond },
        durationMs: phases.warmMs + (quick ? phases.quickMs : phases.durationMs),
        settleMs: phases.warmMs,
        bucketMs: BUCKET_MS,
      }),
    ({ ok, intended }) => `${ok} answered of ${intended}`,
  );
  const batches = await load.phase('the last batches', () => endedBatches(load));
  await pause(LAST_FRAME_MS, signal);
  const logs = new Map([...sockets].map(([projectId, { log }]) => [projectId, log]));
  const seen = seenBy(logs, batches);
  for (const { id, projectId } of batches) {
    const log = logs.get(projectId);
    load.checks.add(await identitiesOfBatch(fleet.sql, id, { toldAt: log && toldBy(log, id) }));
  }
  const lost = [...sockets.values()].filter((socket) => socket.closed() !== undefined).length;
  for (const socket of sockets.values()) socket.close();
  const sum = (pick: 'total' | 'completed' | 'failed') => batches.reduce((all, batch) => all + batch[pick], 0);
  load.images = sum('total');
  load.delivery = {
    submitted: sum('total'),
    completed: sum('completed'),
    failed: sum('failed'),
    terminalEventsReceived: seen.received,
    duplicates: seen.duplicates,
    missing: seen.missing,
    sequenceGaps: seen.gaps,
  };
  judgeable(load, phases.mix, report, { ...seen, lost });
  load.tables.push(kindTable(phases, report));
  plot(load, report);
}

function judgeable(
  load: Load,
  mix: readonly BrowseKind[],
  report: GeneratorReport,
  seen: ReturnType<typeof seenBy> & { lost: number },
): void {
  const { sent, intended, lagP99Ms, refused, failed, wrong, byName } = report;
  const short = whyShort(sent, intended, lagP99Ms);
  const measured = (actual: number | null, note?: string): Measurement => ({
    actual,
    ...(note ? { note } : {}),
    ...(short ? { weakened: short } : {}),
  });
  for (const kind of new Set(mix)) {
    const one = byName[kind];
    load.measurements[`browse_${kind}_p95_ms`] = one
      ? { ...timed(one.p95Ms, `${one.count} answers`, short), percentile: { q: 0.95, hdr: one.hdr } }
      : measured(null, 'none was answered');
  }
  const words = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name}: ${count}`)
      .join(', ');
  load.measurements.browse_failed_requests = measured(failures(report), words(failed));
  load.measurements.browse_refused_requests = timed(refused, `of ${sent}`, short);
  load.measurements.browse_wrong_answers = measured(
    Object.values(wrong).reduce((sum, count) => sum + count, 0),
    words(wrong),
  );
  load.measurements.browse_frame_gaps = {
    ...measured(
      seen.gaps + seen.missing + seen.duplicates + seen.lost,
      `${seen.received} terminal events came to the subscribers${seen.lost > 0 ? `, ${seen.lost} of whom were cut off` : ''}`,
    ),
    ...(seen.received > 0 ? {} : { weakened: 'no event came' }),
  };
}

function kindTable({ requestsPerSecond, users }: BrowseScenario['phases'], report: GeneratorReport): ReportTable {
  const { byName, wrong, lagP99Ms } = report;
  return {
    title: 'Answers by kind',
    note: `${requestsPerSecond} requests a second from clients that do not wait for each other (open loop, Poisson), ${users + 1} subscribers; latency from the intended start. Requests started ${lagP99Ms?.toFixed(1) ?? '–'} ms late at most (p99). The images’ results are simulated.`,
    columns: [
      { name: 'kind' },
      { name: 'answered', unit: 'count' },
      { name: 'p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
      { name: 'slowest', unit: 'ms' },
      { name: 'wrong', unit: 'count' },
    ],
    rows: (Object.keys(KINDS) as BrowseKind[]).flatMap((kind) => {
      const one = byName[kind];
      return one ? [[KINDS[kind], one.count, one.p50Ms, one.p95Ms, one.p99Ms, one.maxMs, wrong[kind] ?? 0]] : [];
    }),
  };
}

function plot(load: Load, { buckets }: GeneratorReport): void {
  const line = (pick: 'p50Ms' | 'p99Ms') =>
    buckets.flatMap((one): [number, number][] => (one[pick] === null ? [] : [[one.atMs, one[pick]]]));
  load.plots.push({
    title: 'Latency over the run',
    note: 'All kinds together, by intended start; the first seconds warm up and are not judged.',
    x: { name: 'time', unit: 'ms' },
    y: { name: 'latency', unit: 'ms' },
    series: [
      { name: 'p50', points: line('p50Ms') },
      { name: 'p99', points: line('p99Ms') },
    ],
  });
}
