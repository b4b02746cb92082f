import type { ScaleScenario } from '../../../scenarios/scenario.ts';
import type { RoleProcess } from '../../../service/src/role-process.ts';
import type { ReportTable, RunData } from '../contract.ts';
import { openLedgerSocket, toldBy } from '../drivers/ledger-socket.ts';
import { pause } from '../run/stop.ts';
import type { RunInput } from '../run/run-input.ts';
import { runLoad, type Load } from './load-run.ts';
import { seedProject, wrongCounters } from './simulated.ts';
import { awaitBatch, startBatch } from './traffic.ts';

const SIDE = 64;
/** The first few workers have no excuse. */
const FEW = 4;
/** After the batch's end, for events on their way. */
const LATE_MS = 1000;

export function runScaleOut(scenario: ScaleScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const { imageMs, leaseMs } = scenario.phases;
  const settings = { WORKERS: '1', LEASE_MS: String(leaseMs), QUEUE_WINDOW: '2000', DATABASE_POOL: '2' };
  return runLoad({ scenario, plan: { simulatedMs: imageMs, settings }, startedAt, input }, (load) =>
    scaleOut(scenario, load),
  );
}

interface Step {
  workers: number;
  images: number;
  tookMs: number;
  /** Images a second by those of one worker, times the workers. */
  share: number;
}

async function scaleOut({ phases, images }: ScaleScenario, load: Load): Promise<void> {
  const { options } = load.input;
  const counts = options.quick ? phases.quickWorkers : phases.workers;
  const each = options.count ?? (options.quick ? images.quickCount : images.count);
  const api = await load.start('api');
  await load.start('relay');
  const workers: RoleProcess[] = [];
  const steps: Step[] = [];
  const wrong = { events: 0, images: 0 };
  let alone: number | undefined;
  const run = (name: string, count: number, meanwhile?: (done: number) => void) =>
    load.phase(
      name,
      async () => {
        const { tookMs, eventsWrong, notCompleted } = await runBatch(load, api.url!, count, meanwhile);
        wrong.events += eventsWrong;
        wrong.images += notCompleted;
        load.images += count;
        return tookMs;
      },
      (tookMs) => `${(tookMs / 1000).toFixed(1)} s`,
    );
  for (const count of counts) {
    while (workers.length < count) workers.push(await load.start('worker'));
    const tookMs = await run(`${count} workers`, each * count);
    const rate = (each * count) / tookMs;
    alone ??= rate / count;
    steps.push({ workers: count, images: each * count, tookMs, share: rate / count / alone });
  }
  const total = each * workers.length;
  const dead = workers.slice(0, Math.floor(workers.length / 2));
  /** Images that had ended when the workers were killed: the look that finds out may come late. */
  let before: number | undefined;
  const killedMs = await run(`${dead.length} of ${workers.length} workers killed`, total, (done) => {
    if (before !== undefined || done < phases.killAfter * total) return;
    before = done;
    for (const worker of dead) load.fleet.kill(worker);
  });
  const ended = before ?? total;
  const idealMs = phases.imageMs * (ended / workers.length + (total - ended) / (workers.length - dead.length));
  wrong.images += await wrongCounters(load.fleet.sql);
  load.delivery = { submitted: load.images, completed: load.images - wrong.images };
  judge(load, steps, wrong);
  load.measurements.scale_kill_lost_ms = {
    actual: Math.max(0, killedMs - idealMs),
    note: `${Math.round(killedMs)} ms; ${Math.round(idealMs)} ms by arithmetic`,
    ...(before === undefined ? { weakened: 'the batch was over before' } : {}),
  };
  load.tables.push({
    title: 'Images a second by workers',
    note: `Simulated: a timer of ${phases.imageMs} ms stands for every inference, one place a worker; queue, claims, results and events are real.`,
    columns: [
      { name: 'workers', unit: 'count' },
      { name: 'images', unit: 'count' },
      { name: 'time', unit: 'ms' },
      { name: 'images/s' },
      { name: 'share of ideal', unit: 'ratio' },
    ],
    rows: [
      ...steps.map(({ workers: count, images: done, tookMs, share }): ReportTable['rows'][number] => [
        count,
        done,
        tookMs,
        ((done / tookMs) * 1000).toFixed(2),
        share,
      ]),
      [
        `${workers.length}, then ${workers.length - dead.length}`,
        total,
        killedMs,
        ((total / killedMs) * 1000).toFixed(2),
        idealMs / killedMs,
      ],
    ],
  });
}

/** What the steps come to. Pure but for where it puts it. */
export function judge(
  load: Pick<Load, 'measurements'>,
  steps: readonly Step[],
  wrong: { events: number; images: number },
): void {
  const least = (some: readonly Step[]) => {
    const [worst] = some.toSorted((one, other) => one.share - other.share);
    return worst
      ? { actual: worst.share, note: `${worst.workers} workers` }
      : { actual: null, note: 'one worker alone is no step' };
  };
  const more = steps.filter(({ workers }) => workers > 1);
  load.measurements.scale_share_to_4 = least(more.filter(({ workers }) => workers <= FEW));
  load.measurements.scale_share = least(more);
  load.measurements.scale_images_wrong = { actual: wrong.images };
  load.measurements.scale_events_wrong = { actual: wrong.events };
}

/** One batch of new images, told by a socket. @param meanwhile hears how many have ended */
async function runBatch(
  load: Load,
  url: string,
  count: number,
  meanwhile?: (done: number) => void,
): Promise<{ tookMs: number; eventsWrong: number; notCompleted: number }> {
  const { fleet, input, signal } = load;
  const target = { url, key: fleet.key };
  const { projectId } = await seedProject(fleet.sql, {
    name: `${count} images`,
    images: count,
    side: SIDE,
    seed: input.options.seed,
  });
  const socket = await openLedgerSocket({ baseUrl: url, key: fleet.key, projectId });
  try {
    const batch = await startBatch(target, projectId);
    const toldAt = toldBy(socket.log, batch.id);
    const tookMs = await awaitBatch(load, batch.id, { ...(meanwhile ? { onDone: meanwhile } : {}), toldAt });
    await pause(LATE_MS, signal);
    const ends = [...socket.log.terminalOf(batch.id).values()];
    return {
      tookMs,
      eventsWrong: Math.max(count, ends.length) - ends.filter((all) => all.length === 1).length,
      notCompleted: count - ends.filter(([first]) => first?.status === 'completed').length,
    };
  } finally {
    socket.close();
  }
}
