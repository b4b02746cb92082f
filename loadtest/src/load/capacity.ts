import { cpus } from 'node:os';
import { join } from 'node:path';
import { addressOf } from '#contract/client.ts';
import type { Project } from '#contract/images.ts';
import type { CapacityScenario } from '../../../scenarios/scenario.ts';
import { loadProfile } from '../../../service/src/inference/sim/profile.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import type { CapacityLevel, CapacitySection } from '../capacity/contract.ts';
import { rateOfEnds, readEnds, readShapes } from '../capacity/measure-batch.ts';
import { lawTables, levelPlots, levelTable, shapeTable } from '../capacity/sweep-report.ts';
import { checkSimulation, checkTable } from '../capacity/sweep-simulation.ts';
import type { RunData } from '../contract.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import { uploadFiles } from '../drivers/upload.ts';
import { generateImages } from '../images/generator.ts';
import { describeNoise } from '../judge/budgets.ts';
import { readForecastTables } from '../measure/forecasts.ts';
import { inServiceOf, staysOf, type Counted } from '../measure/littles-law.ts';
import { readStages } from '../measure/stages.ts';
import { MODELS_DIR } from '../run/machine.ts';
import { poolText, type RunInput } from '../run/run-input.ts';
import { runLoad, type Load } from './load-run.ts';
import { seedProject, wrongCounters } from './simulated.ts';
import { awaitBatch, startBatch } from './traffic.ts';

export function runCapacity(scenario: CapacityScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { pool: poolText(input.options) };
  return runLoad({ scenario, plan, startedAt, input }, (load) => sweep(scenario, load)).then((run) => ({
    ...doubted(run),
    environment: {
      ...run.environment,
      inference: { ...run.environment.inference, pool: hideCredentials(plan.pool) },
    },
  }));
}

/** Rates that somebody else's work had a part in are no ground to buy by, however many levels there are. */
export function doubted(run: RunData): RunData {
  const noise = describeNoise(run.noise);
  const levels = run.measurements.capacity_levels;
  if (noise === undefined || levels === undefined) return run;
  const weakened = `rates of a machine that others used: ${noise}`;
  return { ...run, measurements: { ...run.measurements, capacity_levels: { ...levels, weakened } } };
}

interface Ground {
  target: { url: string; key: string };
  /** A project with so many images; each level of a simulated pool has one of its own. */
  project(images: number): Promise<{ projectId: string; imageIds: string[] }>;
  fileBytes: number | null;
}
interface Measured {
  level: CapacityLevel | null;
  batchId: string;
  images: number;
  completed: number;
  bytes: Pick<CapacitySection['bytes'], 'polygons' | 'database' | 'events'>;
}

