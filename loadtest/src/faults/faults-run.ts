import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FaultsScenario } from '../../../scenarios/scenario.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import type { RunData } from '../contract.ts';
import { generateImages } from '../images/generator.ts';
import type { ImageSet } from '../images/image-set.ts';
import { createIdentityLog } from '../measure/batch-identities.ts';
import { emptyClientSummary } from '../run/bench.ts';
import { describeEnvironment } from '../run/machine.ts';
import { poolText, type RunInput } from '../run/run-input.ts';
import { pause, stoppedBy } from '../run/stop.ts';
import { startWatch } from '../run/watch.ts';
import { runCell, type CellResult, type Deaf } from './cell.ts';
import { matrixOf, roundsOf, type Cell } from './schedule.ts';
import { deliveryOf, measureCells, nameOf, plotOf, tableOf } from './summary.ts';
import { FAULT_TABLE } from './table.ts';
import { FAULT_SETTINGS, LEASE_MS, startWorld, type World } from './world.ts';

/** A reader that takes nothing is found out by the second heartbeat, 30 s after it came. */
const DEAF_CLOSED_AFTER_MS = 36_000;
const CLOSE_SEEN_WITHIN_MS = 10_000;

interface Plan {
  cells: Iterable<Cell>;
  /** Of the matrix; undefined where time decides. */
  count: number | undefined;
  endsAtMs: number;
  awayMs: number;
  words: string;
}

/** What is done with these options: the whole matrix, or rounds of all faults until the time is over. */
function planOf(scenario: FaultsScenario, { options }: RunInput): Plan {
  const { seed, quick, duration, faults } = options;
  const chosen = FAULT_TABLE.filter(({ id }) => faults === undefined || faults.includes(id));
  const seconds = duration ?? (quick ? scenario.quick.durationSeconds : undefined);
  const awayMs = quick || duration !== undefined ? scenario.quick.socketAwayMs : scenario.socketAwayMs;
  if (seconds === undefined) {
    const cells = matrixOf(seed, chosen, scenario.instants);
    const words = `${cells.length} batches: each of ${chosen.length} faults at its instants`;
    return { cells, count: cells.length, endsAtMs: Infinity, awayMs, words: `${words}, seed ${seed}` };
  }
  const words = `rounds of ${chosen.length} faults for ${seconds} s, seed ${seed}`;
  return { cells: roundsOf(seed, chosen), count: undefined, endsAtMs: Date.now() + seconds * 1000, awayMs, words };
}

/** Batches one after the other, a fault in each; what was seen of all of them becomes budgets, a table and a plot. */
export async function runFaults(scenario: FaultsScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const { options, progress, stop, folder } = input;
  progress.phase('start');
  const world = await startWorld({
    workers: options.workers,
    pool: poolText(options),
    queuePrefix: `sb${randomBytes(4).toString('hex')}`,
    log: (line) => folder.event({ atMs: Date.now(), line }),
    stop,
    settings: input.settings,
  });
  try {
    progress.done(world.services.url);
    const set = await makeSet(scenario, input, world);
    const watch = await startWatch(world.services);
    const plan = planOf(scenario, input);
    const run = await runCells(plan, { world, set, scenario, input });
    const { noise, psiCpuSome } = await watch.end();
    const { results, stopped, notes } = run;
    const checks = createIdentityLog();
    for (const result of results) checks.add(result.checks);
    await folder.ndjson('raw/faults.ndjson', results.map(asRecord));
    await folder.ndjson(
      'raw/violations.ndjson',
      results.flatMap((result) => result.violations.map((violation) => ({ fault: nameOf(result), ...violation }))),
    );
    const away = { awayMs: plan.awayMs, fullAwayMs: scenario.socketAwayMs };
    return {
      scenario: scenario.name,
      client: options.client,
      seed: options.seed,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      environment: await describeEnvironment({
        services: world.services,
        kind: 'embedded',
        pool: hideCredentials(poolText(options)),
        psiCpuSome,
        notes: [plan.words, ...settingNotes(), ...notes],
      }),
      images: {
        count: set.images.length,
        source: set.source,
        bytes: set.bytes,
        sha256OfSet: set.sha256OfSet,
        rejected: [],
        failedByCode: failedByCode(results),
      },
      measurements: measureCells(results, away),
      delivery: deliveryOf(results),
      accuracy: null,
      stages: {},
      clientSummary: emptyClientSummary(),
      efficiency: { cpuRatio: null, imagesPerSecond: null, rawImagesPerSecond: null, throughputRatio: null },
      process: watch.sampler.summary(),
      phases: results.map((result) => ({
        name: nameOf(result),
        startedAt: new Date(result.startedAtMs).toISOString(),
        durationMs: result.durationMs,
      })),
      noise,
      tables: [tableOf(results)],
      plots: [plotOf(results, startedAt.getTime())],
      identities: checks.all(),
      ...(stopped ? { stopped } : {}),
    };
  } finally {
    progress.phase('stop');
    await world.close();
    progress.done();
  }
}

