import { join } from 'node:path';
import { addressOf } from '#contract/client.ts';
import type { Project } from '#contract/images.ts';
import { budgetOf } from '../../../scenarios/budgets.ts';
import type { SoakScenario } from '../../../scenarios/scenario.ts';
import type { BudgetName, Measurement, RunData } from '../contract.ts';
import { createHttpClient, type HttpClient } from '../drivers/http-client.ts';
import { openLedgerSocket, toldBy } from '../drivers/ledger-socket.ts';
import { uploadFiles } from '../drivers/upload.ts';
import { generateImages } from '../images/generator.ts';
import { readForecastTables } from '../measure/forecasts.ts';
import { pause } from '../run/stop.ts';
import type { RunInput } from '../run/run-input.ts';
import { createLiveHeaps, INSPECTED, type LiveHeaps } from './live-heap.ts';
import { runLoad, type Load } from './load-run.ts';
import { whyIdle } from './pacing.ts';
import { wrongCounters } from './simulated.ts';
import { growthOf, type Slope } from './slope.ts';
import { createSoakSampler, type Series } from './soak-sampler.ts';
import { awaitBatch, startBatch } from './traffic.ts';

const TEN_MINUTES = 600;
/** Every so many rounds the project goes, with all that it had. */
const ROUNDS_A_PROJECT = 5;
/** Reads a round: what a person does with the results. */
const READS = 20;

export function runSoak(scenario: SoakScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const heaps = createLiveHeaps();
  // What is deleted shall be gone while we look.
  const plan = { settings: { COLLECT_AFTER_MS: '30000' }, heard: (line: string) => heaps.heard(line) };
  return runLoad({ scenario, plan, startedAt, input }, (load) => soak(scenario, load, heaps));
}

async function soak({ phases }: SoakScenario, load: Load, heaps: LiveHeaps): Promise<void> {
  const { fleet, signal, environment } = load;
  const { options, progress } = load.input;
  const durationMs =
    options.duration === undefined ? (options.quick ? phases.quickMs : phases.durationMs) : options.duration * 1000;
  const count = options.count ?? 100;
  const side = { minSide: phases.side, maxSide: phases.side, medianSide: phases.side, maxCells: 12 };
  const set = await load.phase('make images', () =>
    generateImages({
      count,
      seed: options.seed,
      directory: join(environment.tempDir, 'images'),
      labels: 0,
      limits: side,
      signal,
    }),
  );
  const api = await load.start('api', INSPECTED);
  const [relay, worker] = await Promise.all([load.start('relay', INSPECTED), load.start('worker', INSPECTED)]);
  const target = { url: api.url!, key: fleet.key };
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 8 });
  const sampler = createSoakSampler({
    roles: [api, relay, worker],
    heaps,
    queueRedisUrl: environment.queueRedisUrl,
    cacheRedisUrl: environment.cacheRedisUrl,
    sql: fleet.sql,
  });
  const timer = setInterval(() => void sampler.sample().catch(() => {}), phases.sampleMs);
  const done = { rounds: 0, images: 0, wrong: 0 };
  let lateMs = 0;
  let settledAt = -Infinity;
  try {
    const sizeBefore = await databaseSize(load);
    await load.phase('soak', async () => {
      const until = performance.now() + durationMs;
      while (performance.now() < until) {
        const project = await client.json<Project>(addressOf('POST /api/projects'), {
          method: 'POST',
          body: { name: `soak ${done.rounds}` },
        });
        const files = set.images.map(({ name, path, sha256 }) => ({ name, path, sha256 }));
        await uploadFiles({ client, projectId: project.id, files, filesPerRequest: 20, concurrency: 2, signal });
        for (let round = 0; round < ROUNDS_A_PROJECT && performance.now() < until; round++) {
          done.wrong += await oneRound(load, { target, client, projectId: project.id, images: count });
          done.rounds++;
          done.images += count;
          progress.update(done.images);
          const restedAt = performance.now();
          await pause(phases.pauseMs, signal);
          lateMs += performance.now() - restedAt - phases.pauseMs;
          if (performance.now() - settledAt < phases.settledMs) continue;
          settledAt = performance.now();
          await sampler.settled();
        }
        await client.request(addressOf('DELETE /api/projects/{id}', { path: { id: project.id } }), {
          method: 'DELETE',
        });
      }
    });
    load.tables.push(...(await readForecastTables(target)));
    done.wrong += await wrongCounters(fleet.sql);
    load.images = done.images;
    load.delivery = { submitted: done.images, completed: done.images - Math.min(done.images, done.wrong) };
    const grown = ((await databaseSize(load)) - sizeBefore) / Math.max(1, done.images);
    judge(load, sampler.series(), {
      ...done,
      warmShare: phases.warmShare,
      grownPerImage: grown,
      idle: whyIdle(lateMs, durationMs),
    });
  } finally {
    clearInterval(timer);
    client.close();
    sampler.close();
    heaps.close();
    await load.input.folder.json('raw/soak.json', sampler.series());
  }
}

const databaseSize = async ({ fleet }: Load): Promise<number> => {
  const [row] = await fleet.sql<{ bytes: number }[]>`SELECT pg_database_size(current_database())::float8 AS bytes`;
  return row?.bytes ?? Number.NaN;
};

