import type { RoleProcess } from '../../../service/src/role-process.ts';
import type { DrainScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import { toldBy } from '../drivers/ledger-socket.ts';
import { pause } from '../run/stop.ts';
import type { RunInput } from '../run/run-input.ts';
import { OVERLOAD } from '../../../scenarios/overload.ts';
import { startBalancer } from './balancer.ts';
import type { GeneratorReport } from './generator-protocol.ts';
import { runLoad, type Load } from './load-run.ts';
import { whyShortOf } from './pacing.ts';
import { openResumingSocket } from './resuming-socket.ts';
import { seedProject, wrongCounters } from './simulated.ts';
import { awaitBatch, createTraffic, failures, mixOf, startBatch } from './traffic.ts';

const SIDE = 64;
/** Requests that go on after the last process was replaced. */
const AFTER_MS = 1500;
const LONGEST_MS = 10 * 60_000;

export function runDrain(scenario: DrainScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const { imageMs, drainMs } = scenario.phases;
  // What is refused by a busy process is the scenario overload's; one place a worker, so that there are two of them.
  const plan = { simulatedMs: imageMs, settings: { DRAIN_MS: String(drainMs), WORKERS: '1', LOAD_SHEDDING: 'off' } };
  return runLoad({ scenario, plan, startedAt, input }, (load) => drain(scenario, load));
}

interface Ended {
  what: string;
  code: number | null;
  signal: string | null;
  tookMs: number;
}

async function drain({ phases }: DrainScenario, load: Load): Promise<void> {
  const { fleet, signal } = load;
  const { options } = load.input;
  const images = options.count ?? 1500;
  load.images = images;
  const balancer = await startBalancer(phases);
  const apis = [await load.start('api'), await load.start('api')];
  const [, ...workers] = await Promise.all([load.start('relay'), load.start('worker'), load.start('worker')]);
  for (const api of apis) await balancer.add(api.url!);
  const target = { url: balancer.url, key: fleet.key };
  const project = await seedProject(fleet.sql, { name: 'drain', images, side: SIDE, seed: options.seed });
  const socket = openResumingSocket({ ...target, projectId: project.projectId });
  try {
    await pause(300, signal);
    const ended: Ended[] = [];
    const over = new AbortController();
    const traffic = requests(phases, load, target, project, over.signal);
    const batch = await startBatch(target, project.projectId);
    const ends = awaitBatch(load, batch.id, { toldAt: toldBy(socket.log, batch.id) });
    const replace = async (role: 'api' | 'worker', old: RoleProcess): Promise<void> => {
      const end = await fleet.end(old);
      ended.push({ what: `${role} ${old.pid}`, ...end });
      // Nobody tells a balancer that a process is gone.
      if (old.url) await balancer.remove(old.url);
      const next = await load.start(role);
      if (next.url) await balancer.add(next.url);
      await pause(phases.restMs, signal);
    };
    let stillOpen = false;
    await load.phase('rolling restart', async () => {
      await pause(phases.restMs, signal);
      for (const api of apis) await replace('api', api);
      for (const worker of workers) await replace('worker', worker);
      const [row] = await fleet.sql<{ open: boolean }[]>`
        SELECT finished_at IS NULL AS open FROM batches WHERE id = ${batch.id}`;
      stillOpen = row?.open ?? false;
    });
    await load.phase('the rest of the batch', () => ends);
    await pause(AFTER_MS, signal);
    over.abort();
    const report = await traffic;
    for (const [why, count] of Object.entries(balancer.failures()))
      load.notes.push(`the balancer failed ${count} times: ${why}`);
    await judge(load, { batchId: batch.id, images, socket, ended, report, stillOpen });
  } finally {
    socket.close();
    await balancer.close();
  }
}

interface Requests {
  sent: number;
  ok: number;
  pieces: GeneratorReport[];
  /** By status or error. */
  failed: Record<string, number>;
}

/** A steady load in pieces of a second, so that it ends when the restart has. */
async function requests(
  { requestsPerSecond }: DrainScenario['phases'],
  load: Load,
  target: { url: string; key: string },
  project: { projectId: string; imageIds: string[] },
  over: AbortSignal,
): Promise<Requests> {
  const mix = mixOf({ ...OVERLOAD.phases, mix: ['list', 'image', 'image'] }, project);
  const send = createTraffic(load, target, mix);
  const total: Requests = { sent: 0, ok: 0, pieces: [], failed: {} };
  const began = Date.now();
  while (!over.aborted && Date.now() - began < LONGEST_MS) {
    const one = await send({ load: { kind: 'open', perSecond: requestsPerSecond }, durationMs: 4000 });
    total.pieces.push(one);
    total.sent += one.sent;
    total.ok += one.ok;
    if (one.refused > 0) total.failed['refused'] = (total.failed['refused'] ?? 0) + one.refused;
    for (const [name, count] of Object.entries(one.failed)) total.failed[name] = (total.failed[name] ?? 0) + count;
  }
  return total;
}

async function judge(
  load: Load,
  seen: {
    batchId: string;
    images: number;
    socket: ReturnType<typeof openResumingSocket>;
    ended: Ended[];
    report: Requests;
    stillOpen: boolean;
  },
): Promise<void> {
  const { batchId, images, socket, ended, report, stillOpen } = seen;
  const { fleet, measurements } = load;
  const [counts] = await fleet.sql<{ completed: number; again: number }[]>`
    SELECT count(*) FILTER (WHERE status = 'completed')::int AS completed, count(*) FILTER (WHERE attempts > 1)::int AS again
    FROM batch_items WHERE batch_id = ${batchId}`;
  const { completed, again } = counts ?? { completed: 0, again: 0 };
  const terminal = socket.log.terminalOf(batchId);
  const events = [...terminal.values()].reduce((sum, list) => sum + list.length, 0);
  const missing = images - terminal.size;
  const duplicates = events - terminal.size;
  const counters = await wrongCounters(fleet.sql);
  const bad = ended.filter(({ code, signal }) => code !== 0 || signal !== null);
  const codes = socket.codes();
  const strange = codes.filter((code) => code !== 1001);
  const failedNames = Object.entries(report.failed).map(([name, count]) => `${name}: ${count}`);
  const early = stillOpen ? {} : { weakened: 'the batch ended before the last process was replaced' };
  // A process that ends has less to answer, and less that can fail, under a load that comes late. The batch, its events and how a process
  // ends don't depend on these requests.
  const short = whyShortOf(report.pieces);
  const late = short === undefined ? {} : { weakened: short };
  Object.assign(measurements, {
    drain_failed_requests: {
      actual: failures({ failed: report.failed } as Parameters<typeof failures>[0]),
      note: [`${report.ok} of ${report.sent} answered`, ...failedNames].join('; '),
      ...late,
    },
    drain_images_wrong: {
      actual: images - completed + missing + duplicates + counters,
      note: `${completed} of ${images} completed, ${again} after more than one attempt; ${missing} events missing, ${duplicates} twice; ${counters} wrong counters`,
      ...early,
    },
    drain_sequence_gaps: {
      actual: socket.log.sequenceGaps() + socket.log.snapshots(),
      note: `sockets closed with ${codes.join(', ') || 'nothing'}`,
      ...(codes.length > 0 ? {} : { weakened: 'no socket was closed' }),
    },
    drain_bad_exits: { actual: bad.length + strange.length },
    drain_exit_ms: { actual: Math.max(...ended.map(({ tookMs }) => tookMs)), ...late },
  });
  load.delivery = {
    submitted: images,
    completed,
    terminalEventsReceived: events,
    duplicates,
    missing,
    sequenceGaps: socket.log.sequenceGaps(),
  };
  load.tables.push({
    title: 'Processes that were asked to end',
    columns: [{ name: 'process' }, { name: 'code' }, { name: 'until its end', unit: 'ms' }],
    rows: ended.map(({ what, code, signal, tookMs }) => [what, signal ?? String(code), tookMs]),
  });
}