const settingNotes = (): string[] => [
  `settings of this run: ${Object.entries(FAULT_SETTINGS)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')}; LEASE_MS is the default, ${LEASE_MS}`,
  'the disk is full by a hook in the service’s storage, F5, F6 and F16 by hooks where images are executed',
];

async function makeSet(
  scenario: FaultsScenario,
  { options, progress, stop }: RunInput,
  world: World,
): Promise<ImageSet> {
  const count = options.count ?? scenario.images.count;
  const { side, maxCells } = scenario.images;
  progress.phase('make images', count);
  const set = await generateImages({
    count,
    seed: options.seed,
    directory: join(world.services.environment.tempDir, 'images'),
    labels: 0,
    limits: { minSide: side, maxSide: side, medianSide: side, maxCells },
    onProgress: (done) => progress.update(done),
    signal: stop.signal,
  });
  progress.done(`${count} images`);
  return set;
}

interface Running {
  world: World;
  set: ImageSet;
  scenario: FaultsScenario;
  input: RunInput;
}
interface Ran {
  results: CellResult[];
  stopped?: RunData['stopped'];
  notes: string[];
}

async function runCells(plan: Plan, { world, set, scenario, input }: Running): Promise<Ran> {
  const { progress, stop, folder } = input;
  const results: CellResult[] = [];
  const deaf: Deaf[] = [];
  const notes: string[] = [];
  progress.phase('faults', plan.count);
  progress.line(plan.words);
  try {
    for (const cell of plan.cells) {
      if (Date.now() >= plan.endsAtMs) break;
      const { signal } = stop;
      const result = await runCell(cell, { world, scenario, files: set.images, awayMs: plan.awayMs, signal, deaf });
      results.push(result);
      folder.event(asRecord(result));
      progress.update(results.length);
      progress.line(lineOf(result));
    }
    notes.push(...(await deafEnds(deaf, stop.signal)));
    progress.done(`${results.length} batches`);
    return { results, notes };
  } catch (error) {
    const stopped = stoppedBy(stop.signal.aborted ? stop.signal.reason : error);
    progress.line(`stopped: ${stopped.message}`);
    return { results, notes, stopped };
  } finally {
    for (const { socket } of deaf) socket.terminate();
  }
}

function lineOf(result: CellResult): string {
  const { cell, recoveryMs, violations, retries, reconnects, moment, durationMs } = result;
  const held =
    violations.length === 0 ? 'all invariants hold' : `${violations.length} VIOLATED: ${violations[0]?.detail}`;
  const stall = recoveryMs === null ? '' : `, stalled ${(recoveryMs / 1000).toFixed(1)} s`;
  const came = moment === null ? ', did not come to pass' : '';
  return `${nameOf(result)}: ${cell.fault.title}${came}${stall}, ${retries.length} retries, ${reconnects} reconnects, ${held} (${(durationMs / 1000).toFixed(1)} s)`;
}

const asRecord = ({ cell, items, ...rest }: CellResult) => ({
  fault: cell.fault.id,
  instant: cell.instant,
  page: cell.page,
  images: items.length,
  ...rest,
});

function failedByCode(results: readonly CellResult[]): Record<string, number> {
  const failed = results.flatMap(({ items }) => items.filter(({ status }) => status === 'failed'));
  return Object.fromEntries(
    [...Map.groupBy(failed, ({ errorCode }) => errorCode ?? 'UNKNOWN')].map(([code, all]) => [code, all.length]),
  );
}

/** How the service parted with readers that never read, in words. */
async function deafEnds(deaf: readonly Deaf[], signal: AbortSignal): Promise<string[]> {
  if (deaf.length === 0) return [];
  const codes = await Promise.all(
    deaf.map(async ({ socket, openedAtMs }) => {
      await pause(Math.max(0, openedAtMs + DEAF_CLOSED_AFTER_MS - Date.now()), signal);
      const closed = new Promise<string>((resolve) => socket.once('close', (code) => resolve(String(code))));
      // it reads again only now, and finds what was sent
      socket.resume();
      return await Promise.race([closed, pause(CLOSE_SEEN_WITHIN_MS, signal).then(() => 'not closed')]);
    }),
  );
  const counts = [...Map.groupBy(codes, (code) => code)].map(([code, all]) => `${all.length} with ${code}`);
  return [`readers that never read were closed: ${counts.join(', ')}`];
}
