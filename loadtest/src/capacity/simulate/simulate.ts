import { createRandom } from '../../images/random.ts';
import { createEvents } from './events.ts';
import { createMachine, type Machine } from './machine.ts';
import { createRelay } from './relay.ts';
import { createSchedule } from './schedule.ts';
import type { PipelineParts, SimulationInput, SimulationOutcome } from './simulation.ts';
import { createStation, SLICE_MS, type Station } from './station.ts';

/** As many points as a line can show. */
const POINTS = 200;
/** Of the transactions that an image is part of: hand-out, claim, result, numbering. */
const TRANSACTIONS = 4;
/** What a transaction costs beside its rows, in rows (`service/src/batches/write.ts`), and the rows of a full one. */
const [OVERHEAD_ROWS, FULL_ROWS] = [10, 32];

/** Time of one transaction at the database. */
export function transactionMs({ msPerImage }: PipelineParts['database'], rows: number): number {
  const rowMs = msPerImage / (TRANSACTIONS * (1 + OVERHEAD_ROWS / FULL_ROWS));
  return rowMs * (OVERHEAD_ROWS + rows);
}

/**
 * A run of the pipeline as discrete events on a virtual clock: relay window, queue, worker processes with the batcher's own code,
 * result writer, database as a server, event windows. The same input gives the same outcome, to the last digit.
 * @throws Error where images never ended, which is a defect of the simulation
 */
export function simulate(input: SimulationInput): SimulationOutcome {
  const { images, arrivals, parts } = input;
  const schedule = createSchedule();
  const arrivalLuck = createRandom(input.seed, 1);
  const arrivedMs = new Float64Array(images);
  const staysMs = new Float64Array(images);
  const waitsMs = new Float64Array(images);
  // In the order in which they are written, which is that of time.
  const writtenMs = new Float64Array(images);
  const backlog: [number, number][] = [[0, 0]];
  const every = Math.max(1, Math.floor(images / POINTS));
  let [arrived, ended, area, areaAt] = [0, 0, 0, 0];

  const count = (): void => {
    area += (arrived - ended) * (schedule.now() - areaAt);
    areaAt = schedule.now();
  };
  function end(image: number): void {
    count();
    ended++;
    staysMs[image] = schedule.now() - arrivedMs[image]!;
    if (ended % every === 0 || ended === images) backlog.push([schedule.now(), arrived - ended]);
  }
  const started = (image: number): void => void (waitsMs[image] = schedule.now() - arrivedMs[image]!);

  let written = 0;
  const stations: Record<string, Station> = {};
  const machines: Machine[] = [];
  const perMachine = Math.ceil(input.workers / input.machines);
  const hostCores = parts?.hostCores ?? null;
  const host = hostCores === null ? null : (stations['machine'] = createStation(schedule, hostCores, null, SLICE_MS));
  const station = (name: string, servers: number): Station => (stations[name] = createStation(schedule, servers, host));
  const database = parts === null ? null : station('PostgreSQL', parts.database.cores);
  const transaction = (rows: number, done: () => void): void =>
    parts === null || database === null ? done() : database.serve(transactionMs(parts.database, rows), done);
  const events =
    parts === null
      ? null
      : createEvents(schedule, {
          windowMs: parts.eventWindowMs,
          apiMs: parts.apiMs,
          transaction,
          deliver: end,
          station,
        });
  const relay =
    parts === null ? null : createRelay(schedule, { parts, transaction, station, machines, ended: () => written });
  for (let left = input.workers, id = 0; left > 0; left -= perMachine, id++)
    machines.push(
      createMachine(schedule, {
        input,
        workers: Math.min(left, perMachine),
        random: createRandom(input.seed, 2 + id),
        transaction,
        station,
        name: `worker process ${id + 1}`,
        started,
        finished(image) {
          writtenMs[written++] = schedule.now();
          if (events === null) end(image);
          else events.add(image);
        },
        hasRoom: () => relay?.feed(),
      }),
    );

  function arrive(): void {
    count();
    arrivedMs[arrived] = schedule.now();
    const image = arrived++;
    if (relay === null) machines[image % machines.length]!.offer(image);
    else relay.add(image);
  }
  if (arrivals.kind === 'at once') {
    while (arrived < images) arrive();
    backlog[0] = [0, images];
  } else {
    const next = (): void => {
      arrive();
      if (arrived < images) schedule.after(gap(), next);
    };
    const gap = (): number => (-Math.log(1 - arrivalLuck()) / arrivals.perSecond) * 1000;
    schedule.after(gap(), next);
  }
  schedule.runAll();
  if (ended !== images) throw new Error(`${images - ended} of ${images} images never ended in the simulation`);
  const tookMs = schedule.now() - arrivedMs[0]!;
  const executions = machines.reduce((sum, machine) => sum + machine.executions(), 0);
  const busyMs = machines.reduce((sum, machine) => sum + machine.busyMs(), 0);
  return {
    images,
    tookMs,
    perSecond: (images / tookMs) * 1000,
    staysMs: staysMs.toSorted(),
    writtenMs,
    meanWaitMs: waitsMs.reduce((sum, ms) => sum + ms, 0) / images,
    waitsMs: waitsMs.toSorted(),
    meanInside: area / schedule.now(),
    meanBatch: images / executions,
    peaks: {
      outbox: relay?.peaks().outbox ?? 0,
      redis: relay?.peaks().redis ?? 0,
      held: machines.reduce((most, machine) => Math.max(most, machine.peak()), 0),
    },
    busy: {
      workers: busyMs / (input.workers * schedule.now()),
      ...Object.fromEntries(Object.entries(stations).map(([name, station]) => [name, station.busy()])),
    },
    backlog,
  };
}