/** A batch of everything, watched by a socket, and its results read. @returns images that did not complete */
async function oneRound(
  load: Load,
  given: { target: { url: string; key: string }; client: HttpClient; projectId: string; images: number },
): Promise<number> {
  const { target, client, projectId, images } = given;
  const socket = await openLedgerSocket({ baseUrl: target.url, key: target.key, projectId });
  try {
    const batch = await startBatch(target, projectId, { all: true, force: true });
    await awaitBatch(load, batch.id, { toldAt: toldBy(socket.log, batch.id) });
    const [row] = await load.fleet.sql<{ completed: number }[]>`SELECT completed FROM batches WHERE id = ${batch.id}`;
    await client.request(addressOf('POST /api/segmentation/batch/results'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip' },
      body: JSON.stringify({ batchId: batch.id }),
    });
    const list = addressOf('GET /api/projects/{id}/images', { path: { id: projectId }, query: { limit: 50 } });
    for (let read = 0; read < READS; read++) await client.request(list);
    return images - (row?.completed ?? 0);
  } finally {
    socket.close();
  }
}

const BYTES: Partial<Record<Series['kind'], BudgetName>> = {
  api: 'soak_api_leak_bytes',
  relay: 'soak_relay_leak_bytes',
  worker: 'soak_worker_leak_bytes',
  inference: 'soak_inference_leak_bytes',
  queue: 'soak_queue_redis_leak_bytes',
};

interface Grown {
  one: Series;
  slope: Slope | null;
}

/** Of a kept result: raw/soak.json has them all. */
const PLOTTED = 200;
const thinned = (points: Series['points']) => {
  const step = Math.ceil(points.length / PLOTTED);
  return points.filter((_, at) => at % step === 0);
};

/** An interval wider than so many times the limit tells a leak from none no more. */
const WIDEST = 20;

/**
 * The least that the series of a kind grew in ten minutes, of that one which grew most.
 * @param limit of its budget, for ten minutes
 * @param idle why less was done in that time than the scenario does, so that less could leak
 */
function leakOf(grown: readonly Grown[], limit: number, idle: string | undefined): Measurement {
  const known = grown.flatMap(({ one, slope }) => (slope ? [{ one, slope }] : []));
  if (known.length === 0) return { actual: null, note: 'too short for a slope' };
  const worst = known.reduce((most, next) => (next.slope.low > most.slope.low ? next : most));
  const perTen = (value: number) => Math.round(value * TEN_MINUTES).toLocaleString('en');
  const { slope, low, high } = worst.slope;
  const widest = Math.max(...known.map((each) => each.slope.high - each.slope.low)) * TEN_MINUTES;
  const tooWide =
    widest > WIDEST * limit ? `too short: an interval is ${perTen(widest / TEN_MINUTES)} wide` : undefined;
  const weakened = tooWide ?? idle;
  return {
    actual: Math.max(0, low * TEN_MINUTES),
    note: `${worst.one.name}: ${perTen(slope)} in ten minutes, 95 % interval ${perTen(low)} to ${perTen(high)}; ${low <= 0 ? 'flat' : 'not flat'}`,
    ...(weakened ? { weakened } : {}),
  };
}

export function judge(
  load: Pick<Load, 'measurements' | 'tables' | 'plots'>,
  series: readonly Series[],
  given: {
    rounds: number;
    images: number;
    wrong: number;
    warmShare: number;
    grownPerImage: number;
    idle?: string | undefined;
  },
): void {
  const { measurements } = load;
  const grown = series.map((one): Grown => ({ one, slope: growthOf(one.points, given.warmShare) }));
  const of = (kind: Series['kind']) => grown.filter(({ one }) => one.kind === kind);
  for (const [kind, name] of Object.entries(BYTES))
    measurements[name] = leakOf(of(kind as Series['kind']), budgetOf(name).limit, given.idle);
  measurements.soak_descriptors_leak = leakOf(of('descriptors'), budgetOf('soak_descriptors_leak').limit, given.idle);
  measurements.soak_images_wrong = { actual: given.wrong, note: `${given.images} images in ${given.rounds} batches` };
  measurements.soak_database_bytes_per_image = {
    actual: given.grownPerImage,
    note: `of ${given.images} images processed, those that were deleted since included`,
  };
  const perTen = (slope: Slope | null, pick: 'slope' | 'low' | 'high') => (slope ? slope[pick] * TEN_MINUTES : null);
  load.tables.push({
    title: 'What grew',
    note: `Theil-Sen slopes of medians of blocks, without the first ${Math.round(given.warmShare * 100)} % of the time; bytes, or descriptors, in ten minutes. Flat: the interval holds 0.`,
    columns: [
      { name: 'what' },
      { name: 'at the end', unit: 'bytes' },
      { name: 'growth', unit: 'bytes' },
      { name: 'at least', unit: 'bytes' },
      { name: 'at most', unit: 'bytes' },
      { name: 'verdict' },
    ],
    rows: grown
      .filter(({ one }) => !['descriptors', 'resident'].includes(one.kind))
      .map(({ one, slope }) => [
        one.name,
        one.points.at(-1)?.[1] ?? null,
        perTen(slope, 'slope'),
        perTen(slope, 'low'),
        perTen(slope, 'high'),
        slope === null ? 'too short' : slope.low <= 0 && slope.high >= 0 ? 'flat' : slope.low > 0 ? 'grows' : 'shrinks',
      ]),
  });
  const lines = (title: string, unit: 'bytes' | 'count', kinds: readonly Series['kind'][]) => ({
    title,
    x: { name: 'time', unit: 'ms' as const },
    y: { name: title, unit },
    series: series
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ name, points }) => ({ name, points: thinned(points).map(([x, y]): [number, number] => [x * 1000, y]) })),
  });
  load.plots.push(
    lines('Memory after a collection, and the live heap in it', 'bytes', ['api', 'relay', 'worker', 'inference']),
    lines('Memory, resident and of no file', 'bytes', ['resident']),
    lines('Data in Redis', 'bytes', ['queue', 'cache']),
    lines('Size of the database', 'bytes', ['database']),
    lines('Open descriptors', 'count', ['descriptors']),
  );
}