async function sweep({ phases, images: { count } }: CapacityScenario, load: Load): Promise<void> {
  const { input, fleet } = load;
  const simulated = input.options.pool.kind === 'sim';
  const api = await load.start('api');
  await load.start('relay');
  const target = { url: api.url!, key: fleet.key };
  const first = input.options.count ?? count;
  const most = first * (simulated ? phases.mostTimes : 1);
  const ground = simulated ? rowsOnly(load, target, phases) : await realImages(load, target, phases, most);
  const maxBatch = Number(input.settings?.['MAX_BATCH'] ?? 1);
  const measured: Measured[] = [];
  for (const workers of simulated ? phases.simulated : phases.real) {
    const images = Math.min(most, first * Math.min(workers, phases.mostTimes));
    const one = await load.phase(
      `${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      () => measureLevel(load, ground, { workers, images, warm: phases.warm }),
      ({ level }) => (level === null ? 'too few images to tell' : `${level.perSecond.toFixed(1)} images/s`),
    );
    measured.push(one);
    load.images += one.images;
  }
  const section = await sectionOf(load, measured, { simulated, maxBatch, fileBytes: ground.fileBytes });
  load.capacity = section;
  const completed = measured.reduce((sum, one) => sum + one.completed, 0);
  const wrong = await wrongCounters(fleet.sql);
  load.delivery = { submitted: load.images, completed };
  load.measurements.capacity_images_wrong = {
    actual: load.images - completed + wrong,
    note: `${completed} of ${load.images} completed; ${wrong} batches with wrong counters`,
  };
  load.measurements.capacity_levels = { actual: section.levels.length };
  const words = simulated ? 'Simulated workers: the way to them and back is real.' : '';
  load.tables.push(levelTable(section, words), shapeTable(section), ...lawTables(section, input.options.seed));
  const { pool, seed } = input.options;
  // Of workers on other machines nothing is known that could be simulated.
  if (pool.kind !== 'kserve') {
    const profile = pool.kind === 'sim' ? await loadProfile(pool.profile, join(MODELS_DIR, 'profiles')) : null;
    load.tables.push(checkTable(checkSimulation(section, { profile, cores: cpus().length, seed }), simulated));
  }
  load.tables.push(...(await readForecastTables(target)));
  load.plots.push(...levelPlots(section));
}

/** Rows without files: a simulated device looks at no picture. */
function rowsOnly(load: Load, target: Ground['target'], { shapes }: CapacityScenario['phases']): Ground {
  const side = [...new Set(shapes.map((shape) => shape.side))];
  let turn = load.input.options.seed;
  return {
    target,
    fileBytes: null,
    project: (images) => seedProject(load.fleet.sql, { name: `capacity ${turn}`, images, side, seed: turn++ }),
  };
}

/** As many images of each shape, in one project: the same bytes are stored once, so later batches are forced to infer again. */
async function realImages(
  load: Load,
  target: Ground['target'],
  { shapes }: CapacityScenario['phases'],
  count: number,
): Promise<Ground> {
  const { signal, environment, input } = load;
  const sets = await load.phase('make images', async () => {
    const made: Awaited<ReturnType<typeof generateImages>>[] = [];
    for (const [at, { side, cells }] of shapes.entries()) {
      const limits = {
        minSide: side,
        maxSide: side,
        medianSide: side,
        minCells: Math.ceil(cells * 0.9),
        maxCells: cells,
      };
      const directory = join(environment.tempDir, `images-${at}`);
      const each = Math.ceil(count / shapes.length);
      made.push(
        await generateImages({ count: each, seed: input.options.seed + at, directory, labels: 0, limits, signal }),
      );
    }
    return made;
  });
  // In turn, so that every stretch of a batch is as heavy as the next.
  const files = Array.from({ length: Math.max(...sets.map(({ images }) => images.length)) }, (_, row) =>
    sets.flatMap(({ images }, set) => {
      const image = images[row];
      return image ? [{ name: `${set}-${image.name}`, path: image.path, sha256: image.sha256 }] : [];
    }),
  ).flat();
  const imageIds = await load.phase('upload', async () => {
    const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 4 });
    try {
      const project = await client.json<Project>(addressOf('POST /api/projects'), {
        method: 'POST',
        body: { name: 'capacity' },
      });
      const { uploaded } = await uploadFiles({ client, projectId: project.id, files, filesPerRequest: 20, signal });
      const places = new Map(files.map(({ name }, at) => [name, at]));
      const ids = uploaded
        .toSorted((a, b) => (places.get(a.file.name) ?? 0) - (places.get(b.file.name) ?? 0))
        .map(({ image }) => image.id);
      return { projectId: project.id, ids };
    } finally {
      client.close();
    }
  });
  const bytes = sets.reduce((sum, set) => sum + set.bytes, 0);
  return {
    target,
    fileBytes: bytes / Math.max(1, files.length),
    project: (images) => Promise.resolve({ projectId: imageIds.projectId, imageIds: imageIds.ids.slice(0, images) }),
  };
}

/** One batch with so many workers, from their start to their end. */
async function measureLevel(
  load: Load,
  ground: Ground,
  { workers, images: wanted, warm }: { workers: number; images: number; warm: number },
): Promise<Measured> {
  const { fleet, sampler } = load;
  const { sql } = fleet;
  const worker = await load.start('worker', { WORKERS: String(workers) });
  const { projectId, imageIds } = await ground.project(wanted);
  const body = (ids: string[]) => ({ imageIds: ids, force: true });
  await awaitBatch(load, (await startBatch(ground.target, projectId, body(imageIds.slice(0, warm)))).id);
  const sizeBefore = await databaseBytes(load);
  const before = sampler.cpu();
  const counted: Counted[] = [];
  const batch = await startBatch(ground.target, projectId, body(imageIds));
  const onDone = (done: number) => {
    counted.push({ atMs: Date.now(), left: imageIds.length - done });
    load.input.progress.update(done);
  };
  await awaitBatch(load, batch.id, { onDone });
  const after = sampler.cpu();
  const grown = (await databaseBytes(load)) - sizeBefore;
  const rows = await readEnds(sql, batch.id);
  const stages = await readStages(sql, projectId, batch.id);
  const [sums] = await sql<{ polygons: number | null; events: number | null }[]>`
    SELECT (SELECT avg(octet_length(r.polygons))::float8 FROM batch_items t JOIN results r ON r.id = t.result_id
            WHERE t.batch_id = ${batch.id}) AS polygons,
           (SELECT sum(octet_length(frame))::float8 FROM event_log
            WHERE project_id = ${projectId} AND created_at >= (SELECT created_at FROM batches WHERE id = ${batch.id})) AS events`;
  await fleet.end(worker);
  const images = imageIds.length;
  const rate = rateOfEnds(rows);
  const cpuMsPerImage = Object.fromEntries(
    Object.entries(after.byRole).map(([role, seconds]) => [
      role,
      Math.max(0, (seconds - (before.byRole[role] ?? 0)) * 1000) / images,
    ]),
  );
  return {
    batchId: batch.id,
    images,
    completed: rows.length,
    level: rate && { workers, images, ...rate, cpuMsPerImage, stages, inService: inServiceOf(staysOf(rows), counted) },
    bytes: {
      polygons: sums?.polygons ?? null,
      database: grown > 0 ? grown / images : null,
      events: sums?.events === null || sums === undefined ? null : sums.events / images,
    },
  };
}

const databaseBytes = async ({ fleet }: Load): Promise<number> => {
  const [row] = await fleet.sql<{ bytes: number }[]>`SELECT pg_database_size(current_database())::float8 AS bytes`;
  return row?.bytes ?? 0;
};

async function sectionOf(
  { fleet }: Load,
  measured: readonly Measured[],
  given: { simulated: boolean; maxBatch: number; fileBytes: number | null },
): Promise<CapacitySection> {
  const { simulated, maxBatch, fileBytes } = given;
  const most = (pick: (one: Measured) => number | null): number | null => {
    const values = measured.flatMap((one) => pick(one) ?? []);
    return values.length === 0 ? null : Math.max(...values);
  };
  // Workers that share cores slow each other down, which the levels tell: times are those of one alone.
  const alone = measured.slice(0, 1).map(({ batchId }) => batchId);
  return {
    simulated,
    maxBatch,
    levels: measured.flatMap(({ level }) => level ?? []),
    shapes: await readShapes(fleet.sql, alone, maxBatch),
    bytes: {
      file: fileBytes,
      polygons: most(({ bytes }) => bytes.polygons),
      // Only new results grow it: those that are there already are not stored again.
      database: most(({ bytes }) => bytes.database),
      events: most(({ bytes }) => bytes.events),
      job: null,
    },
  };
}
