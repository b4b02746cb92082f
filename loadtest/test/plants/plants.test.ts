import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import { testServers } from '../../../test/servers.ts';
import { CapacitySection } from '../../src/capacity/contract.ts';
import { capacityOfBulk } from '../../src/capacity/of-bulk.ts';
import { BUDGET_NAMES } from '../../src/contract.ts';
import { launchBrowser, type LaunchedBrowser } from '../../src/environment/browser.ts';
import type { ImageSet } from '../../src/images/image-set.ts';
import { heavyPages, measurePhases, redBudgets, smallImages, type PlantRun } from '../../src/plants/run-plant.ts';
import { PLANTS, type Plant } from '../../src/plants/table.ts';
import { PHASES, type PhaseName } from '../../src/run/phases.ts';
import { createRunFolder, type RunFolder } from '../../src/run/folder.ts';
import { startOn, type Ground, type Services } from '../../src/run/services.ts';
import { createStop } from '../../src/run/stop.ts';

const TIMEOUT_MS = 120_000;
const stop = createStop();
let tempDir: string;
let launched: LaunchedBrowser;
let folder: RunFolder;
let ground: Ground;
let dropDatabase: () => Promise<void>;
let services: Services;
let set: ImageSet;
let clean: PlantRun;
const settings = { QUEUE_PREFIX: '', NODE_ENV: 'test' };

const start = (workers: number, more: Record<string, string> = {}): Promise<Services> =>
  startOn(ground, launched, { workers, settings: { ...settings, ...more }, log: () => {}, stop });

beforeAll(async () => {
  const servers = testServers();
  const database = await servers.createDatabase();
  dropDatabase = () => database.drop();
  settings.QUEUE_PREFIX = servers.prefix();
  tempDir = await mkdtemp(join(tmpdir(), 'segbench-test-'));
  folder = await createRunFolder(join(tempDir, 'out'), 'plants', new Date());
  launched = await launchBrowser({ tempDir, env: {}, log: () => {} });
  ground = {
    kind: 'external',
    databaseUrl: database.url,
    queueRedisUrl: servers.queueRedisUrl,
    cacheRedisUrl: servers.cacheRedisUrl,
    tempDir,
    env: {},
    servers: [],
    versions: { postgres: '', redis: '' },
    notes: [],
    watchGroup: () => {},
  };
  set = await smallImages(tempDir, 1);
  services = await start(2);
  clean = await measurePhases({ services, folder, stop }, { phases: PHASES.map(({ name }) => name as PhaseName), set });
}, TIMEOUT_MS);

afterAll(async () => {
  await services?.close();
  await launched?.close();
  await folder?.close();
  await dropDatabase?.();
  await rm(tempDir, { recursive: true, force: true });
});

/** Page plants meet the clean service; the others get one of their own. */
async function runPlant(plant: Plant): Promise<PlantRun> {
  const { phases, script, freshImages, heavyBundle } = plant;
  const own = freshImages ? await smallImages(tempDir, 100 + PLANTS.indexOf(plant), freshImages) : set;
  const given = { phases, set: own, on: clean.bench, ...(script ? { script } : {}) };
  if (script) return measurePhases({ services, folder, stop }, given);
  const pages: Record<string, string> = heavyBundle ? { DASHBOARDS_DIR: await heavyPages(tempDir) } : {};
  const planted = await start(freshImages ?? 1, { ...plant.settings, ...pages });
  try {
    return await measurePhases({ services: planted, folder, stop }, given);
  } finally {
    await planted.close();
  }
}

/** What is red of a plant's run, beside what was measured. */
const outcomeOf = ({ turns }: Plant, { measurements, noise }: PlantRun) => ({
  red: redBudgets(clean, { measurements, noise }, turns),
  seen: turns.map((name) => measurements[name]),
  noise,
});

describe('budgets', () => {
  it('are all measured, and none is red, when nothing is planted', () => {
    const missing = BUDGET_NAMES.filter((name) => (clean.measurements[name]?.actual ?? null) === null);
    expect(missing).toEqual([]);
    expect(redBudgets(clean, clean)).toEqual([]);
  });

  it('stand beside what a plan can be made of', async () => {
    const { first, cpuOfBatch: cpu } = clean.bench;
    const section = await capacityOfBulk({
      sql: services.sql,
      batchId: first!.batch.id,
      workers: 2,
      simulated: false,
      images: { count: set.images.length, bytes: set.bytes },
      stages: {},
      cpu,
    });
    expect([...Value.Errors(CapacitySection, section)]).toEqual([]);
    const { levels, shapes, bytes } = section!;
    expect(levels).toMatchObject([{ workers: 2, images: set.images.length }]);
    expect(levels[0]!.cpuMsPerImage['inference']).toBeGreaterThan(0);
    expect(shapes.reduce((sum, { images }) => sum + images, 0)).toBe(set.images.length);
    expect(bytes.polygons).toBeGreaterThan(0);
  });

  it('have a planted violation each', () => {
    expect(new Set(PLANTS.flatMap(({ turns }) => turns))).toEqual(new Set(BUDGET_NAMES));
  });

  it.each(PLANTS.filter(({ script }) => script))(
    '$turns turns red, and no other, when the $name is planted',
    async (plant) => expect(outcomeOf(plant, await runPlant(plant))).toMatchObject({ red: plant.turns }),
    TIMEOUT_MS,
  );

  it(
    'measure the page slow that blocks its main thread on purpose',
    async () => {
      const run = await measurePhases(
        { services, folder, stop },
        { phases: ['batch', 'burst'], set, on: clean.bench, pagePath: (projectId) => `/blocker/projects/${projectId}` },
      );
      expect(run.measurements.ui_settle_ms?.actual).toBeGreaterThan(2000);
    },
    TIMEOUT_MS,
  );

  it.each(PLANTS.filter(({ script }) => !script))(
    '$turns turns red, and no other, when the $name is planted',
    async (plant) => {
      await services.close();
      expect(outcomeOf(plant, await runPlant(plant))).toMatchObject({ red: plant.turns });
    },
    TIMEOUT_MS,
  );
});
